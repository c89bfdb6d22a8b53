import type { WantedStock } from './wanted-stock';

/** So many parts may fall to zero at once in a shop of any size. */
const NEVER_HELD_BACK = 5;

/** Whether so many of those that show stock falling to zero at once are rather a half-broken answer than empty shelves. */
export function isBraked(zeroed: number, shown: number, mostPercent: number): boolean {
  return zeroed > NEVER_HELD_BACK && zeroed * 100 > shown * mostPercent;
}

/** How many must show stock for so many to be allowed to fall to zero at once. */
export function showingNeeded(zeroed: number, mostPercent: number): number {
  if (zeroed <= NEVER_HELD_BACK) return 0;
  return mostPercent === 0 ? Infinity : Math.ceil((zeroed * 100) / mostPercent);
}

/** Whether nothing is left for any source. */
export function isNothing(wanted: readonly WantedStock[]): boolean {
  return wanted.every(({ quantity }) => quantity === 0n);
}
