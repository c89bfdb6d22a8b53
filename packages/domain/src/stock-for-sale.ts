import { locationRoles, type LocationRole, type LocationRules, type Locations } from './location-roles';
import { formatQuantity, ONE, parseQuantity, toMagentoPlaces, wholeUnits, type Quantity } from './quantity';
import { DEFAULT_SOURCE, type SourceQuantity, type TargetStock } from './target-stock';

/** A part's stock at one location, in one status; quantities are decimals as text. */
export interface StockAtLocation {
  /** Id of the InvenTree location; null for items without one. */
  location: number | null;
  /** In stock by InvenTree's own definition, allocated or not. */
  inStock: string;
  /** Of that, allocated to sales orders and builds. */
  allocated: string;
  /** The key of its status, a custom one where it has one; undefined where that was not read. */
  status?: number | undefined;
  /** Undefined where that was not read. */
  isExpired?: boolean | undefined;
}

/** Stock that is never offered: so many units, or a share in hundredths of a percent. */
export type SafetyStock = { units: Quantity } | { hundredthsOfPercent: bigint };

/** How the quantity for sale is derived from a part's stock. */
export interface QuantityRules extends LocationRules {
  /** Whether stock that is allocated to orders and builds is for sale. */
  stockBasis: 'in_stock' | 'unallocated';
  allowDecimals: boolean;
  /** Of the part as a whole, or of each source that is named. */
  safetyStock: SafetyStock | { bySource: Readonly<Record<string, SafetyStock>> };
  /** The part parameter with the safety stock of a part. */
  safetyStockParameter: string | undefined;
  /** The part parameter that says how many units are sold together. */
  packSizeParameter: string | undefined;
  /** Names of the only statuses that count; undefined: all that InvenTree counts. */
  countStatuses: readonly string[] | undefined;
  countExpired: boolean;
  /** Whether what can be built from components counts. */
  countBuildable: boolean;
  /** Whether the stock of its variants counts for a template. */
  templateTotal: boolean;
}

/** A status of stock items in InvenTree. */
export interface StockStatus {
  name: string;
  /** For people: "Attention needed". */
  label: string;
}

/** InvenTree's statuses, by key. */
export type StockStatuses = ReadonlyMap<number, StockStatus>;

/** What InvenTree knows beside its parts; undefined where no rule needs it. */
export interface StockSetup {
  locations: Locations | undefined;
  statuses: StockStatuses | undefined;
}

/** A part, as far as its quantity needs it. */
export interface StockedPart {
  stock: readonly StockAtLocation[];
  /** A decimal as text: what InvenTree could build now; undefined where that was not read. */
  buildable?: string | undefined;
  parameters: Readonly<Record<string, string>>;
}

/** How the quantity for sale of a part is made up. */
export interface StockForSale {
  target: TargetStock;
  /** All that InvenTree counts. */
  inStock: Quantity;
  /** What is not for sale, by reason: "damaged", "at 'Repair'". */
  leftOut: ReadonlyMap<string, Quantity>;
  allocated: Quantity;
  buildable: Quantity;
  safetyStock: Quantity;
  packSize: Quantity;
}

/** Why no quantity can be derived: a parameter of the part holds something else than expected. */
export interface WrongParameter {
  parameter: string;
  value: string;
  expected: string;
}

/** Derives quantities for sale by fixed rules. */
export interface StockCounter {
  count(part: StockedPart): StockForSale | WrongParameter;
  /** Whether the part has stock at a location that the setup does not know: one that was created since. */
  hasUnknownLocation(part: StockedPart): boolean;
}

/**
 * The rules in their order: what counts (not expired, of a status that counts, at a location that counts), less what is
 * allocated where STOCK_BASIS says so, plus what can be built, not below zero, less the safety stock, in packs, cut to
 * whole units unless decimals are allowed, and to the places that Magento keeps. docs/rules.md has an example of each.
 */
