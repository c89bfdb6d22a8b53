/** A product of the fake store, with its legacy stock item. */
export interface FakeProduct {
  id: number;
  sku: string;
  typeId: string;
  status: number;
  qty: number | null;
  isInStock: boolean;
  lowStockDate: string | null;
  statusChangedAuto: number;
  backorders: number;
  minQuantity: number;
  managesStock: boolean;
}

/** How a product is sold; most are sold while there is more than nothing. */
type ProductOptions = Partial<Pick<FakeProduct, 'typeId' | 'backorders' | 'minQuantity' | 'managesStock'>> & {
  /** null: it never had stock, so it has no source item either. */
  quantity?: number | null;
};

export interface FakeSourceItem {
  id: number;
  sku: string;
  source_code: string;
  quantity: number;
  status: number;
}

export interface FakeOrder {
  entity_id: number;
  sku: string;
  ordered: number;
  /** What one unit of a bundle consists of; empty for other products. */
  children: { sku: string; quantity: number }[];
  shipped: number;
  createdAt: string;
  updatedAt: string;
  /** Its rows, where it has others than these fields say. */
  rows?: FakeOrderRow[];
  /** Where it is cancelled or held. */
  state?: 'canceled' | 'holded' | undefined;
}

/** A row of an order. */
export interface FakeOrderRow {
  item_id: number;
  parent_item_id?: number;
  product_type: string;
  sku: string;
  qty_ordered: number;
  qty_canceled: number;
}

/** The state of the fake store, and what a write changes in it, as recorded from a real Magento. */
export class MagentoStore {
  readonly products = new Map<string, FakeProduct>();
  readonly sourceItems = new Map<string, FakeSourceItem>();
  /** How often a row of `sourceItems` was written or deleted. */
  sourceItemChanges = 0;
  readonly sources = new Map<string, { name: string; enabled: boolean; postcode: string }>([
    ['default', { name: 'Default Source', enabled: true, postcode: '00000' }],
  ]);
  /** The stocks that websites sell from. */
  readonly stocks: { id: number; name: string; websites: string[]; sources: string[] }[] = [
    { id: 1, name: 'Default Stock', websites: ['base'], sources: ['default'] },
  ];
  readonly orders: FakeOrder[] = [];
  readonly shipments: { entity_id: number; order_id: number; created_at: string; sku: string; qty: number }[] = [];
  readonly creditMemos: { entity_id: number; order_id: number; created_at: string; sku: string; qty: number }[] = [];
  /** Every quantity that was written to a SKU's default source, in order. */
  readonly history: { sku: string; quantity: number; at: number }[] = [];
  private nextSourceItem = 1;

  /** As MySQL's collation compares: ignores case and trailing spaces. */
  static key(sku: string): string {
    return sku.replace(/ +$/, '').toLowerCase();
  }

  addProduct(sku: string, { typeId = 'simple', quantity = 0, ...sold }: ProductOptions = {}): FakeProduct {
    const id = this.products.size + 1;
    const product: FakeProduct = {
      id,
      sku,
      typeId,
      status: 1,
      qty: quantity,
      isInStock: (quantity ?? 0) > 0,
      lowStockDate: null,
      statusChangedAuto: 0,
      backorders: 0,
      minQuantity: 0,
      managesStock: true,
      ...sold,
    };
    this.products.set(MagentoStore.key(sku), product);
    if (quantity !== null && ['simple', 'virtual', 'downloadable'].includes(typeId)) {
      this.setSourceItem(sku, 'default', quantity, quantity > 0 ? 1 : 0);
    }
    return product;
  }

  product(sku: string): FakeProduct | undefined {
    return this.products.get(MagentoStore.key(sku));
  }

  sourceItem(sku: string, source = 'default'): FakeSourceItem | undefined {
    return this.sourceItems.get(`${MagentoStore.key(sku)}\n${source}`);
  }

  /** What a customer sees: the quantity, and whether it can be bought. */
  shown(sku: string): { quantity: number; inStock: boolean } | undefined {
    const item = this.sourceItem(sku);
    return item && { quantity: item.quantity, inStock: item.status === 1 && item.quantity > 0 };
  }

  /** Writes a source item; for source `default`, also the legacy stock item. */
  writeSourceItem(sku: string, source: string, quantity: number, status: number): void {
    const stored = this.product(sku)?.sku ?? this.sourceItem(sku, source)?.sku ?? sku;
    const rounded = Math.round(quantity * 10_000) / 10_000;
    this.setSourceItem(stored, source, rounded, status);
    const product = this.product(sku);
    if (product && source === 'default') {
      product.qty = rounded;
      product.isInStock = status === 1 && isSold(product, rounded);
    }
  }

