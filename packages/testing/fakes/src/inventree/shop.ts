/** An event as InvenTree fires it. */
export interface FiredEvent {
  event: string;
  args: unknown[];
  kwargs: Record<string, unknown>;
}

export interface Part {
  pk: number;
  name: string;
  IPN: string;
  description: string;
  category: number | null;
  revision: string;
  active: boolean;
  salable: boolean;
  virtual: boolean;
  isTemplate: boolean;
  assembly: boolean;
  trackable: boolean;
  variantOf: number | null;
}

export interface StockItem {
  pk: number;
  part: number;
  quantity: number;
  location: number | null;
  status: number;
  /** A custom status, whose meaning for InvenTree is that of `status`. */
  customStatus: number | null;
  serial: string | null;
  batch: string;
  belongsTo: number | null;
  build: number | null;
  consumedBy: number | null;
  customer: number | null;
  isBuilding: boolean;
  deleteOnDeplete: boolean;
  expiryDate: string | null;
  parent: number | null;
  purchaseOrder: number | null;
  salesOrder: number | null;
  updated: string;
}

export interface Location {
  pk: number;
  name: string;
  description: string;
  parent: number | null;
  external: boolean;
}

export interface TrackingRow {
  pk: number;
  item: number | null;
  part: number;
  date: string;
  deltas: Record<string, unknown>;
  label: string;
  trackingType: number;
}

/** What one transaction did to stock items and parts, as Django's signals report it. */
export interface Signals {
  created: Set<number>;
  saved: Set<number>;
  deleted: Set<number>;
  partsSaved: Set<number>;
  partsDeleted: Set<number>;
  /** Parts whose allocated stock changed. */
  touched: Set<number>;
  /** Changes whose parts are unknown. */
  everything: boolean;
}

/** The statuses that count as in stock: OK, attention needed, damaged, returned (docs/facts/inventree.md). */
const IN_STOCK_STATUSES: ReadonlySet<number> = new Set([10, 50, 55, 85]);
export const STATUS_TEXT: Readonly<Record<number, string>> = {
  10: 'OK',
  50: 'Attention needed',
  55: 'Damaged',
  60: 'Destroyed',
  65: 'Rejected',
  70: 'Lost',
  75: 'Quarantined',
  85: 'Returned',
};

/** InvenTree stores five decimals. */
export const rounded = (quantity: number) => Math.round(quantity * 100_000) / 100_000;

/** A time as InvenTree formats it: to the minute, without a zone. */
export const shownTime = (date = new Date()) => date.toISOString().slice(0, 16).replace('T', ' ');

export interface SalesOrderLine {
  pk: number;
  part: number;
  quantity: number;
  reference: string;
  shipped: number;
}

export interface SalesOrder {
  pk: number;
  customer: number;
  reference: string;
  customerReference: string;
  status: number;
  lines: SalesOrderLine[];
  extraLines: { reference: string; quantity: number }[];
}

/** What is reserved of a stock item for a line, in a shipment or not yet. */
/** A postal address of a company, in part. */
export interface Address {
  company: number;
  title: string;
  line1: string;
  postal_code: string;
}

export interface SalesAllocation {
  pk: number;
  line: number;
  item: number;
  quantity: number;
  shipment: number | null;
  order: number;
}

export interface Shipment {
  pk: number;
  order: number;
  reference: string;
  /** The day on which it was sent. */
  sentOn: string | null;
  trackingNumber: string;
}

