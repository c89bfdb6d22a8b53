import { skuKey } from '@stock-sync/sync-core';
import type { Redis } from 'ioredis';
import { z } from 'zod';

/** How a part's last sync ended. */
export type Outcome = 'updated' | 'unchanged' | 'skipped' | 'dry run' | 'failed';

/** What is remembered of a part. */
export interface KnownPart {
  sku: string;
  /** What the store was last seen to show, in words: "80"; empty where it never was. */
  confirmed: string;
  outcome: Outcome;
  /** Milliseconds since 1970. */
  at: number;
  /** How many runs in a row had to wait because events kept coming. */
  stormRuns: number;
  /** What the store should have shown when the part was last looked at, in words, whatever came of it. */
  seen: string;
}

/** Whether a part was last seen with this SKU. */
export function bears(known: KnownPart | undefined, sku: string): boolean {
  return known !== undefined && skuKey(known.sku) === skuKey(sku);
}

/** What is remembered of a SKU's product: its spelling in the store and its type, or that the store has none. */
export interface KnownProduct {
  /** null: the store has no such product. */
  product: { sku: string; typeId: string } | null;
  askedAt: number;
}

/**
 * What Redis remembers besides jobs. All of it can be lost: it saves questions and helps to find the part of a deleted
 * item, and never decides a quantity.
 */
export interface KnownParts {
  parts(ids: readonly number[]): Promise<(KnownPart | undefined)[]>;
  /** Remembers how a part ended, and that it bears this SKU; a SKU that it bore before is forgotten. */
  remember(part: number, known: KnownPart, skuBefore: string | undefined): Promise<void>;
  forget(part: number, sku: string): Promise<void>;
  /** How many parts are remembered. */
  count(): Promise<number>;
  /** The ids of all that are remembered, some at a time, some perhaps twice. */
  ids(): AsyncIterable<number[]>;
  /** Up to so many SKUs, as the store spells them, that it was last seen to show as they should be. */
  someShown(most: number): Promise<string[]>;
  /** For each SKU the parts that are known to bear it. */
  bearersOf(skus: readonly string[]): Promise<number[][]>;
  /** Whether InvenTree was asked not long ago who bears a SKU. */
  wereBearersAsked(skus: readonly string[]): Promise<boolean[]>;
  /** InvenTree was asked: these, and only these, bear the SKU. */
  rememberBearers(bearers: readonly { sku: string; parts: readonly number[] }[]): Promise<void>;
  /** These parts bear these SKUs; others may, too. */
  addBearers(bearers: readonly { sku: string; part: number }[]): Promise<void>;
  /** All bearers of these SKUs are known. */
  bearersAreKnown(skus: readonly string[]): Promise<void>;
  products(skus: readonly string[]): Promise<(KnownProduct | undefined)[]>;
  rememberProducts(products: readonly { sku: string; product: KnownProduct['product'] }[]): Promise<void>;
  forgetProduct(sku: string): Promise<void>;
  partOfStockItem(stockItem: number): Promise<number | undefined>;
  /** Remembers whose a stock item is; for each, another part that was known for it before, if any. */
  rememberStockItems(items: readonly { stockItem: number; part: number }[]): Promise<(number | undefined)[]>;
}

const KEY = {
  parts: 'stock-sync:parts',
  bearers: (sku: string) => `stock-sync:sku:${skuKey(sku)}`,
  bearersAsked: (sku: string) => `stock-sync:sku-asked:${skuKey(sku)}`,
  products: 'stock-sync:products',
  stockItem: (stockItem: number) => `stock-sync:stock-item:${stockItem}`,
};

/** Parts in one round trip where all are gone through. */
const SCANNED = 1_000;
/** Many parts are shown nowhere: so many are drawn for each that is wanted. */
const DRAWN = 10;
const DAY_SECONDS = 24 * 60 * 60;
/** How long a stock item's part is remembered: an item that nobody touched for so long is asked for in InvenTree. */
const STOCK_ITEM_SECONDS = 90 * DAY_SECONDS;

/** One line per part, compact: a shop may have hundreds of thousands. */
const partLine = z.tuple([
  z.string(),
  z.string(),
  z.enum(['updated', 'unchanged', 'skipped', 'dry run', 'failed']),
  z.number(),
  z.number(),
  // Only where it is not what was confirmed.
  z.string().optional(),
]);
const productLine = z.tuple([z.union([z.tuple([z.string(), z.string()]), z.null()]), z.number()]);

