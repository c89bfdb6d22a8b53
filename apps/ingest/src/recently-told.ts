/** Remembers for a while what was told lately, so that Redis is not told again: a map that forgets its oldest. */
export interface RecentlyTold {
  /** Whether this was told lately; from now on, it was. */
  tell(stockItem: number, part: number): boolean;
  /** It could not be told after all. */
  forget(stockItem: number): void;
}

const MOST_ITEMS = 50_000;
const LATELY_MS = 60 * 60 * 1000;

/** Nothing told yet. */
export function createRecentlyTold(): RecentlyTold {
  const told = new Map<number, { part: number; at: number }>();
  return {
    tell(stockItem, part) {
      const before = told.get(stockItem);
      const now = Date.now();
      if (before?.part === part && now - before.at < LATELY_MS) return true;
      told.delete(stockItem);
      told.set(stockItem, { part, at: now });
      const [oldest] = told.keys();
      if (told.size > MOST_ITEMS && oldest !== undefined) told.delete(oldest);
      return false;
    },
    forget: stockItem => void told.delete(stockItem),
  };
}
