/** A stock item that an order may be sent from. */
export interface PickableItem {
  /** The id of the stock item. */
  id: number;
  /** What is not allocated to others, in units of the part. */
  available: number;
  /** `2027-03-31`; undefined where it does not expire. */
  expiresOn: string | undefined;
  /** Whether it is where the store has shipped it from. */
  isAtSource: boolean;
}

/** How much is taken of which stock item. */
export interface StockPick {
  item: number;
  quantity: number;
}

/**
 * The stock items to take this much from: those at the source that shipped it, of these first what expires first, then
 * what came first. `missing`: what no item has.
 */
export function stockPicks(items: readonly PickableItem[], quantity: number): { picks: StockPick[]; missing: number } {
  const NEVER = '9999';
  const inOrder = [...items].sort(
    (first, second) =>
      Number(second.isAtSource) - Number(first.isAtSource) ||
      (first.expiresOn ?? NEVER).localeCompare(second.expiresOn ?? NEVER) ||
      first.id - second.id,
  );
  const picks: StockPick[] = [];
  let missing = quantity;
  for (const { id, available } of inOrder) {
    const taken = Math.min(available, missing);
    if (taken <= 0) continue;
    picks.push({ item: id, quantity: rounded(taken) });
    missing = rounded(missing - taken);
  }
  return { picks, missing };
}

/** InvenTree keeps five decimals. */
const rounded = (quantity: number) => Math.round(quantity * 100_000) / 100_000;
