import { skuKey } from '@stock-sync/domain';
import { z } from 'zod';
import type { RedisConnection } from './connection';
import { inOneTurn } from './one-turn';
import { parseStored } from './stored-value';

/** By order, in units of the product. */
const unitsSchema = z.record(z.string(), z.number());

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

/** ARGV: order, then SKU and units. */
const SET = `
for i = 2, #ARGV, 2 do
  local units = cjson.decode(redis.call('HGET', KEYS[1], ARGV[i]) or '{}')
  units[ARGV[1]] = tonumber(ARGV[i + 1])
  if units[ARGV[1]] == 0 then units[ARGV[1]] = nil end
  if next(units) then redis.call('HSET', KEYS[1], ARGV[i], cjson.encode(units))
  else redis.call('HDEL', KEYS[1], ARGV[i]) end
end`;

/** Opens it: one small hash, for only what differs is in it. */
export function openUnbookedStock({ redis, keys }: RedisConnection): UnbookedStock {
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
    async set(order, units) {
      if (units.size === 0) return;
      const pairs = [...units].flatMap(([sku, count]) => [skuKey(sku), String(count)]);
      await redis.eval(SET, 1, keys.unbooked, String(order), ...pairs);
    },
  };
}

function totalIn(text: string | null): number {
  const units = Object.values(parseStored(unitsSchema, text) ?? {});
  // Sums of binary fractions would be off in the last place.
  return Math.round(units.reduce((total, count) => total + count, 0) * 100_000) / 100_000;
}
