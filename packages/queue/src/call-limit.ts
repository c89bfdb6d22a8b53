import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Redis } from 'ioredis';

/** Lets only so many calls be under way at once, over all workers. */
export type CallLimit = <T>(call: () => Promise<T>) => Promise<T>;

const ENTER = `
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', ARGV[1])
if redis.call('ZCARD', KEYS[1]) >= tonumber(ARGV[3]) then return 0 end
redis.call('ZADD', KEYS[1], ARGV[2], ARGV[4])
return 1`;

/** A place is ours for so long, in milliseconds, unless renewed: a worker that died holds none for longer. */
const LEASE_MS = 10_000;

/** How long to wait before asking again for a place, in milliseconds. */
const ASK_AGAIN_MS = 15;

/** A limit of `places` calls at once. */
export function openCallLimit(redis: Redis, name: string, places: number): CallLimit {
  const key = `stock-sync:calls:${name}`;
  return async call => {
    const place = randomUUID();
    for (;;) {
      const now = Date.now();
      if ((await redis.eval(ENTER, 1, key, now, now + LEASE_MS, places, place)) === 1) break;
      await sleep(ASK_AGAIN_MS * (0.5 + Math.random()));
    }
    const renewal = setInterval(() => {
      redis.zadd(key, 'XX', Date.now() + LEASE_MS, place).catch(() => undefined);
    }, LEASE_MS / 3);
    try {
      return await call();
    } finally {
      clearInterval(renewal);
      await redis.zrem(key, place);
    }
  };
}
