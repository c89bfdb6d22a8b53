/** Writes of one quantity over the same other one, before it is left alone. */
const MAX_SAME_WRITES = 3;

/** A difference that was written: what the store showed before, and how often in a row it was so. */
export interface WrittenDifference {
  /** For people, and to compare: "50", "default: 50, west: 0". */
  shows: string;
  writes: number;
}

/** How often this very difference was written already. `last` is undefined where the target was another one. */
export function sameWrites(last: WrittenDifference | undefined, shows: string): number {
  return last?.shows === shows ? last.writes : 0;
}

/**
 * Whether something in the store undoes our writes (a module of the shop, a threshold): one more write changes nothing.
 */
export function isUndone(writes: number): boolean {
  return writes >= MAX_SAME_WRITES;
}
