import type { RedisConnection } from './connection';

/** Bounds how many sales orders are created in a minute: a wrong setting must not fill InvenTree with orders. */
export interface OrderRate {
  /** Takes one of this minute's. Resolves with 0, or with the milliseconds until the next minute where none is left. */
  take(perMinute: number): Promise<number>;
}

/** ARGV: per minute. */
const TAKE = `
local count = redis.call('INCR', KEYS[1])
if count == 1 then redis.call('PEXPIRE', KEYS[1], 60000) end
if count <= tonumber(ARGV[1]) then return 0 end
return math.max(1, redis.call('PTTL', KEYS[1]))`;

/** Opens the count that all workers share. */
export function openOrderRate({ redis, keys }: RedisConnection): OrderRate {
  return { take: async perMinute => Number(await redis.eval(TAKE, 1, keys.ordersThisMinute, perMinute)) };
}
