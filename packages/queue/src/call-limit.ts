import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Redis } from 'ioredis';

/** Lets only so many calls be under way at once. */
export type CallLimit = <T>(call: () => Promise<T>) => Promise<T>;

/** Places for calls, counted over all workers. */
export interface CallPlaces {
  /** Makes a call when a place is free. */
  within: CallLimit;
  /** Takes a place if one is free now; returns how to give it back. */
  tryEnter(): Promise<(() => Promise<void>) | undefined>;
}

const ENTER = `
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', ARGV[1])
if redis.call('ZCARD', KEYS[1]) >= tonumber(ARGV[3]) then return 0 end
redis.call('ZADD', KEYS[1], ARGV[2], ARGV[4])
return 1`;

/** A place is ours for so long, in milliseconds, unless renewed: a worker that died holds none for longer. */
const LEASE_MS = 10_000;

/** How long to wait before asking again for a place, in milliseconds. */
const ASK_AGAIN_MS = 15;

/** So many places for the calls to one system. */
export function openCallPlaces(redis: Redis, system: string, places: number): CallPlaces {
  const key = `stock-sync:calls:${system}`;

  async function tryEnter(): Promise<(() => Promise<void>) | undefined> {
    const place = randomUUID();
    const now = Date.now();
    if ((await redis.eval(ENTER, 1, key, now, now + LEASE_MS, places, place)) !== 1) return undefined;
    const renewal = setInterval(() => {
      redis.zadd(key, 'XX', Date.now() + LEASE_MS, place).catch(() => undefined);
    }, LEASE_MS / 3);
    return async () => {
      clearInterval(renewal);
      await redis.zrem(key, place);
    };
  }

  return {
    tryEnter,
    async within(call) {
      let leave = await tryEnter();
      while (!leave) {
        await sleep(ASK_AGAIN_MS * (0.5 + Math.random()));
        leave = await tryEnter();
      }
      try {
        return await call();
      } finally {
        await leave();
      }
    },
  };
}

/** One place: for the one reconcile that is under way, by a worker or a command. */
export function openReconcileTurn(redis: Redis): CallPlaces {
  return openCallPlaces(redis, 'reconcile', 1);
}
