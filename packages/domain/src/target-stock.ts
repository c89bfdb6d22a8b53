import { formatQuantity, parseQuantity, sum, toMagentoPlaces, wholeUnits, type Quantity } from './quantity';

/** A part's own stock at one location; quantities are decimals as text. */
export interface StockAtLocation {
  /** Id of the InvenTree location; null for items without one, which count like any other. */
  location: number | null;
  /** In stock by InvenTree's own definition, allocated or not. */
  inStock: string;
  /** Of that, allocated to sales orders and builds. */
  allocated: string;
}

/** How a target quantity is derived from a part's stock. */
export interface QuantityRules {
  /** Whether stock that is allocated to orders and builds is for sale. */
  stockBasis: 'in_stock' | 'unallocated';
  allowDecimals: boolean;
  /** Units that are never offered for sale. */
  safetyStock: Quantity;
}

/** The InvenTree locations that feed a Magento source, sub-locations included. */
export interface SourceLocations {
  sourceCode: string;
  locations: ReadonlySet<number>;
}

/** What the store should show at one source. */
export interface SourceQuantity {
  sourceCode: string;
  quantity: Quantity;
}

/** What the store should show for a part, at each source. */
export type TargetStock = readonly SourceQuantity[];

/** A target stock as plain data: a decimal as text for each source code. */
export type TargetQuantities = Readonly<Record<string, string>>;

/** The source that every Magento store has. */
export const DEFAULT_SOURCE = 'default';

/**
 * What the store should show for a part: its whole own stock at the default source, or, with a source map, the share of
 * each source (stock at locations that no source names is not for sale). The steps, in this order: exact sum, not below
 * zero, minus the safety stock (taken from the sources in their order until it is used up), cut to whole units unless
 * decimals are allowed, then to the places that Magento keeps.
 */
export function targetStock(
  stock: readonly StockAtLocation[],
  rules: QuantityRules,
  sources: readonly SourceLocations[] | undefined,
): TargetStock {
  const shares = sources
    ? sources.map(({ sourceCode, locations }) => ({
        sourceCode,
        stock: stock.filter(({ location }) => location !== null && locations.has(location)),
      }))
    : [{ sourceCode: DEFAULT_SOURCE, stock }];

  let safetyLeft = rules.safetyStock;
  return shares.map(share => {
    const available = availableStock(share.stock, rules);
    const withheld = safetyLeft < available ? safetyLeft : available;
    safetyLeft -= withheld;
    const left = available - withheld;
    return { sourceCode: share.sourceCode, quantity: rules.allowDecimals ? toMagentoPlaces(left) : wholeUnits(left) };
  });
}

function availableStock(stock: readonly StockAtLocation[], rules: QuantityRules): Quantity {
  const total = sum(
    stock.map(({ inStock, allocated }) =>
      rules.stockBasis === 'unallocated' ? parseQuantity(inStock) - parseQuantity(allocated) : parseQuantity(inStock),
    ),
  );
  return total < 0n ? 0n : total;
}

/** Whether the target is zero at every source. */
export function isZero(target: TargetStock): boolean {
  return target.every(({ quantity }) => quantity === 0n);
}

/** The target as plain data, to be stored and compared. */
export function targetQuantities(target: TargetStock): TargetQuantities {
  return Object.fromEntries(target.map(({ sourceCode, quantity }) => [sourceCode, formatQuantity(quantity)]));
}

/** Whether two targets name the same sources with the same quantities. */
export function sameQuantities(a: TargetQuantities | undefined, b: TargetQuantities | undefined): boolean {
  if (!a || !b) return a === b;
  const sources = Object.keys(a);
  return sources.length === Object.keys(b).length && sources.every(source => a[source] === b[source]);
}

/** A target for people: "80", or "default: 50, west: 30". */
export function formatTarget(target: TargetQuantities): string {
  const quantities = Object.entries(target);
  const [only] = quantities;
  if (only && quantities.length === 1) return only[1];
  return quantities.map(([sourceCode, quantity]) => `${sourceCode}: ${quantity}`).join(', ');
}
