import { chunk, isSameSku, skuKey, type TargetQuantities, type WrittenDifference } from '@stock-sync/domain';
import { z } from 'zod';
import { bucketOfId, bucketOfSku, openBucketedHash } from './bucketed-hash';
import type { RedisConnection } from './connection';
import { inOneTurn } from './one-turn';
import { ADD_PART, openPartsOfSkus, type PartsOfSkus } from './parts-of-skus';
import { openProducts } from './products';
import { parseStored } from './stored-value';

/** How the last sync of a part ended. `left`: the store is not written until the target or the store changes. */
export const OUTCOMES = ['updated', 'unchanged', 'skipped', 'dry run', 'failed', 'left'] as const;
export type Outcome = (typeof OUTCOMES)[number];

/** How the last sync of one SKU ended. */
export interface SkuState {
  sku: string;
  outcome: Outcome;
  /** The last difference that was written for this target, or that could not be. */
  difference?: WrittenDifference | undefined;
}

/** What is remembered of a part, and of its SKU; most parts have one. */
export interface PartState extends SkuState {
  /** Milliseconds since 1970. */
  at: number;
  /** What the store should have shown then, whatever came of it; undefined where that was not known. */
  target: TargetQuantities | undefined;
  /** What of that is its own, where the stock of other parts with its SKU is added. */
  own?: TargetQuantities | undefined;
  /** Runs in a row that the write throttle delayed. */
  throttledRuns: number;
  /** Its other SKUs, which show the same. */
  others?: readonly SkuState[] | undefined;
}

/** The SKUs that a part had at its last sync. */
export function skusIn(state: PartState | undefined): string[] {
  return state ? [state.sku, ...(state.others ?? []).map(({ sku }) => sku)] : [];
}

/** What is remembered of one SKU of a part. */
export function skuStateIn(state: PartState | undefined, sku: string): SkuState | undefined {
  if (!state) return undefined;
  return isSameSku(state.sku, sku) ? state : state.others?.find(other => isSameSku(other.sku, sku));
}

/** Each SKU of a part, and how its last sync ended. */
export function outcomesIn(state: PartState): { sku: string; outcome: Outcome }[] {
  return skusIn(state).map(sku => ({ sku, outcome: skuStateIn(state, sku)?.outcome ?? state.outcome }));
}

/** Whether a part had this SKU at its last sync. */
export function hadSku(state: PartState | undefined, sku: string): boolean {
  return skuStateIn(state, sku) !== undefined;
}

/** Whether the store was seen to show the target. */
export function isConfirmed({ outcome }: SkuState): boolean {
  return outcome === 'updated' || outcome === 'unchanged';
}

/**
 * The last sync of each part, and the parts of each SKU. It is a cache: if it is lost, it saves no calls until the next
 * sweep, and it never decides a quantity.
 */
export interface Parts extends PartsOfSkus {
  get(ids: readonly number[]): Promise<(PartState | undefined)[]>;
  /** Remembers the last sync of a part, and that it has these SKUs; those that it had before are forgotten. */
  set(part: number, state: PartState, before: PartState | undefined): Promise<void>;
  forget(part: number, state: PartState): Promise<void>;
  count(): Promise<number>;
  /** All parts that are remembered, some at a time. */
  all(): AsyncIterable<{ part: number; state: PartState }[]>;
}

/** Buckets in one round trip where all parts are listed. */
const BUCKETS_AT_ONCE = 20;

/** The only source of most shops needs no name. */
const ONLY_SOURCE = 'default';
/** One line for each part, and a short one: a shop may have hundreds of thousands. */
const outcomeIndex = z
  .number()
  .int()
  .min(0)
  .max(OUTCOMES.length - 1);
const differenceLine = z.tuple([z.string(), z.number()]);
const targetLine = z.union([z.string(), z.record(z.string(), z.string()), z.null()]);
const partLine = z.tuple([
  z.string(),
  outcomeIndex,
  z.number(),
  targetLine,
  z.number().optional(),
  differenceLine.nullish(),
  /** What few parts have. */
  z
    .object({
      own: targetLine.optional(),
      others: z.array(z.tuple([z.string(), outcomeIndex, differenceLine.optional()])).optional(),
    })
    .optional(),
]);

function lineOf({ sku, outcome, at, target, own, throttledRuns, difference, others = [] }: PartState): string {
  const line = [sku, OUTCOMES.indexOf(outcome), at, shortTarget(target)];
  if (own !== undefined || others.length > 0) {
    const rare = {
      ...(own && { own: shortTarget(own) }),
      ...(others.length > 0 && { others: others.map(otherLine) }),
    };
    return JSON.stringify([...line, throttledRuns, shortDifference(difference) ?? null, rare]);
  }
  if (difference) return JSON.stringify([...line, throttledRuns, shortDifference(difference)]);
  return JSON.stringify(throttledRuns > 0 ? [...line, throttledRuns] : line);
}

