import { z } from 'zod';
import type { RedisConnection } from './connection';
import { parseStored } from './stored-value';

/** By order. */
const unitsSchema = z.record(z.string(), z.number());

/** ARGV: order, then name and number. */
const SET = `
for i = 2, #ARGV, 2 do
  local units = cjson.decode(redis.call('HGET', KEYS[1], ARGV[i]) or '{}')
  units[ARGV[1]] = tonumber(ARGV[i + 1])
  if units[ARGV[1]] == 0 then units[ARGV[1]] = nil end
  if next(units) then redis.call('HSET', KEYS[1], ARGV[i], cjson.encode(units))
  else redis.call('HDEL', KEYS[1], ARGV[i]) end
end`;

/**
 * Sets what one order has of each of these, in one step: a hash that has, for each name, the orders that have something
 * of it. Only what is not zero is in it.
 */
export async function setUnitsOfOrder(
  { redis }: RedisConnection,
  key: string,
  order: number,
  units: ReadonlyMap<string, number>,
): Promise<void> {
  if (units.size === 0) return;
  const pairs = [...units].flatMap(([name, count]) => [name, String(count)]);
  await redis.eval(SET, 1, key, String(order), ...pairs);
}

/** By order, from what the hash has for a name. */
export function unitsByOrder(text: string | null): Readonly<Record<string, number>> {
  return parseStored(unitsSchema, text) ?? {};
}