  /** Writes the legacy stock item, and source `default` with it. */
  writeStockItem(product: FakeProduct, qty: number, isInStock: boolean | undefined, now: string): void {
    const soldOut = !isSold(product, qty);
    product.qty = qty;
    product.isInStock = !soldOut && (isInStock ?? product.isInStock);
    product.lowStockDate = soldOut ? now : null;
    product.statusChangedAuto = soldOut ? 1 : 0;
    this.setSourceItem(product.sku, 'default', qty, product.isInStock ? 1 : 0);
  }

  deleteSourceItem(sku: string, source: string): void {
    this.sourceItemChanges++;
    this.sourceItems.delete(`${MagentoStore.key(sku)}\n${source}`);
  }

  deleteProduct(sku: string): void {
    this.products.delete(MagentoStore.key(sku));
    for (const source of this.sources.keys()) this.deleteSourceItem(sku, source);
  }

  /** Places an order: it reserves stock, and its shipment deducts the source later [recordings order-*]. */
  placeOrder(sku: string, quantity: number, children: FakeOrder['children'] = []): FakeOrder {
    const now = magentoTime();
    const order = {
      entity_id: this.orders.length + 1,
      sku,
      ordered: quantity,
      children,
      shipped: 0,
      createdAt: now,
      updatedAt: now,
    };
    this.orders.push(order);
    return order;
  }

  /** Places an order of several rows, with ids from 1 on; it reserves nothing. */
  placeOrderOf(...rows: Omit<FakeOrderRow, 'item_id' | 'qty_canceled'>[]): FakeOrder {
    const order = this.placeOrder('', 0);
    return Object.assign(order, { rows: rows.map((row, index) => ({ ...row, item_id: index + 1, qty_canceled: 0 })) });
  }

  /** Changes an order, as its own pages do. */
  changeOrder(order: FakeOrder, change: { state?: FakeOrder['state']; canceled?: number }): void {
    const { state, canceled = 0 } = change;
    order.updatedAt = magentoTime();
    if ('state' in change) order.state = state;
    for (const row of order.rows ?? []) row.qty_canceled = state === 'canceled' ? row.qty_ordered : canceled;
  }

  ship(order: FakeOrder): void {
    order.shipped = order.ordered;
    order.updatedAt = magentoTime();
    const deducted = order.children.length > 0 ? order.children : [{ sku: order.sku, quantity: 1 }];
    for (const { sku, quantity } of deducted) {
      const item = this.sourceItem(sku);
      if (!item) throw new Error(`no source item for ${sku}`);
      this.writeSourceItem(sku, 'default', item.quantity - order.ordered * quantity, item.status);
    }
    this.shipments.push({
      entity_id: this.shipments.length + 1,
      order_id: order.entity_id,
      created_at: order.updatedAt,
      sku: order.sku,
      qty: order.ordered,
    });
  }

  /**
   * Refunds what was shipped and puts it back on the shelf of source `default` (Magento's API reference, not recorded).
   */
  refund(order: FakeOrder): void {
    const item = this.sourceItem(order.sku);
    if (!item) throw new Error(`no source item for ${order.sku}`);
    this.writeSourceItem(order.sku, 'default', item.quantity + order.shipped, item.status);
    this.creditMemos.push({
      entity_id: this.creditMemos.length + 1,
      order_id: order.entity_id,
      created_at: magentoTime(),
      sku: order.sku,
      qty: order.shipped,
    });
  }

  salable(sku: string): number | undefined {
    const item = this.sourceItem(sku);
    if (!item || !this.product(sku)) return undefined;
    const reserved = this.orders
      .filter(order => MagentoStore.key(order.sku) === MagentoStore.key(sku))
      .reduce((total, order) => total + order.ordered - order.shipped, 0);
    return item.quantity - reserved;
  }

  private setSourceItem(sku: string, source: string, quantity: number, status: number): void {
    const key = `${MagentoStore.key(sku)}\n${source}`;
    this.sourceItemChanges++;
    const known = this.sourceItems.get(key);
    if (known) Object.assign(known, { quantity, status });
    else this.sourceItems.set(key, { id: this.nextSourceItem++, sku, source_code: source, quantity, status });
    if (source === 'default') this.history.push({ sku, quantity, at: Date.now() });
  }
}

/** Whether a product with this quantity can be bought (docs/facts/magento.md, "Differences and traps"). */
function isSold({ backorders, minQuantity }: FakeProduct, quantity: number): boolean {
  return quantity > minQuantity || backorders > 0;
}

/** A time as Magento formats it. */
export function magentoTime(date = new Date()): string {
  return date.toISOString().slice(0, 19).replace('T', ' ');
}
