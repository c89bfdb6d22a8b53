/** A row of an order in the store, with quantities in units of the product. */
export interface OrderItem {
  id: number;
  /** The row that this one belongs to: the child of a bundle or of a configurable product has one. */
  parent: number | undefined;
  productType: string;
  sku: string;
  ordered: number;
  canceled: number;
  shipped: number;
  refunded: number;
  /** The price of one unit. */
  price: number | undefined;
}

/** An order in the store, as far as a sales order needs it. */
export interface ShopOrder {
  id: number;
  /** The number that customers see. It need not be a number: `EU-000123-1`. */
  incrementId: string;
  state: string;
  currency: string | undefined;
  /** When it was placed, and when it was last changed, in UTC: `2026-11-25 14:42:17`. */
  createdAt: string;
  updatedAt: string;
  items: OrderItem[];
}

/** What somebody has to send or to do for an order: a row whose product is a thing of its own. */
export interface OrderLine {
  /** The id of its row in the store. */
  item: number;
  sku: string;
  /** What was shipped and what is still to be shipped, without what was cancelled or refunded before. */
  quantity: number;
  /** What the store has shipped, and what it still has to ship, for which it reserves stock. */
  shipped: number;
  toShip: number;
  price: number | undefined;
  /** Whether there is something to send, which a part in InvenTree can stand for. */
  isShipped: boolean;
}

/** Product types that nobody ships. */
const NOT_SHIPPED: ReadonlySet<string> = new Set(['virtual', 'downloadable']);

/**
 * The lines of an order. Of a configurable product the parent row counts: it has the SKU of its child, and it is what
 * Magento ships by. Of a bundle the children count (docs/facts/magento.md, "The life of an order").
 */
export function orderLines({ items }: ShopOrder): OrderLine[] {
  const types = new Map(items.map(({ id, productType }) => [id, productType]));
  return items
    .filter(({ parent, productType }) => {
      if (parent === undefined) return productType !== 'bundle';
      return types.get(parent) === 'bundle';
    })
    .map(({ id, sku, shipped, price, productType, ...item }) => {
      const toShip = unitsToShip({ shipped, ...item });
      return {
        item: id,
        sku,
        quantity: shipped + toShip,
        shipped,
        toShip,
        price,
        isShipped: !NOT_SHIPPED.has(productType),
      };
    });
}

/**
 * What a row still has to ship. Whether a refund was of shipped units is not said, so each counts: of a row that is
 * shipped in part and refunded in part, this is too little rather than too much.
 */
function unitsToShip({
  ordered,
  canceled,
  shipped,
  refunded,
}: Omit<OrderItem, 'id' | 'sku' | 'productType' | 'price' | 'parent'>): number {
  return Math.max(0, ordered - canceled - shipped - refunded);
}

/** InvenTree's status codes of a sales order (docs/facts/inventree.md, "Sales orders"). */
export const SALES_ORDER_STATUS = { pending: 10, inProgress: 15, onHold: 25, cancelled: 40 } as const;

/** Whether something is still to be done about a sales order with this status. */
export function isOpenSalesOrder(status: number): boolean {
  const { pending, inProgress, onHold } = SALES_ORDER_STATUS;
  return status === pending || status === inProgress || status === onHold;
}

/** A line of a sales order in InvenTree, with quantities in units of the part. */
export interface SalesOrderLine {
  id: number;
  /** What we put there: the id of the row in the store. */
  reference: string;
  quantity: number;
  shipped: number;
}

/** A line that the sales order should have, with its quantity in units of the part. */
export interface WantedLine {
  item: number;
  sku: string;
  part: number;
  quantity: number;
  /** Units of the part in one unit of the product. */
  packSize: number;
  price: number | undefined;
}

/** One call that brings a sales order nearer to its order in the store. */
export type SalesOrderStep =
  | { do: 'add line'; line: WantedLine }
  | { do: 'change line'; id: number; sku: string; from: number; to: number }
  /** A second line for one row: a call without an answer was carried out after all. */
  | { do: 'remove line'; id: number; sku: string }
  | { do: 'issue' | 'hold' | 'cancel' };

/** What cannot be done, because InvenTree has shipped already what the store cancelled. */
export interface ShippedAlready {
  sku: string;
  shipped: number;
  wanted: number;
}

/**
 * The steps from what the sales order is to what it should be, in their order; none where it is right. So each run
 * compares and does what is missing, and a run that was cut short is completed by the next one. What InvenTree has
 * shipped is never undone.
 */
export function salesOrderSteps(
  state: string,
  wanted: readonly WantedLine[],
  actual: { status: number; lines: readonly SalesOrderLine[] },
): { steps: SalesOrderStep[]; shippedAlready: ShippedAlready[] } {
  const { inProgress, onHold } = SALES_ORDER_STATUS;
  const isOpen = isOpenSalesOrder(actual.status);
  const isCanceled = state === 'canceled';
  const steps: SalesOrderStep[] = [];
  const shippedAlready: ShippedAlready[] = [];

  for (const line of wanted) {
    const [found, ...repeated] = linesOf(line, actual.lines);
    const quantity = isCanceled ? 0 : line.quantity;
    if (found && found.shipped > quantity) {
      shippedAlready.push({ sku: line.sku, shipped: found.shipped, wanted: quantity });
    }
    if (!isOpen || isCanceled) continue;
    if (!found && quantity > 0) steps.push({ do: 'add line', line });
    for (const { id, shipped } of repeated) if (shipped === 0) steps.push({ do: 'remove line', id, sku: line.sku });
    const to = found ? Math.max(quantity, found.shipped) : 0;
    if (found && found.quantity !== to) {
      steps.push({ do: 'change line', id: found.id, sku: line.sku, from: found.quantity, to });
    }
  }
  if (!isOpen) return { steps, shippedAlready };
  if (isCanceled) return { steps: shippedAlready.length > 0 ? [] : [{ do: 'cancel' }], shippedAlready };
  if (state === 'holded' && actual.status !== onHold) steps.push({ do: 'hold' });
  if (state !== 'holded' && actual.status !== inProgress) steps.push({ do: 'issue' });
  return { steps, shippedAlready };
}

/** The lines for a row, those first of which something was shipped. */
function linesOf({ item }: WantedLine, lines: readonly SalesOrderLine[]): SalesOrderLine[] {
  const found = lines.filter(({ reference }) => reference === String(item));
  return found.sort((first, second) => second.shipped - first.shipped || first.id - second.id);
}

/** A pattern of sales order references with one number, like `SO-{ref:04d}`. */
export interface ReferencePattern {
  /** The number in a reference; undefined where it does not match the pattern. */
  numberIn(reference: string): number | undefined;
  /** The reference with this number. */
  reference(number: number): string;
}

/** Reads InvenTree's SALESORDER_REFERENCE_PATTERN; undefined where it has more than fixed text and one number. */
export function parseReferencePattern(pattern: string): ReferencePattern | undefined {
  const match = /^([^{}]*)\{ref(?::0?(\d*)d?)?\}([^{}]*)$/.exec(pattern);
  if (!match) return undefined;
  const [, before = '', width = '', after = ''] = match;
  return {
    numberIn(reference) {
      if (!reference.startsWith(before) || !reference.endsWith(after)) return undefined;
      const digits = reference.slice(before.length, reference.length - after.length);
      return /^\d+$/.test(digits) ? Number(digits) : undefined;
    },
    reference: number => `${before}${String(number).padStart(Number(width || 1), '0')}${after}`,
  };
}
