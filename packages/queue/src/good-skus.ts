import type { Redis } from 'ioredis';
import { z } from 'zod';
import type { KnownParts } from './known-parts';
import { openStoredValue } from './stored-value';

/** A few SKUs that are known to be good: whether the store works can be seen by them. */
export interface GoodSkus {
  /** Those that the store took a write of last, else some that it was seen to show; as the store spells them. */
  some(): Promise<string[]>;
  /** Some SKUs were written. */
  add(skus: readonly string[]): Promise<void>;
}

const KEPT = 3;
/** So seldom they are kept anew, in milliseconds: any that were good will do. */
const APART_MS = 30_000;

/** The SKUs, in this Redis. */
export function openGoodSkus(redis: Redis, knownParts: KnownParts): GoodSkus {
  const stored = openStoredValue(redis, 'stock-sync:written-skus', z.array(z.string()));
  const written = async () => (await stored.get()) ?? [];
  let keptAt = 0;
  let kept = 0;
  return {
    async some() {
      const skus = await written();
      // None in a Redis that was emptied, before the first write after.
      return skus.length > 0 ? skus : knownParts.someShown(KEPT);
    },
    async add(skus) {
      const now = Date.now();
      if (skus.length === 0 || (kept === KEPT && now < keptAt + APART_MS)) return;
      const all = [...new Set([...skus, ...(await written())])].slice(0, KEPT);
      await stored.set(all);
      [keptAt, kept] = [now, all.length];
    },
  };
}
