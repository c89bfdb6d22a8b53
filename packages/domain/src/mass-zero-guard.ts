/** This many SKUs may fall to zero at once in a shop of any size. */
const ALWAYS_ALLOWED = 5;

/**
 * Whether so many SKUs would fall to zero at once that a wrong answer is more likely than empty shelves.
 * @param falling SKUs that show stock in the store and would show none
 * @param showing SKUs that show stock in the store now, counted in the store itself
 * @param maxPercent RECONCILE_MAX_ZEROED_PERCENT
 */
export function isMassZero(falling: number, showing: number, maxPercent: number): boolean {
  return falling > ALWAYS_ALLOWED && falling * 100 > showing * maxPercent;
}

/** How many SKUs must show stock for this many to be allowed to fall to zero at once. */
export function showingRequired(falling: number, maxPercent: number): number {
  if (falling <= ALWAYS_ALLOWED) return 0;
  return maxPercent === 0 ? Infinity : Math.ceil((falling * 100) / maxPercent);
}
