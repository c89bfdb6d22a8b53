import { skuKey } from '@stock-sync/domain';
import type { RedisConnection } from './connection';
import { inOneTurn } from './one-turn';
import { setUnitsOfOrder, unitsByOrder } from './order-units';

/** What is unbooked of each SKU: shipped by one of the two systems and not yet by the other. */
export interface UnbookedStock {
  /** Units of a SKU over all orders; zero for most. */
  of(sku: string): Promise<number>;
  /** All SKUs of which something is unbooked. */
  all(): Promise<Unbooked>;
  /** The number of these SKUs. */
  count(): Promise<number>;
  /** Sets what one order has of each of these SKUs, in one step. */
  set(order: number, units: ReadonlyMap<string, number>): Promise<void>;
}

/** What was unbooked at one moment. */
export interface Unbooked {
  of(sku: string): number;
}

/** Opens it: one small hash, for only what differs is in it. */
export function openUnbookedStock(connection: RedisConnection): UnbookedStock {
  const { redis, keys } = connection;
  const load = inOneTurn<string, number>(async skus =>
    (await redis.hmget(keys.unbooked, ...skus.map(skuKey))).map(totalIn),
  );
  const loadAll = inOneTurn<undefined, Unbooked>(async callers => {
    const entries = Object.entries(await redis.hgetall(keys.unbooked));
    const totals = new Map(entries.map(([sku, text]) => [sku, totalIn(text)]));
    const unbooked = { of: (sku: string) => totals.get(skuKey(sku)) ?? 0 };
    return callers.map(() => unbooked);
  });
  return {
    of: load,
    all: () => loadAll(undefined),
    count: () => redis.hlen(keys.unbooked),
    set: (order, units) =>
      setUnitsOfOrder(
        connection,
        keys.unbooked,
        order,
        new Map([...units].map(([sku, count]) => [skuKey(sku), count])),
      ),
  };
}

function totalIn(text: string | null): number {
  const units = Object.values(unitsByOrder(text));
  // Sums of binary fractions would be off in the last place.
  return Math.round(units.reduce((total, count) => total + count, 0) * 100_000) / 100_000;
}