/** The state of the fake: parts, stock, orders, and what a transaction does to them. */
export class InvenTreeShop {
  readonly parts = new Map<number, Part>();
  readonly items = new Map<number, StockItem>();
  readonly locations = new Map<number, Location>();
  readonly tracking: TrackingRow[] = [];
  /** For each category the one above it. */
  readonly categories = new Map<number, number | null>();
  /** Custom statuses of stock, by key. */
  readonly customStatuses = new Map<number, { name: string; label: string }>();
  /** What it takes to build a part. */
  readonly billOfMaterials: { part: number; component: number; quantity: number }[] = [];
  readonly templates = new Map<number, { pk: number; name: string }>();
  readonly parameters: { pk: number; template: number; part: number; data: string }[] = [];
  readonly customers = new Map<number, { pk: number; name: string }>();
  readonly purchaseOrders = new Map<
    number,
    { pk: number; lines: { pk: number; part: number; quantity: number; received: number }[] }
  >();
  readonly salesOrders = new Map<number, SalesOrder>();
  readonly shipments = new Map<number, Shipment>();
  readonly addresses: Address[] = [];
  readonly salesAllocations: SalesAllocation[] = [];
  /** Those of sent shipments, which InvenTree goes on listing [14-allocations-after]. */
  readonly shippedAllocations: SalesAllocation[] = [];
  readonly builds = new Map<number, { pk: number; part: number; lines: { pk: number; part: number }[] }>();
  readonly buildAllocations: { pk: number; line: number; item: number; quantity: number; build: number }[] = [];
  /** Every event so far. */
  readonly events: FiredEvent[] = [];

  private readonly itemsOfPart = new Map<number, Set<number>>();
  private parametersByPart = { length: 0, rows: new Map<number, { template: number; data: string }[]>() };
  private readonly nextKeys = new Map<string, number>();
  private signals: Signals | undefined;
  private background: Promise<void> = Promise.resolve();

  /** Receives what each transaction did, on its commit. */
  onCommit: (signals: Signals) => void = () => undefined;
  onEvent: (event: FiredEvent) => void = () => undefined;

  // Keys

  nextKey(kind: string): number {
    const key = this.nextKeys.get(kind) ?? 1;
    this.nextKeys.set(kind, key + 1);
    return key;
  }

  /** Sets the next primary key of a kind, so that a recording can be replayed. */
  setNextKey(kind: string, key: number): void {
    this.nextKeys.set(kind, key);
  }

  // Transactions

  /** Runs a user action and reports what it did on its commit; reports nothing if it throws. */
  transaction<T>(work: () => T): T {
    if (this.signals) return work();
    this.signals = {
      created: new Set(),
      saved: new Set(),
      deleted: new Set(),
      partsSaved: new Set(),
      partsDeleted: new Set(),
      touched: new Set(),
      everything: false,
    };
    try {
      const result = work();
      const signals = this.signals;
      this.signals = undefined;
      this.onCommit(signals);
      return result;
    } finally {
      this.signals = undefined;
    }
  }

  /** Queues work of InvenTree's background worker, which runs after the user has the answer. */
  later(work: () => void, afterMs = 20): void {
    this.background = this.background
      .then(() => new Promise(resolve => setTimeout(resolve, afterMs)))
      .then(() => this.transaction(work));
  }

  /** Resolves when the background worker is idle. */
  idle(): Promise<void> {
    return this.background;
  }

  fire(event: string, kwargs: Record<string, unknown>, args: unknown[] = []): void {
    const fired = { event, args, kwargs };
    this.events.push(fired);
    this.onEvent(fired);
  }

  signal(report: (signals: Signals) => void): void {
    if (this.signals) report(this.signals);
  }

  // Parts

  /** Reports a change whose parts are unknown. */
  signalEverything(): void {
    this.transaction(() => this.signal(signals => (signals.everything = true)));
  }

  /** A pending sales order; without a reference, the server counts on from the highest in use. */
  insertSalesOrder(order: Partial<SalesOrder> & { customer: number }): SalesOrder {
    const numbers = [...this.salesOrders.values()].map(({ reference }) => Number(reference.replace(/\D/g, '')));
    const reference = `SO-${String(Math.max(0, ...numbers) + 1).padStart(4, '0')}`;
    const pk = this.nextKey('sales-order');
    const added = { pk, reference, customerReference: '', status: 10, lines: [], extraLines: [], ...order };
    this.salesOrders.set(pk, added);
    return added;
  }

  insertShipment(order: number, reference: string): Shipment {
    const shipment = { pk: this.nextKey('shipment'), order, reference, sentOn: null, trackingNumber: '' };
    this.shipments.set(shipment.pk, shipment);
    return shipment;
  }

