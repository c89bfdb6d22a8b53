import { isSameSku, skuKey, type TargetQuantities, type WrittenDifference } from '@stock-sync/domain';
import { z } from 'zod';
import type { RedisConnection } from './connection';
import { parseStored } from './stored-value';

/** How the last sync of a part ended. `left`: the store is not written until the target or the store changes. */
export const OUTCOMES = ['updated', 'unchanged', 'skipped', 'dry run', 'failed', 'left'] as const;
export type Outcome = (typeof OUTCOMES)[number];

/** What is remembered of a part. */
export interface PartState {
  sku: string;
  outcome: Outcome;
  /** Milliseconds since 1970. */
  at: number;
  /** What the store should have shown then, whatever came of it; undefined where that was not known. */
  target: TargetQuantities | undefined;
  /** Runs in a row that the write throttle delayed. */
  throttledRuns: number;
  /** The last difference that was written for this target, or that could not be. */
  difference?: WrittenDifference | undefined;
}

/** Whether a part had this SKU at its last sync. */
export function hadSku(state: PartState | undefined, sku: string): boolean {
  return state !== undefined && isSameSku(state.sku, sku);
}

/** Whether the store was seen to show the target. */
export function isConfirmed({ outcome }: PartState): boolean {
  return outcome === 'updated' || outcome === 'unchanged';
}

/**
 * The last sync of each part, and the parts of each SKU. It is a cache: if it is lost, it saves no calls until the next
 * sweep, and it never decides a quantity.
 */
export interface Parts {
  get(ids: readonly number[]): Promise<(PartState | undefined)[]>;
  /** Remembers the last sync of a part, and that it has this SKU; a SKU that it had before is forgotten. */
  set(part: number, state: PartState, skuBefore: string | undefined): Promise<void>;
  forget(part: number, sku: string): Promise<void>;
  count(): Promise<number>;
  /** The ids of all parts that are remembered, some at a time; an id may come twice. */
  ids(): AsyncIterable<number[]>;
  /** For each SKU the parts that are known to have it. */
  withSkus(skus: readonly string[]): Promise<number[][]>;
  /** Whether InvenTree was asked within the last day which parts have a SKU. */
  areSkusChecked(skus: readonly string[]): Promise<boolean[]>;
  /** InvenTree was asked: these parts have the SKU, and no others. */
  setPartsWithSkus(found: readonly { sku: string; parts: readonly number[] }[]): Promise<void>;
  /** These parts have these SKUs; others may have them, too. */
  addSkus(found: readonly { sku: string; part: number }[]): Promise<void>;
  /** All parts with these SKUs are known. */
  markSkusChecked(skus: readonly string[]): Promise<void>;
}

/** Parts in one round trip where all are listed. */
const SCAN_COUNT = 1_000;
const DAY_SECONDS = 24 * 60 * 60;

/** The only source of most shops needs no name. */
const ONLY_SOURCE = 'default';
/** One line for each part, and a short one: a shop may have hundreds of thousands. */
const partLine = z.tuple([
  z.string(),
  z
    .number()
    .int()
    .min(0)
    .max(OUTCOMES.length - 1),
  z.number(),
  z.union([z.string(), z.record(z.string(), z.string()), z.null()]),
  z.number().optional(),
  z.tuple([z.string(), z.number()]).optional(),
]);

function lineOf({ sku, outcome, at, target, throttledRuns, difference }: PartState): string {
  const sources = Object.keys(target ?? {});
  const short = sources.length === 1 ? (target?.[ONLY_SOURCE] ?? target) : (target ?? null);
  const line = [sku, OUTCOMES.indexOf(outcome), at, short];
  if (difference) return JSON.stringify([...line, throttledRuns, [difference.shows, difference.writes]]);
  return JSON.stringify(throttledRuns > 0 ? [...line, throttledRuns] : line);
}

function stateFrom(text: string | null | undefined): PartState | undefined {
  const line = parseStored(partLine, text);
  if (!line) return undefined;
  const [sku, outcome, at, target, throttledRuns = 0, difference] = line;
  return {
    sku,
    outcome: OUTCOMES[outcome] ?? 'failed',
    at,
    target: typeof target === 'string' ? { [ONLY_SOURCE]: target } : (target ?? undefined),
    throttledRuns,
    ...(difference && { difference: { shows: difference[0], writes: difference[1] } }),
  };
}

/** Opens what is remembered of parts. */
export function openParts({ redis, keys }: RedisConnection): Parts {
  const partsKey = (sku: string) => keys.partsWithSku(skuKey(sku));
  const checkedKey = (sku: string) => keys.skuChecked(skuKey(sku));
  return {
    async get(ids) {
      if (ids.length === 0) return [];
      return (await redis.hmget(keys.parts, ...ids.map(String))).map(stateFrom);
    },

    async set(part, state, skuBefore) {
      const leftSku = skuBefore !== undefined && !isSameSku(skuBefore, state.sku) ? skuBefore : undefined;
      await Promise.all([
        redis.hset(keys.parts, String(part), lineOf(state)),
        redis.sadd(partsKey(state.sku), part),
        leftSku !== undefined && redis.srem(partsKey(leftSku), part),
        leftSku !== undefined && redis.hdel(keys.products, skuKey(leftSku)),
      ]);
    },

    async forget(part, sku) {
      await Promise.all([
        redis.hdel(keys.parts, String(part)),
        redis.srem(partsKey(sku), part),
        redis.hdel(keys.products, skuKey(sku)),
      ]);
    },

    count: () => redis.hlen(keys.parts),

    async *ids() {
      for await (const pairs of redis.hscanStream(keys.parts, { count: SCAN_COUNT })) {
        yield (pairs as string[]).filter((_, index) => index % 2 === 0).map(Number);
      }
    },

    async withSkus(skus) {
      const lists = await Promise.all(skus.map(sku => redis.smembers(partsKey(sku))));
      return lists.map(list => list.map(Number).sort((a, b) => a - b));
    },

    async areSkusChecked(skus) {
      if (skus.length === 0) return [];
      return (await redis.mget(...skus.map(checkedKey))).map(value => value !== null);
    },

    async setPartsWithSkus(found) {
      const transaction = redis.multi();
      for (const { sku, parts } of found) {
        transaction.del(partsKey(sku));
        if (parts.length > 0) transaction.sadd(partsKey(sku), ...parts);
        transaction.set(checkedKey(sku), 1, 'EX', DAY_SECONDS);
      }
      await transaction.exec();
    },

    async addSkus(found) {
      await Promise.all(found.map(({ sku, part }) => redis.sadd(partsKey(sku), part)));
    },

    async markSkusChecked(skus) {
      await Promise.all(skus.map(sku => redis.set(checkedKey(sku), 1, 'EX', DAY_SECONDS)));
    },
  };
}