function otherLine({ sku, outcome, difference }: SkuState) {
  const line = [sku, OUTCOMES.indexOf(outcome)];
  return difference ? [...line, shortDifference(difference)] : line;
}

function shortDifference(difference: WrittenDifference | undefined): [string, number] | undefined {
  return difference && [difference.shows, difference.writes];
}

function shortTarget(target: TargetQuantities | undefined): TargetQuantities | string | null {
  const isShort = Object.keys(target ?? {}).length === 1;
  return (isShort && target?.[ONLY_SOURCE]) || (target ?? null);
}

/** Parses what is remembered of a part; undefined where it is nothing, or has another shape. */
export function stateFrom(text: string | null | undefined): PartState | undefined {
  const line = parseStored(partLine, text);
  if (!line) return undefined;
  const [sku, outcome, at, target, throttledRuns = 0, difference, rare] = line;
  return {
    sku,
    outcome: OUTCOMES[outcome] ?? 'failed',
    at,
    target: targetFrom(target),
    throttledRuns,
    ...differenceFrom(difference),
    ...(rare?.own !== undefined && { own: targetFrom(rare.own) }),
    ...(rare?.others && {
      others: rare.others.map(([other, index, written]) => ({
        sku: other,
        outcome: OUTCOMES[index] ?? 'failed',
        ...differenceFrom(written),
      })),
    }),
  };
}

function targetFrom(target: z.infer<typeof targetLine>): TargetQuantities | undefined {
  return typeof target === 'string' ? { [ONLY_SOURCE]: target } : (target ?? undefined);
}

function differenceFrom(line: [string, number] | null | undefined): { difference?: WrittenDifference } {
  return line ? { difference: { shows: line[0], writes: line[1] } } : {};
}

/**
 * In one step, so that no part is remembered whose SKU is not. KEYS: the set of all buckets, then of each part its
 * bucket and the one of its SKU. ARGV: of each part its id, its line and its SKU.
 */
const SET = `
${ADD_PART}
for i = 1, #ARGV / 3 do
  local bucket, part = KEYS[2 * i], ARGV[3 * i - 2]
  if redis.call('HSET', bucket, part, ARGV[3 * i - 1]) == 1 then
    redis.call('SADD', KEYS[1], string.match(bucket, '%d+$'))
  end
  addPart(KEYS[2 * i + 1], ARGV[3 * i], part)
end`;

/** Opens what is remembered of parts. */
export function openParts(connection: RedisConnection): Parts {
  const { redis, keys } = connection;
  const hash = openBucketedHash(connection, part => keys.parts(bucketOfId(Number(part))));
  const setOne = inOneTurn<{ part: number; state: PartState }, undefined>(async found => {
    const names: string[] = [keys.partBuckets];
    const values: string[] = [];
    for (const { part, state } of found) {
      const sku = skuKey(state.sku);
      names.push(keys.parts(bucketOfId(part)), keys.skus(bucketOfSku(sku)));
      values.push(String(part), lineOf(state), sku);
    }
    await redis.eval(SET, names.length, ...names, ...values);
    return [];
  });
  const bucketKeys = async () => (await redis.smembers(keys.partBuckets)).map(bucket => keys.parts(Number(bucket)));
  const partsOfSkus = openPartsOfSkus(connection);
  const products = openProducts(connection);
  const forgetSku = async (part: number, sku: string) => {
    await Promise.all([partsOfSkus.forgetSku(part, sku), products.forget(sku)]);
  };

  return {
    ...partsOfSkus,

    get: async ids => (await hash.get(ids.map(String))).map(stateFrom),

    async set(part, state, before) {
      const left = skusIn(before).filter(sku => !hadSku(state, sku));
      await Promise.all([
        setOne({ part, state }),
        partsOfSkus.addSkus((state.others ?? []).map(({ sku }) => ({ sku, part }))),
        ...left.map(sku => forgetSku(part, sku)),
      ]);
    },

    async forget(part, state) {
      await Promise.all([hash.delete(String(part)), ...skusIn(state).map(sku => forgetSku(part, sku))]);
    },

    forgetSku,

    async count() {
      const counts = await Promise.all((await bucketKeys()).map(key => redis.hlen(key)));
      return counts.reduce((total, count) => total + count, 0);
    },

    async *all() {
      for (const some of chunk(await bucketKeys(), BUCKETS_AT_ONCE)) {
        const buckets = await Promise.all(some.map(key => redis.hgetall(key)));
        yield buckets.flatMap(Object.entries<string>).flatMap(([part, line]) => {
          const state = stateFrom(line);
          return state ? [{ part: Number(part), state }] : [];
        });
      }
    },
  };
}