export function createStockCounter(rules: QuantityRules, setup: StockSetup): StockCounter {
  const roles = setup.locations && locationRoles(rules, setup.locations);
  const sourceCodes = rules.sourceMap ? Object.keys(rules.sourceMap) : [DEFAULT_SOURCE];
  const [firstSource = DEFAULT_SOURCE] = sourceCodes;
  const counting = rules.countStatuses && new Set(statusKeys(rules.countStatuses, setup.statuses));

  /** The source that an item belongs to, or why it is left out. */
  function placeOf(item: StockAtLocation): { sourceCode: string } | { reason: string } {
    if (item.isExpired && !rules.countExpired) return { reason: 'expired' };
    if (counting && item.status !== undefined && !counting.has(item.status)) {
      return { reason: setup.statuses?.get(item.status)?.label.toLowerCase() ?? `of status ${item.status}` };
    }
    if (item.location === null) {
      return rules.sourceMap ? { reason: 'without a location' } : { sourceCode: firstSource };
    }
    const role: LocationRole = roles?.get(item.location) ?? defaultRole;
    if ('sourceCode' in role) return role;
    const name = setup.locations?.get(item.location)?.name ?? `location ${item.location}`;
    return { reason: role.exclusion === 'external' ? `at the external '${name}'` : `at '${name}'` };
  }
  const defaultRole: LocationRole = rules.sourceMap ? { exclusion: 'no source' } : { sourceCode: firstSource };

  return {
    count(part) {
      const packSize = parameterIn(part, rules.packSizeParameter, 'a number above 0, such as 10', packSizeFrom);
      if (packSize && 'parameter' in packSize) return packSize;
      const ownSafety = parameterIn(part, rules.safetyStockParameter, 'units such as 5, or a share such as 5%', text =>
        safetyStockFrom(text),
      );
      if (ownSafety && 'parameter' in ownSafety) return ownSafety;

      const shares = new Map<string, Quantity>(sourceCodes.map(code => [code, 0n]));
      const leftOut = new Map<string, Quantity>();
      let [inStock, allocated] = [0n, 0n];
      for (const item of part.stock) {
        const quantity = parseQuantity(item.inStock);
        inStock += quantity;
        const place = placeOf(item);
        if ('reason' in place) {
          leftOut.set(place.reason, (leftOut.get(place.reason) ?? 0n) + quantity);
          continue;
        }
        const taken = rules.stockBasis === 'unallocated' ? parseQuantity(item.allocated) : 0n;
        allocated += taken;
        shares.set(place.sourceCode, (shares.get(place.sourceCode) ?? 0n) + quantity - taken);
      }
      // Where it will be built is not known, so it is offered at the first source.
      const buildable = rules.countBuildable ? atLeastZero(wholeUnits(parseQuantity(part.buildable ?? '0'))) : 0n;
      shares.set(firstSource, atLeastZero(shares.get(firstSource) ?? 0n) + buildable);

      const available = [...shares].map(([sourceCode, quantity]) => ({ sourceCode, quantity: atLeastZero(quantity) }));
      const kept = withoutSafetyStock(available, ownSafety ?? rules.safetyStock);
      const pack = packSize?.units ?? ONE;
      const target = kept.map(({ sourceCode, quantity }) => {
        const packs = pack === ONE ? quantity : (quantity * ONE) / pack;
        return { sourceCode, quantity: rules.allowDecimals ? toMagentoPlaces(packs) : wholeUnits(packs) };
      });
      const safetyStock = total(available) - total(kept);
      return { target, inStock, leftOut, allocated, buildable, safetyStock, packSize: pack };
    },

    hasUnknownLocation: ({ stock }) =>
      roles !== undefined && stock.some(({ location }) => location !== null && !roles.has(location)),
  };
}

