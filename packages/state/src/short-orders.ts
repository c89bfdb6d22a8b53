import { z } from 'zod';
import type { RedisConnection } from './connection';
import { inOneTurn } from './one-turn';
import { forgetOrder, setForOrder, valuesByOrder } from './order-units';

/** By order, what it misses. */
const missingSchema = z.record(z.string(), z.number());

/** The orders to which not enough stock could be allocated. */
export interface ShortOrders {
  /** Those that wait for stock of a part, the first first, and for how many units. */
  of(part: number): Promise<Map<number, number>>;
  /** Sets what one order misses of each of these parts. */
  set(order: number, missing: ReadonlyMap<number, number>): Promise<void>;
  /** The order waits for nothing any more; resolves with the parts that it waited for. */
  forget(order: number): Promise<number[]>;
}

export function openShortOrders(connection: RedisConnection): ShortOrders {
  const { redis, keys } = connection;
  const load = inOneTurn<number, Map<number, number>>(async parts => {
    const texts = await redis.hmget(keys.shortOrders, ...parts.map(String));
    return texts.map(text => {
      const missing = Object.entries(valuesByOrder(missingSchema, text));
      return new Map(
        missing.map(([order, units]) => [Number(order), units] as const).sort(([first], [second]) => first - second),
      );
    });
  });
  return {
    of: load,
    set: (order, missing) =>
      setForOrder(
        connection,
        keys.shortOrders,
        order,
        new Map([...missing].map(([part, quantity]) => [String(part), quantity > 0 ? quantity : null])),
      ),
    forget: async order => (await forgetOrder(connection, keys.shortOrders, order)).map(Number),
  };
}
