import { bucketOfId } from './bucketed-hash';
import type { RedisConnection } from './connection';
import { inOneTurn } from './one-turn';

/** The part of each stock item that was seen: a deleted item cannot be looked up in InvenTree. */
export interface StockItems {
  partOf(stockItem: number): Promise<number | undefined>;
  /** Remembers the part of each item; resolves with the part that was known before, where it was another one. */
  set(items: readonly { stockItem: number; part: number }[]): Promise<(number | undefined)[]>;
}

/** How long items are remembered after the last change of one of their bucket. */
const KEPT_SECONDS = 90 * 24 * 60 * 60;

/** KEYS: the bucket of each item. ARGV: seconds that they are kept, then each item and its part. */
const SET = `
local before = {}
for i = 1, #KEYS do
  before[i] = redis.call('HGET', KEYS[i], ARGV[2 * i])
  if before[i] ~= ARGV[2 * i + 1] then redis.call('HSET', KEYS[i], ARGV[2 * i], ARGV[2 * i + 1]) end
  if KEYS[i] ~= KEYS[i + 1] then redis.call('EXPIRE', KEYS[i], ARGV[1]) end
end
return before`;

/** Opens what is remembered of stock items. */
export function openStockItems({ redis, keys }: RedisConnection): StockItems {
  const keyOf = (stockItem: number) => keys.stockItems(bucketOfId(stockItem));
  const setOne = inOneTurn<{ stockItem: number; part: number }, number | undefined>(async items => {
    const buckets = items.map(({ stockItem }) => keyOf(stockItem));
    const parts = items.flatMap(({ stockItem, part }) => [stockItem, part]);
    const before = (await redis.eval(SET, buckets.length, ...buckets, KEPT_SECONDS, ...parts)) as (string | null)[];
    return items.map(({ part }, index) => {
      const earlier = before[index];
      return earlier == null || Number(earlier) === part ? undefined : Number(earlier);
    });
  });

  return {
    async partOf(stockItem) {
      const part = await redis.hget(keyOf(stockItem), String(stockItem));
      return part === null ? undefined : Number(part);
    },
    async set(items) {
      return Promise.all(items.map(setOne));
    },
  };
}
