import { z } from 'zod';
import type { RedisConnection } from './connection';
import { openStoredValue } from './stored-value';

/** A few SKUs that the store accepted a write of: the health probe of writes uses them. */
export interface CanarySkus {
  /** As the store spells them. */
  get(): Promise<string[]>;
  add(skus: readonly string[]): Promise<void>;
  /** These are no canaries any more. */
  remove(skus: readonly string[]): Promise<void>;
}

const KEPT = 3;
/** They are updated no more often than this, in milliseconds: any SKU that was written will do. */
const UPDATE_INTERVAL_MS = 30_000;

/** Opens the canary SKUs. */
export function openCanarySkus({ redis, keys }: RedisConnection): CanarySkus {
  const stored = openStoredValue(redis, keys.canarySkus, z.array(z.string()));
  const get = async () => (await stored.get()) ?? [];
  let updatedAt = 0;
  let kept = 0;
  return {
    get,
    async add(skus) {
      const now = Date.now();
      if (skus.length === 0 || (kept === KEPT && now < updatedAt + UPDATE_INTERVAL_MS)) return;
      const all = [...new Set([...skus, ...(await get())])].slice(0, KEPT);
      await stored.set(all);
      [updatedAt, kept] = [now, all.length];
    },
    async remove(skus) {
      if (skus.length === 0) return;
      await stored.set((await get()).filter(sku => !skus.includes(sku)));
      kept = 0;
    },
  };
}
