/** Drops what Redis already knows: which part a stock item belongs to. Forgets its oldest entries. */
export interface DuplicateFilter {
  /** Whether this was passed on within the last hour. Afterwards it counts as passed on. */
  isDuplicate(stockItem: number, part: number): boolean;
  /** It could not be passed on after all. */
  forget(stockItem: number): void;
}

const MAX_ITEMS = 50_000;
const KEPT_MS = 60 * 60 * 1000;

/** Creates an empty filter. */
export function createDuplicateFilter(): DuplicateFilter {
  const passed = new Map<number, { part: number; at: number }>();
  return {
    isDuplicate(stockItem, part) {
      const before = passed.get(stockItem);
      const now = Date.now();
      if (before?.part === part && now - before.at < KEPT_MS) return true;
      passed.delete(stockItem);
      passed.set(stockItem, { part, at: now });
      const [oldest] = passed.keys();
      if (passed.size > MAX_ITEMS && oldest !== undefined) passed.delete(oldest);
      return false;
    },
    forget: stockItem => void passed.delete(stockItem),
  };
}
