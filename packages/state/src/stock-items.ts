import type { RedisConnection } from './connection';

/** The part of each stock item that was seen: a deleted item cannot be looked up in InvenTree. */
export interface StockItems {
  partOf(stockItem: number): Promise<number | undefined>;
  /** Remembers the part of each item; resolves with the part that was known before, where it was another one. */
  set(items: readonly { stockItem: number; part: number }[]): Promise<(number | undefined)[]>;
}

/** How long an item without changes is remembered. */
const KEPT_SECONDS = 90 * 24 * 60 * 60;

/** Opens what is remembered of stock items. */
export function openStockItems({ redis, keys }: RedisConnection): StockItems {
  return {
    async partOf(stockItem) {
      const part = await redis.get(keys.stockItem(stockItem));
      return part === null ? undefined : Number(part);
    },
    async set(items) {
      const before = await Promise.all(
        items.map(({ stockItem, part }) => redis.set(keys.stockItem(stockItem), part, 'EX', KEPT_SECONDS, 'GET')),
      );
      return items.map(({ part }, index) => {
        const earlier = before[index];
        return earlier == null || Number(earlier) === part ? undefined : Number(earlier);
      });
    },
  };
}
