import { SKUS_PER_WRITE } from '@stock-sync/magento-client';

/** How many SKUs one write to the store holds. */
export interface WriteSize {
  /** The most SKUs in the next write. */
  now(): number;
  /** The store answered a write of so many SKUs after so many milliseconds, or we gave up waiting then. */
  answered(skus: number, tookMs: number): void;
}

/** Where nothing is known of the store yet. */
const FIRST_SIZE = 100;
/** Smaller writes cost the store more in all. */
const MIN_SIZE = 25;
/** About how long one write may keep the store busy, in milliseconds: the shop's customers come first. */
const CALL_MS = 750;

/**
 * Follows the store's own answer times: Magento 2.4.4 takes 7 ms a SKU, and 2.4.7 takes 1.5 ms, where larger writes are
 * faster. While the store is busy, its answers take longer, and writes become smaller.
 */
export function createWriteSize(): WriteSize {
  let size = FIRST_SIZE;
  return {
    now: () => size,
    answered(skus, tookMs) {
      // What a small write takes says little of the cost of each SKU.
      if (skus < MIN_SIZE) return;
      size = Math.min(SKUS_PER_WRITE, Math.max(MIN_SIZE, Math.round((CALL_MS * skus) / Math.max(1, tookMs))));
    },
  };
}
