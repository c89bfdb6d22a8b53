import type { RedisConnection } from './connection';
import { inOneTurn } from './one-turn';

/** The part of each stock item that was seen: a deleted item cannot be looked up in InvenTree. */
export interface StockItems {
  partOf(stockItem: number): Promise<number | undefined>;
  /** Remembers the part of each item; resolves with the part that was known before, where it was another one. */
  set(items: readonly { stockItem: number; part: number }[]): Promise<(number | undefined)[]>;
}

/** How long an item without changes is remembered. */
const KEPT_SECONDS = 90 * 24 * 60 * 60;

/** KEYS: the items. ARGV: seconds that they are kept, then the part of each. */
const SET = `
local before = {}
for i = 1, #KEYS do before[i] = redis.call('SET', KEYS[i], ARGV[i + 1], 'EX', ARGV[1], 'GET') end
return before`;

/** Opens what is remembered of stock items. */
export function openStockItems({ redis, keys }: RedisConnection): StockItems {
  const setOne = inOneTurn<{ stockItem: number; part: number }, number | undefined>(async items => {
    const all = items.map(({ stockItem }) => keys.stockItem(stockItem));
    const parts = items.map(({ part }) => part);
    const before = (await redis.eval(SET, all.length, ...all, KEPT_SECONDS, ...parts)) as (string | null)[];
    return items.map(({ part }, index) => {
      const earlier = before[index];
      return earlier == null || Number(earlier) === part ? undefined : Number(earlier);
    });
  });

  return {
    async partOf(stockItem) {
      const part = await redis.get(keys.stockItem(stockItem));
      return part === null ? undefined : Number(part);
    },
    async set(items) {
      return Promise.all(items.map(setOne));
    },
  };
}
