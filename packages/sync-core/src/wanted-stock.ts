import { magentoPlaces, quantityFrom, sum, textOf, wholeUnits, type Quantity } from './decimal';

/** A part's own stock at one location, decimals as text. */
export interface StockAtLocation {
  /** Id of the InvenTree location; null where the items have none. Items without a location count as any other. */
  location: number | null;
  /** In stock by InvenTree's definition, allocated or not. */
  inStock: string;
  /** Of that, allocated to sales orders and builds. */
  allocated: string;
}

/** How a quantity is made of a part's stock. */
export interface QuantityRules {
  /** Whether what is allocated to orders and builds counts as sellable. */
  stockBasis: 'in_stock' | 'unallocated';
  allowDecimals: boolean;
  /** Whole or decimal units that the store never gets to see. */
  safetyStock: Quantity;
}

/** Which InvenTree locations feed a Magento source; sub-locations are included. */
export interface SourceLocations {
  sourceCode: string;
  locations: ReadonlySet<number>;
}

/** What the store should show for one source. */
export interface WantedStock {
  sourceCode: string;
  quantity: Quantity;
}

/** The source that every Magento store has. */
export const DEFAULT_SOURCE = 'default';

/**
 * What the store should show for a part: all of its own stock at the default source, or, with a source map, each
 * source's share (stock at locations that no source names is not for sale). In this order: the exact sum, not below
 * zero, cut to whole units unless decimals are allowed, less the safety stock (taken from the sources in their order
 * until it is used up), not below zero.
 */
export function wantedStock(
  stock: readonly StockAtLocation[],
  rules: QuantityRules,
  sources: readonly SourceLocations[] | undefined,
): WantedStock[] {
  const shares = sources
    ? sources.map(({ sourceCode, locations }) => ({
        sourceCode,
        stock: stock.filter(({ location }) => location !== null && locations.has(location)),
      }))
    : [{ sourceCode: DEFAULT_SOURCE, stock }];

  let safetyLeft = rules.safetyStock;
  return shares.map(share => {
    const sellable = sellableUnits(share.stock, rules);
    const heldBack = safetyLeft < sellable ? safetyLeft : sellable;
    safetyLeft -= heldBack;
    return { sourceCode: share.sourceCode, quantity: sellable - heldBack };
  });
}

function sellableUnits(stock: readonly StockAtLocation[], rules: QuantityRules): Quantity {
  const total = sum(
    stock.map(({ inStock, allocated }) =>
      rules.stockBasis === 'unallocated' ? quantityFrom(inStock) - quantityFrom(allocated) : quantityFrom(inStock),
    ),
  );
  const notNegative = total < 0n ? 0n : total;
  return rules.allowDecimals ? magentoPlaces(notNegative) : wholeUnits(notNegative);
}

/** What the store should show, in words: "80", or "default: 50, west: 30". */
export function wantedInWords(wanted: readonly WantedStock[]): string {
  const [only] = wanted;
  if (only && wanted.length === 1) return textOf(only.quantity);
  return wanted.map(({ sourceCode, quantity }) => `${sourceCode}: ${textOf(quantity)}`).join(', ');
}
