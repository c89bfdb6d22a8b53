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

/** An order [recordings orders/*]. */
export interface FakeOrder {
  entity_id: number;
  createdAt: string;
  updatedAt: string;
  rows: FakeOrderRow[];
  /** The store view that it was placed in. */
  storeId: number;
  /** Who placed it. */
  buyer: { first: string; last: string; email: string };
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
  qty_invoiced: number;
  qty_shipped: number;
  qty_refunded: number;
}

/** A new row; `parent_item_id` counts the rows of its order from 1 on. */
type NewOrderRow = Pick<FakeOrderRow, 'product_type' | 'sku' | 'qty_ordered' | 'parent_item_id'>;

export interface FakeShipment {
  entity_id: number;
  order_id: number;
  created_at: string;
  items: { sku: string; order_item_id: number; qty: number }[];
  tracks: { track_number: string; title: string; carrier_code: string }[];
  comments: { comment: string; is_visible_on_front: number }[];
  source: string;
}

/** A refused shipment, with the answer that was recorded. */
export class ShipRefusedError extends Error {}

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
  readonly shipments: FakeShipment[] = [];
  readonly creditMemos: { entity_id: number; order_id: number; created_at: string; sku: string; qty: number }[] = [];
  /** Every quantity that was written to a SKU's default source, in order. */
  readonly history: { sku: string; quantity: number; at: number }[] = [];
  private nextSourceItem = 1;
  private nextOrderRow = 1;

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

  /**
   * Places an order of one product, with the children of one unit where it is a bundle. It reserves stock, and its
   * shipment deducts the source later [recordings order-*].
   */
  placeOrder(sku: string, quantity: number, children: { sku: string; quantity: number }[] = []): FakeOrder {
    return this.placeOrderOf(
      { product_type: children.length > 0 ? 'bundle' : 'simple', sku, qty_ordered: quantity },
      ...children.map(child => {
        return { product_type: 'simple', sku: child.sku, qty_ordered: quantity * child.quantity, parent_item_id: 1 };
      }),
    );
  }

  /** Places an order of several rows. */
  placeOrderOf(...rows: NewOrderRow[]): FakeOrder {
    const now = magentoTime();
    const first = this.nextOrderRow;
    this.nextOrderRow += rows.length;
    const order = {
      entity_id: this.orders.length + 1,
      createdAt: now,
      updatedAt: now,
      storeId: 1,
      buyer: { first: 'A', last: 'B', email: 'buyer@example.com' },
      rows: rows.map(({ parent_item_id, ...row }, index) => ({
        ...row,
        item_id: first + index,
        ...(parent_item_id !== undefined && { parent_item_id: first + parent_item_id - 1 }),
        qty_canceled: 0,
        qty_invoiced: 0,
        qty_shipped: 0,
        qty_refunded: 0,
      })),
    };
    this.orders.push(order);
    return order;
  }

  /**
   * Changes an order, as its own pages do. `canceled`: units of each row, and of a bundle those of its children. What
   * was shipped cannot be cancelled [recordings orders/40 to 42].
   */
  changeOrder(order: FakeOrder, change: { state?: FakeOrder['state']; canceled?: number }): void {
    order.updatedAt = magentoTime();
    if ('state' in change) order.state = change.state;
    const canceled = change.state === 'canceled' ? Infinity : change.canceled;
    if (canceled === undefined) return;
    for (const row of order.rows) {
      const parent = order.rows.find(({ item_id }) => item_id === row.parent_item_id);
      const units = parent?.product_type === 'bundle' ? row.qty_ordered / parent.qty_ordered : 1;
      row.qty_canceled = Math.min(row.qty_ordered - row.qty_shipped, canceled * units);
    }
    if (change.state === 'canceled' && order.rows.some(({ qty_shipped }) => qty_shipped > 0)) order.state = undefined;
  }

  /**
   * Ships rows of an order, or all that is open, from a source, and deducts it there. Asked for more than is open, it
   * ships what is open [recordings orders/06 to 10, 23, 25, 31, 90 to 92]. Throws a ShipRefusedError.
   */
  ship(
    order: FakeOrder,
    wanted?: readonly { order_item_id: number; qty: number }[],
    { source = 'default', tracks = [], comments = [] }: Partial<Omit<FakeShipment, 'items'>> = {},
  ): FakeShipment {
    if (order.state) {
      const nothing = order.state === 'canceled' ? `\n${NO_PRODUCTS}` : '';
      throw new ShipRefusedError(
        `${VALIDATION}\nA shipment cannot be created when an order has a status of ${order.state}${nothing}`,
      );
    }
    const shippable = order.rows.filter(row => row.parent_item_id === undefined && row.product_type !== 'virtual');
    if (shippable.every(row => openUnits(row) === 0)) {
      throw new ShipRefusedError(`${VALIDATION}\nThe order does not allow a shipment to be created.\n${NO_PRODUCTS}`);
    }
    const items = shippable.flatMap(row => {
      const asked = wanted ? (wanted.find(one => one.order_item_id === row.item_id)?.qty ?? 0) : Infinity;
      const qty = Math.min(asked, openUnits(row));
      return qty > 0 ? [{ row, qty }] : [];
    });
    if (items.length === 0) throw new ShipRefusedError(`${VALIDATION}\n${NO_PRODUCTS}`);
    const deducted = items.flatMap(({ row, qty }) =>
      row.product_type === 'bundle'
        ? order.rows
            .filter(child => child.parent_item_id === row.item_id)
            .map(child => ({ row: child, qty: (child.qty_ordered / row.qty_ordered) * qty }))
        : [{ row, qty }],
    );
    for (const { row, qty } of deducted) {
      const item = this.sourceItem(row.sku, source);
      if (!item || item.quantity < qty) {
        throw new ShipRefusedError('Could not save a shipment, see error log for details');
      }
    }
    for (const { row, qty } of deducted) {
      const item = this.sourceItem(row.sku, source);
      if (item) this.writeSourceItem(row.sku, source, item.quantity - qty, item.status);
    }
    for (const { row, qty } of [...items, ...deducted.filter(({ row }) => row.parent_item_id !== undefined)]) {
      row.qty_shipped += qty;
    }
    order.updatedAt = magentoTime();
    const shipment = {
      entity_id: this.shipments.length + 1,
      order_id: order.entity_id,
      created_at: order.updatedAt,
      items: items.map(({ row, qty }) => ({ sku: row.sku, order_item_id: row.item_id, qty })),
      source,
      tracks,
      comments,
    };
    this.shipments.push(shipment);
    return shipment;
  }

  /**
   * Refunds what was shipped and puts it back on the shelf of source `default` (Magento's API reference, not recorded).
   */
  refund(order: FakeOrder): void {
    const [row] = order.rows;
    const item = row && this.sourceItem(row.sku);
    if (!item) throw new Error(`no source item for order ${order.entity_id}`);
    this.writeSourceItem(row.sku, 'default', item.quantity + row.qty_shipped, item.status);
    row.qty_refunded = row.qty_shipped;
    this.creditMemos.push({
      entity_id: this.creditMemos.length + 1,
      order_id: order.entity_id,
      created_at: magentoTime(),
      sku: row.sku,
      qty: row.qty_shipped,
    });
  }

  /** What can still be sold of a SKU: its stock without what open orders reserve. */
  salable(sku: string): number | undefined {
    if (!this.sourceItem(sku) || !this.product(sku)) return undefined;
    return this.atSources(sku) - this.reserved(sku);
  }

  /** What all sources have of a SKU. */
  atSources(sku: string): number {
    return [...this.sources.keys()].reduce((total, source) => total + (this.sourceItem(sku, source)?.quantity ?? 0), 0);
  }

  /** What open orders reserve of a SKU. Of a configurable product the parent row counts, of a bundle the children. */
  reserved(sku: string): number {
    const key = MagentoStore.key(sku);
    return this.orders.reduce((total, { rows }) => {
      const bundles = new Set(rows.filter(row => row.product_type === 'bundle').map(row => row.item_id));
      const own = rows.filter(
        row =>
          MagentoStore.key(row.sku) === key &&
          (row.parent_item_id === undefined ? row.product_type !== 'bundle' : bundles.has(row.parent_item_id)),
      );
      return total + own.reduce((some, row) => some + openUnits(row), 0);
    }, 0);
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

const VALIDATION = 'Shipment Document Validation Error(s):';
const NO_PRODUCTS = "You can't create a shipment without products.";

/** What is still to be shipped of a row. */
function openUnits({ qty_ordered, qty_canceled, qty_shipped }: FakeOrderRow): number {
  return qty_ordered - qty_canceled - qty_shipped;
}

/** Whether a product with this quantity can be bought (docs/facts/magento.md, "Differences and traps"). */
function isSold({ backorders, minQuantity }: FakeProduct, quantity: number): boolean {
  return quantity > minQuantity || backorders > 0;
}

/** A time as Magento formats it. */
export function magentoTime(date = new Date()): string {
  return date.toISOString().slice(0, 19).replace('T', ' ');
}