/** "80 in stock, 5 damaged, 10 at 'Repair', 12 allocated, 3 safety stock: 50 for sale" */
export function explainStock({ target, packSize, ...stock }: StockForSale): string {
  const steps: [Quantity, string][] = [
    [stock.buildable, 'more can be built'],
    ...[...stock.leftOut].map(([reason, quantity]): [Quantity, string] => [quantity, reason]),
    [stock.allocated, 'allocated'],
    [stock.safetyStock, 'safety stock'],
  ];
  const parts = [`${formatQuantity(stock.inStock)} in stock`];
  for (const [quantity, label] of steps) if (quantity !== 0n) parts.push(`${formatQuantity(quantity)} ${label}`);
  if (packSize !== ONE) parts.push(`in packs of ${formatQuantity(packSize)}`);
  const sources = target.map(({ sourceCode, quantity }) =>
    target.length === 1
      ? `${formatQuantity(quantity)} for sale`
      : `${formatQuantity(quantity)} for sale at ${sourceCode}`,
  );
  return `${parts.join(', ')}: ${sources.join(', ')}`;
}

/** The keys of statuses by their names or labels, in any case. */
export function statusKeys(names: readonly string[], statuses: StockStatuses | undefined): number[] {
  const wanted = new Set(names.map(name => name.toLowerCase()));
  return [...(statuses ?? [])]
    .filter(([, { name, label }]) => wanted.has(name.toLowerCase()) || wanted.has(label.toLowerCase()))
    .map(([key]) => key);
}

/** A safety stock as it is set: "5", "0.5", "5%"; undefined where it is something else. */
export function safetyStockFrom(text: string): SafetyStock | undefined {
  const percent = /^(\d{1,3})(?:\.(\d{1,2}))?\s*%$/.exec(text.trim());
  if (percent) {
    const hundredthsOfPercent = BigInt(percent[1] ?? '0') * 100n + BigInt((percent[2] ?? '').padEnd(2, '0') || '0');
    return hundredthsOfPercent <= 10_000n ? { hundredthsOfPercent } : undefined;
  }
  return /^\d+(\.\d+)?$/.test(text.trim()) ? { units: parseQuantity(text) } : undefined;
}

function packSizeFrom(text: string): { units: Quantity } | undefined {
  if (!/^\d+(\.\d+)?$/.test(text)) return undefined;
  const units = parseQuantity(text);
  return units > 0n ? { units } : undefined;
}

/** The value of a parameter; undefined where no rule names it, or the part has none. */
function parameterIn<T extends object>(
  part: StockedPart,
  parameter: string | undefined,
  expected: string,
  parse: (text: string) => T | undefined,
): T | WrongParameter | undefined {
  const value = parameter === undefined ? '' : (part.parameters[parameter] ?? '').trim();
  if (parameter === undefined || value === '') return undefined;
  return parse(value) ?? { parameter, value, expected };
}

/** Units of the part as a whole are taken from one source after another, until none is left. */
function withoutSafetyStock(
  available: readonly SourceQuantity[],
  safety: QuantityRules['safetyStock'],
): SourceQuantity[] {
  let unitsLeft = 'units' in safety ? safety.units : 0n;
  return available.map(({ sourceCode, quantity }) => {
    const own = 'bySource' in safety ? (safety.bySource[sourceCode] ?? NO_SAFETY_STOCK) : safety;
    const wanted = 'hundredthsOfPercent' in own ? share(quantity, own) : 'units' in safety ? unitsLeft : own.units;
    const withheld = wanted < quantity ? wanted : quantity;
    unitsLeft -= withheld;
    return { sourceCode, quantity: quantity - withheld };
  });
}

export const NO_SAFETY_STOCK: SafetyStock = { units: 0n };

/** Rounded up: rather too much is held back than too little. */
function share(quantity: Quantity, { hundredthsOfPercent }: { hundredthsOfPercent: bigint }): Quantity {
  return (quantity * hundredthsOfPercent + 9_999n) / 10_000n;
}

function total(quantities: readonly SourceQuantity[]): Quantity {
  return quantities.reduce((sum, { quantity }) => sum + quantity, 0n);
}

function atLeastZero(quantity: Quantity): Quantity {
  return quantity < 0n ? 0n : quantity;
}
