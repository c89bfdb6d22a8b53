import { z } from 'zod';
import type { RedisConnection } from './connection';
import { inOneTurn } from './one-turn';
import { setForOrder, valuesByOrder } from './order-units';

/** By order, what it misses. */
const missingSchema = z.record(z.string(), z.number());

/** The orders to which not enough stock could be allocated. */
export interface ShortOrders {
  /** Those that wait for stock of a part, the first first. */
  of(part: number): Promise<number[]>;
  /** Sets what one order misses of each of these parts. */
  set(order: number, missing: ReadonlyMap<number, number>): Promise<void>;
}

export function openShortOrders(connection: RedisConnection): ShortOrders {
  const { redis, keys } = connection;
  const load = inOneTurn<number, number[]>(async parts => {
    const texts = await redis.hmget(keys.shortOrders, ...parts.map(String));
    return texts.map(text => Object.keys(valuesByOrder(missingSchema, text)).map(Number));
  });
  return {
    of: async part => (await load(part)).sort((first, second) => first - second),
    set: (order, missing) =>
      setForOrder(
        connection,
        keys.shortOrders,
        order,
        new Map([...missing].map(([part, quantity]) => [String(part), quantity > 0 ? quantity : null])),
      ),
  };
}