  addPart(part: Partial<Part> & { name: string }): Part {
    const pk = part.pk ?? this.nextKey('part');
    if (part.pk !== undefined) this.setNextKey('part', Math.max(part.pk + 1, this.nextKeys.get('part') ?? 1));
    const added: Part = {
      IPN: '',
      description: part.name,
      category: null,
      revision: '',
      active: true,
      salable: true,
      virtual: false,
      isTemplate: false,
      assembly: false,
      trackable: false,
      variantOf: null,
      ...part,
      pk,
    };
    this.parts.set(pk, added);
    return added;
  }

  savePart(part: Part): void {
    this.signal(signals => signals.partsSaved.add(part.pk));
    this.fire('part_part.saved', { id: part.pk, model: 'Part' });
  }

  deletePart(part: Part): void {
    for (const item of this.itemsOf(part.pk)) this.deleteItem(item);
    this.parts.delete(part.pk);
    this.signal(signals => signals.partsDeleted.add(part.pk));
    this.fire('part_part.deleted', { id: part.pk, model: 'Part' });
  }

  variantsOf(part: number): number[] {
    return [...this.parts.values()].filter(p => p.variantOf === part).flatMap(p => [p.pk, ...this.variantsOf(p.pk)]);
  }

  /** The categories below one, and itself. */
  categoriesBelow(category: number): number[] {
    const below = [...this.categories].filter(([, parent]) => parent === category);
    return [category, ...below.flatMap(([pk]) => this.categoriesBelow(pk))];
  }

  /** The parameters of a part. */
  parametersOf(part: number): readonly { template: number; data: string }[] {
    if (this.parametersByPart.length !== this.parameters.length) {
      const rows = new Map<number, { template: number; data: string }[]>();
      for (const row of this.parameters) rows.set(row.part, [...(rows.get(row.part) ?? []), row]);
      this.parametersByPart = { length: this.parameters.length, rows };
    }
    return this.parametersByPart.rows.get(part) ?? [];
  }

  /** How many of a part could be built from what its components have in stock, not allocated. */
  buildable(part: number): number {
    const lines = this.billOfMaterials.filter(line => line.part === part);
    if (lines.length === 0) return 0;
    const available = (pk: number) =>
      this.itemsOf(pk)
        .filter(item => this.isInStock(item))
        .reduce((total, item) => total + item.quantity - this.allocated(item.pk), 0);
    return Math.max(0, Math.min(...lines.map(line => Math.floor(available(line.component) / line.quantity))));
  }

  // Locations

  addLocation(name: string, options: Partial<Location> = {}): Location {
    const location = {
      name,
      description: '',
      parent: null,
      external: false,
      ...options,
      pk: options.pk ?? this.nextKey('location'),
    };
    this.locations.set(location.pk, location);
    return location;
  }

  locationsBelow(location: number): number[] {
    return [...this.locations.values()]
      .filter(l => l.parent === location)
      .flatMap(l => [l.pk, ...this.locationsBelow(l.pk)]);
  }

  // Stock items

  /** Adds a row and reports nothing. */
  insertItem(item: Partial<StockItem> & { part: number; quantity: number }): StockItem {
    const pk = item.pk ?? this.nextKey('item');
    if (item.pk !== undefined) this.setNextKey('item', Math.max(item.pk + 1, this.nextKeys.get('item') ?? 1));
    const inserted: StockItem = {
      location: null,
      status: 10,
      customStatus: null,
      serial: null,
      batch: '',
      belongsTo: null,
      build: null,
      consumedBy: null,
      customer: null,
      isBuilding: false,
      deleteOnDeplete: true,
      expiryDate: null,
      parent: null,
      purchaseOrder: null,
      salesOrder: null,
      ...item,
      quantity: rounded(item.quantity),
      updated: shownTime(),
      pk,
    };
    this.items.set(pk, inserted);
    const own = this.itemsOfPart.get(inserted.part) ?? new Set();
    this.itemsOfPart.set(inserted.part, own.add(pk));
    return inserted;
  }

