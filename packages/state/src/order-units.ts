import type { z } from 'zod';
import type { RedisConnection } from './connection';
import { parseStored } from './stored-value';

/** ARGV: order, then name and JSON, `null` for nothing. */
const SET = `
for i = 2, #ARGV, 2 do
  local units = cjson.decode(redis.call('HGET', KEYS[1], ARGV[i]) or '{}')
  local own = cjson.decode(ARGV[i + 1])
  units[ARGV[1]] = own ~= cjson.null and own or nil
  if next(units) then redis.call('HSET', KEYS[1], ARGV[i], cjson.encode(units))
  else redis.call('HDEL', KEYS[1], ARGV[i]) end
end`;

/**
 * Sets what one order has of each of these, in one step, `null` where it has nothing: a hash that has, for each name,
 * the orders that have something of it.
 */
export async function setForOrder(
  { redis }: RedisConnection,
  key: string,
  order: number,
  values: ReadonlyMap<string, object | number | null>,
): Promise<void> {
  if (values.size === 0) return;
  const pairs = [...values].flatMap(([name, value]) => [name, JSON.stringify(value)]);
  await redis.eval(SET, 1, key, String(order), ...pairs);
}

/** ARGV: order. */
const FORGET = `
local forgotten = {}
for _, name in ipairs(redis.call('HKEYS', KEYS[1])) do
  local units = cjson.decode(redis.call('HGET', KEYS[1], name))
  if units[ARGV[1]] ~= nil then
    units[ARGV[1]] = nil
    forgotten[#forgotten + 1] = name
    if next(units) then redis.call('HSET', KEYS[1], name, cjson.encode(units))
    else redis.call('HDEL', KEYS[1], name) end
  end
end
return forgotten`;

/** Forgets all that one order has, in one step; resolves with the names. */
export async function forgetOrder({ redis }: RedisConnection, key: string, order: number): Promise<string[]> {
  return (await redis.eval(FORGET, 1, key, String(order))) as string[];
}

/** By order, from what the hash has for a name. */
export function valuesByOrder<T>(schema: z.ZodType<Record<string, T>>, text: string | null): Record<string, T> {
  return parseStored(schema, text) ?? {};
}
