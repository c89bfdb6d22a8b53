import { skuKey, sumOfUnits, type UnitsBySource } from '@stock-sync/domain';
import { z } from 'zod';
import type { RedisConnection } from './connection';
import { inOneTurn } from './one-turn';
import { setForOrder, valuesByOrder } from './order-units';

/** By order, units of the product by source. */
const unitsSchema = z.record(z.string(), z.record(z.string(), z.number()));

/** What is unbooked of each SKU: shipped by one of the two systems and not yet by the other. */
export interface UnbookedStock {
  /** Units of a SKU over all orders; none for most. */
  of(sku: string): Promise<UnitsBySource>;
  /** All SKUs of which something is unbooked. */
  all(): Promise<Unbooked>;
  /** The ids of the orders that have something of it. */
  orders(): Promise<number[]>;
  /** The number of these SKUs. */
  count(): Promise<number>;
  /** Sets what one order has of each of these SKUs, in one step. */
  set(order: number, units: ReadonlyMap<string, UnitsBySource>): Promise<void>;
}

/** What was unbooked at one moment. */
export interface Unbooked {
  of(sku: string): UnitsBySource;
}

/** Opens it: one small hash, for only what differs is in it. */
export function openUnbookedStock(connection: RedisConnection): UnbookedStock {
  const { redis, keys } = connection;
  const load = inOneTurn<string, UnitsBySource>(async skus =>
    (await redis.hmget(keys.unbooked, ...skus.map(skuKey))).map(totalIn),
  );
  const loadAll = inOneTurn<undefined, Unbooked>(async callers => {
    const entries = Object.entries(await redis.hgetall(keys.unbooked));
    const totals = new Map(entries.map(([sku, text]) => [sku, totalIn(text)]));
    const unbooked = { of: (sku: string) => totals.get(skuKey(sku)) ?? {} };
    return callers.map(() => unbooked);
  });
  return {
    of: load,
    all: () => loadAll(undefined),
    async orders() {
      const texts = await redis.hvals(keys.unbooked);
      return [...new Set(texts.flatMap(text => Object.keys(valuesByOrder(unitsSchema, text)).map(Number)))];
    },
    count: () => redis.hlen(keys.unbooked),
    set: (order, units) =>
      setForOrder(
        connection,
        keys.unbooked,
        order,
        new Map([...units].map(([sku, count]) => [skuKey(sku), Object.keys(count).length > 0 ? count : null])),
      ),
  };
}

function totalIn(text: string | null): UnitsBySource {
  return sumOfUnits(Object.values(valuesByOrder(unitsSchema, text)));
}