  createItem(item: Partial<StockItem> & { part: number; quantity: number }): StockItem {
    const created = this.insertItem(item);
    this.signal(signals => signals.created.add(created.part));
    this.fire('stock_stockitem.created', { id: created.pk, model: 'StockItem' });
    return created;
  }

  saveItem(item: StockItem): void {
    item.quantity = rounded(item.quantity);
    item.updated = shownTime();
    this.signal(signals => signals.saved.add(item.part));
    this.fire('stock_stockitem.saved', { id: item.pk, model: 'StockItem' });
  }

  /** Moves the item to another part; the signal before its save still has the old one. */
  changePart(item: StockItem, part: number): void {
    this.signal(signals => signals.saved.add(item.part));
    this.itemsOfPart.get(item.part)?.delete(item.pk);
    item.part = part;
    const own = this.itemsOfPart.get(part) ?? new Set();
    this.itemsOfPart.set(part, own.add(item.pk));
  }

  deleteItem(item: StockItem): void {
    this.items.delete(item.pk);
    this.itemsOfPart.get(item.part)?.delete(item.pk);
    for (const row of this.tracking) if (row.item === item.pk) row.item = null;
    this.signal(signals => signals.deleted.add(item.part));
    this.fire('stock_stockitem.deleted', { model: 'StockItem', id: item.pk });
  }

  itemsOf(part: number): StockItem[] {
    return [...(this.itemsOfPart.get(part) ?? [])].flatMap(pk => this.items.get(pk) ?? []);
  }

  isInStock(item: StockItem): boolean {
    return (
      item.quantity > 0 &&
      item.customer === null &&
      item.salesOrder === null &&
      item.belongsTo === null &&
      item.consumedBy === null &&
      !item.isBuilding &&
      IN_STOCK_STATUSES.has(item.status)
    );
  }

  allocated(item: number): number {
    const sales = this.salesAllocations.filter(a => a.item === item);
    const builds = this.buildAllocations.filter(a => a.item === item);
    return rounded([...sales, ...builds].reduce((total, a) => total + a.quantity, 0));
  }

  /** A part's own stock, as InvenTree defines it. */
  inStock(part: number): number {
    return rounded(
      this.itemsOf(part)
        .filter(item => this.isInStock(item))
        .reduce((total, item) => total + item.quantity, 0),
    );
  }

  track(item: StockItem, label: string, trackingType: number, deltas: Record<string, unknown> = {}): void {
    const pk = this.nextKey('tracking');
    this.tracking.push({ pk, item: item.pk, part: item.part, date: shownTime(), deltas, label, trackingType });
    this.fire('stock_stockitemtracking.created', { id: pk, model: 'StockItemTracking' });
  }

  /**
   * Sets a quantity. At zero the item is deleted, unless `delete_on_deplete` is off [actions sell-out, sell-out-kept].
   */
  setQuantity(item: StockItem, quantity: number, label: string, trackingType: number): 'deleted' | 'saved' {
    if (quantity <= 0 && item.deleteOnDeplete) {
      this.deleteItem(item);
      return 'deleted';
    }
    item.quantity = Math.max(0, quantity);
    this.saveItem(item);
    this.fire('stockitem.quantityupdated', { id: item.pk, quantity: item.quantity });
    this.track(item, label, trackingType, { quantity: item.quantity });
    return 'saved';
  }

  /** Splits an item in two, as a transfer, a shipment or a consumption of some of it does [action transfer-part]. */
  splitItem(item: StockItem, quantity: number, changes: Partial<StockItem>): StockItem {
    const { pk: _, ...rest } = item;
    const split = this.createItem({ ...rest, ...changes, quantity, parent: item.pk });
    this.track(split, 'Split from parent stock', 40, { stockitem: item.pk });
    this.setQuantity(item, rounded(item.quantity - quantity), 'Split child item', 42);
    this.fire('stockitem.split', { id: split.pk, parent: item.pk });
    return split;
  }
}
