import { isSameSku, skuKey, type TargetQuantities, type WrittenDifference } from '@stock-sync/domain';
import { z } from 'zod';
import type { RedisConnection } from './connection';
import { inOneTurn } from './one-turn';
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
export interface Parts {
  get(ids: readonly number[]): Promise<(PartState | undefined)[]>;
  /** Remembers the last sync of a part, and that it has these SKUs; those that it had before are forgotten. */
  set(part: number, state: PartState, before: PartState | undefined): Promise<void>;
  forget(part: number, state: PartState): Promise<void>;
  /** Forgets one of several SKUs of a part. */
  forgetSku(part: number, sku: string): Promise<void>;
  count(): Promise<number>;
  /** The ids of all parts that are remembered, some at a time; an id may come twice. */
  ids(): AsyncIterable<number[]>;
  /** All parts that are remembered, some at a time; a part may come twice. */
  all(): AsyncIterable<{ part: number; state: PartState }[]>;
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

function stateFrom(text: string | null | undefined): PartState | undefined {
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

/** KEYS: for each SKU the key of its parts. */
const MEMBERS = `
local lists = {}
for i = 1, #KEYS do lists[i] = redis.call('SMEMBERS', KEYS[i]) end
return lists`;

/** KEYS: for each SKU the key of its parts. ARGV: the part that is added to each. */
const ADD = `
for i = 1, #KEYS do redis.call('SADD', KEYS[i], ARGV[i]) end`;

/** Opens what is remembered of parts. */
export function openParts({ redis, keys }: RedisConnection): Parts {
  const partsKey = (sku: string) => keys.partsWithSku(skuKey(sku));
  const checkedKey = (sku: string) => keys.skuChecked(skuKey(sku));
  const forgetSku = async (part: number, sku: string) => {
    await Promise.all([redis.srem(partsKey(sku), part), redis.hdel(keys.products, skuKey(sku))]);
  };
  const getSome = inOneTurn<readonly number[], (PartState | undefined)[]>(async lists => {
    const states = (await redis.hmget(keys.parts, ...lists.flat().map(String))).map(stateFrom);
    let end = 0;
    return lists.map(ids => states.slice(end, (end += ids.length)));
  });
  const setLine = inOneTurn<{ part: number; line: string }, undefined>(async lines => {
    await redis.hset(keys.parts, new Map(lines.map(({ part, line }) => [String(part), line])));
    return [];
  });
  const partsOf = inOneTurn<string, number[]>(async skus => {
    const lists = (await redis.eval(MEMBERS, skus.length, ...skus.map(partsKey))) as string[][];
    return lists.map(list => list.map(Number).sort((a, b) => a - b));
  });
  const addSku = inOneTurn<{ sku: string; part: number }, undefined>(async found => {
    const parts = found.map(({ part }) => part);
    await redis.eval(ADD, found.length, ...found.map(({ sku }) => partsKey(sku)), ...parts);
    return [];
  });

  return {
    get: async ids => (ids.length === 0 ? [] : getSome(ids)),

    async set(part, state, before) {
      const skus = skusIn(state);
      const left = skusIn(before).filter(sku => !hadSku(state, sku));
      await Promise.all([
        setLine({ part, line: lineOf(state) }),
        ...skus.map(sku => addSku({ sku, part })),
        ...left.map(sku => forgetSku(part, sku)),
      ]);
    },

    async forget(part, state) {
      await Promise.all([redis.hdel(keys.parts, String(part)), ...skusIn(state).map(sku => forgetSku(part, sku))]);
    },

    forgetSku,

    count: () => redis.hlen(keys.parts),

    async *ids() {
      for await (const pairs of redis.hscanStream(keys.parts, { count: SCAN_COUNT })) {
        yield (pairs as string[]).filter((_, index) => index % 2 === 0).map(Number);
      }
    },

    async *all() {
      for await (const pairs of redis.hscanStream(keys.parts, { count: SCAN_COUNT })) {
        const fields = pairs as string[];
        yield fields.flatMap((field, index) => {
          const state = index % 2 === 0 ? stateFrom(fields[index + 1]) : undefined;
          return state ? [{ part: Number(field), state }] : [];
        });
      }
    },

    async withSkus(skus) {
      return Promise.all(skus.map(partsOf));
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
      await Promise.all(found.map(addSku));
    },

    async markSkusChecked(skus) {
      await Promise.all(skus.map(sku => redis.set(checkedKey(sku), 1, 'EX', DAY_SECONDS)));
    },
  };
}
