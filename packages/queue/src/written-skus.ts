import type { Redis } from 'ioredis';
import { z } from 'zod';
import { openStoredValue } from './stored-value';

/** The last few SKUs, as the store spells them, that the store took a write of: known to be good. */
export interface WrittenSkus {
  latest(): Promise<string[]>;
  /** Some SKUs were written. */
  add(skus: readonly string[]): Promise<void>;
}

const KEPT = 3;
/** So seldom they are kept anew, in milliseconds: any that were good will do. */
const APART_MS = 30_000;

/** The SKUs, in this Redis. */
export function openWrittenSkus(redis: Redis): WrittenSkus {
  const stored = openStoredValue(redis, 'stock-sync:written-skus', z.array(z.string()));
  let keptAt = 0;
  let kept = 0;
  return {
    latest: async () => (await stored.get()) ?? [],
    async add(skus) {
      const now = Date.now();
      if (skus.length === 0 || (kept === KEPT && now < keptAt + APART_MS)) return;
      const all = [...new Set([...skus, ...((await stored.get()) ?? [])])].slice(0, KEPT);
      await stored.set(all);
      [keptAt, kept] = [now, all.length];
    },
  };
}