function parsed<T>(schema: z.ZodType<T>, text: string | null | undefined): T | undefined {
  if (!text) return undefined;
  try {
    return schema.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}

/** What is remembered, in this Redis. */
export function openKnownParts(redis: Redis): KnownParts {
  async function products(skus: readonly string[]): Promise<(KnownProduct | undefined)[]> {
    if (skus.length === 0) return [];
    const lines = await redis.hmget(KEY.products, ...skus.map(skuKey));
    return lines.map(line => {
      const known = parsed(productLine, line);
      return known && { product: known[0] && { sku: known[0][0], typeId: known[0][1] }, askedAt: known[1] };
    });
  }

  return {
    async parts(ids) {
      if (ids.length === 0) return [];
      const lines = await redis.hmget(KEY.parts, ...ids.map(String));
      return lines.map(line => {
        const known = parsed(partLine, line);
        if (!known) return undefined;
        const [sku, confirmed, outcome, at, stormRuns, seen = confirmed] = known;
        return { sku, confirmed, outcome, at, stormRuns, seen };
      });
    },

    async remember(part, { sku, confirmed, outcome, at, stormRuns, seen }, skuBefore) {
      const line = JSON.stringify([sku, confirmed, outcome, at, stormRuns, ...(seen === confirmed ? [] : [seen])]);
      await Promise.all([
        redis.hset(KEY.parts, String(part), line),
        redis.sadd(KEY.bearers(sku), part),
        skuBefore !== undefined && skuKey(skuBefore) !== skuKey(sku) && redis.srem(KEY.bearers(skuBefore), part),
      ]);
    },

    async forget(part, sku) {
      await Promise.all([redis.hdel(KEY.parts, String(part)), redis.srem(KEY.bearers(sku), part)]);
    },

    count: () => redis.hlen(KEY.parts),

    async *ids() {
      for await (const pairs of redis.hscanStream(KEY.parts, { count: SCANNED })) {
        yield (pairs as string[]).filter((_, index) => index % 2 === 0).map(Number);
      }
    },

    async someShown(most) {
      const pairs = await redis.hrandfield(KEY.parts, DRAWN * most, 'WITHVALUES');
      const skus = (pairs as string[]).flatMap(text => {
        const [sku, , outcome] = parsed(partLine, text) ?? [];
        return sku !== undefined && (outcome === 'updated' || outcome === 'unchanged') ? [sku] : [];
      });
      return (await products(skus)).flatMap(known => known?.product?.sku ?? []).slice(0, most);
    },

    async bearersOf(skus) {
      const lists = await Promise.all(skus.map(sku => redis.smembers(KEY.bearers(sku))));
      return lists.map(list => list.map(Number).sort((a, b) => a - b));
    },

    async wereBearersAsked(skus) {
      if (skus.length === 0) return [];
      const asked = await redis.mget(...skus.map(KEY.bearersAsked));
      return asked.map(value => value !== null);
    },

    async rememberBearers(bearers) {
      const transaction = redis.multi();
      for (const { sku, parts } of bearers) {
        transaction.del(KEY.bearers(sku));
        if (parts.length > 0) transaction.sadd(KEY.bearers(sku), ...parts);
        transaction.set(KEY.bearersAsked(sku), 1, 'EX', DAY_SECONDS);
      }
      await transaction.exec();
    },

    async addBearers(bearers) {
      await Promise.all(bearers.map(({ sku, part }) => redis.sadd(KEY.bearers(sku), part)));
    },

    async bearersAreKnown(skus) {
      await Promise.all(skus.map(sku => redis.set(KEY.bearersAsked(sku), 1, 'EX', DAY_SECONDS)));
    },

    products,

    async rememberProducts(products) {
      if (products.length === 0) return;
      const now = Date.now();
      const lines = products.flatMap(({ sku, product }) => [
        skuKey(sku),
        JSON.stringify([product && [product.sku, product.typeId], now]),
      ]);
      await redis.hset(KEY.products, ...lines);
    },

    forgetProduct: async sku => {
      await redis.hdel(KEY.products, skuKey(sku));
    },

    async partOfStockItem(stockItem) {
      const part = await redis.get(KEY.stockItem(stockItem));
      return part === null ? undefined : Number(part);
    },

    async rememberStockItems(items) {
      const before = await Promise.all(
        items.map(({ stockItem, part }) => redis.set(KEY.stockItem(stockItem), part, 'EX', STOCK_ITEM_SECONDS, 'GET')),
      );
      return items.map(({ part }, index) => {
        const earlier = before[index];
        return earlier == null || Number(earlier) === part ? undefined : Number(earlier);
      });
    },
  };
}
