import { roundedNumber } from './quantity';

/** A stock item that an order may be sent from. */
export interface PickableItem {
  /** The id of the stock item. */
  id: number;
  /** What is not allocated to others, in units of the part. */
  available: number;
  /** `2027-03-31`; undefined where it does not expire. */
  expiresOn: string | undefined;
  /** The sources of the store at which it counts. */
  sources: readonly string[];
}

/** How much is taken of which stock item. */
export interface StockPick {
  item: number;
  quantity: number;
}

/**
 * The stock items to take this much from: those at this source first, of these first what expires first, then what came
 * first. `missing`: what no item has.
 */
export function stockPicks(
  items: readonly PickableItem[],
  quantity: number,
  source: string | undefined,
): { picks: StockPick[]; missing: number } {
  const NEVER = '9999';
  const isAt = ({ sources }: PickableItem) => Number(source !== undefined && sources.includes(source));
  const inOrder = [...items].sort(
    (first, second) =>
      isAt(second) - isAt(first) ||
      (first.expiresOn ?? NEVER).localeCompare(second.expiresOn ?? NEVER) ||
      first.id - second.id,
  );
  const picks: StockPick[] = [];
  let missing = quantity;
  for (const { id, available } of inOrder) {
    const taken = roundedNumber(Math.min(available, missing));
    if (taken <= 0) continue;
    picks.push({ item: id, quantity: taken });
    missing = roundedNumber(missing - taken);
  }
  return { picks, missing };
}

/** What a line of an order needs, in units of the part. */
export interface NeededStock {
  line: number;
  part: number;
  quantity: number;
}

/** Picks for lines, with the source of each, and what no item has for them. */
export interface AllocationPlan {
  picks: (StockPick & { line: number; source: string | undefined })[];
  missing: { part: number; quantity: number }[];
}

/**
 * The stock items for all lines of an order. From one source if one has all of it, for the store ships a parcel from
 * one source; the first that has. Otherwise each line takes what there is, wherever it is.
 * @param stock by part, what may be taken
 */
export function allocationPlan(
  needed: readonly NeededStock[],
  stock: ReadonlyMap<number, readonly PickableItem[]>,
  sources: readonly string[],
): AllocationPlan {
  const atOne = sources
    .map(source => planFrom(needed, stock, { source, isOnly: true }))
    .find(({ missing }) => missing.length === 0);
  return atOne ?? planFrom(needed, stock, { source: sources[0], isOnly: false });
}

/**
 * What is left of the stock when other orders have taken what they wait for, at the first source first, then elsewhere.
 * @param stock by part, what may be taken
 * @param others by part, the units that others wait for
 */
export function stockLeftBy(
  others: ReadonlyMap<number, number>,
  stock: ReadonlyMap<number, readonly PickableItem[]>,
  sources: readonly string[],
): Map<number, PickableItem[]> {
  return new Map(
    [...stock].map(([part, items]) => {
      const { picks } = stockPicks(items, others.get(part) ?? 0, sources[0]);
      return [part, itemsWithout(new Map(picks.map(({ item, quantity }) => [item, quantity])), items)];
    }),
  );
}

/** What is left of stock items. `taken`: by their ids. */
function itemsWithout(taken: ReadonlyMap<number, number>, items: readonly PickableItem[]): PickableItem[] {
  return items.map(item => ({ ...item, available: roundedNumber(item.available - (taken.get(item.id) ?? 0)) }));
}

function planFrom(
  needed: readonly NeededStock[],
  stock: ReadonlyMap<number, readonly PickableItem[]>,
  { source, isOnly }: { source: string | undefined; isOnly: boolean },
): AllocationPlan {
  // Two lines may be of one part.
  const taken = new Map<number, number>();
  const plan: AllocationPlan = { picks: [], missing: [] };
  for (const { line, part, quantity } of needed) {
    const usable = (stock.get(part) ?? []).filter(
      ({ sources }) => !isOnly || (source !== undefined && sources.includes(source)),
    );
    const items = itemsWithout(taken, usable);
    const { picks, missing } = stockPicks(items, quantity, source);
    for (const pick of picks) {
      taken.set(pick.item, (taken.get(pick.item) ?? 0) + pick.quantity);
      const sources = items.find(({ id }) => id === pick.item)?.sources ?? [];
      plan.picks.push({ line, ...pick, source: sources.find(one => one === source) ?? sources[0] });
    }
    if (missing > 0) plan.missing.push({ part, quantity: missing });
  }
  return plan;
}
