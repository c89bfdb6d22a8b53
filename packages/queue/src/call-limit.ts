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

/** By Redis's clock: a worker whose own is ahead would take the others' places, or leave its own taken for long when it dies. */
const NOW = `
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)`;

const ENTER = `${NOW}
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now)
if redis.call('ZCARD', KEYS[1]) >= tonumber(ARGV[3]) then return 0 end
redis.call('ZADD', KEYS[1], now + ARGV[2], ARGV[1])
return 1`;

const RENEW = `${NOW}
redis.call('ZADD', KEYS[1], 'XX', now + ARGV[2], ARGV[1])`;

/** A place is ours for so long, in milliseconds, unless renewed: a worker that died holds none for longer. */
const LEASE_MS = 10_000;

/** How long to wait before asking again for a place, in milliseconds. */
const ASK_AGAIN_MS = 15;

/** So many places for the calls to one system. */
export function openCallPlaces(redis: Redis, system: string, places: number): CallPlaces {
  const key = `stock-sync:calls:${system}`;

  async function tryEnter(): Promise<(() => Promise<void>) | undefined> {
    const place = randomUUID();
    if ((await redis.eval(ENTER, 1, key, place, LEASE_MS, places)) !== 1) return undefined;
    const renewal = setInterval(() => {
      redis.eval(RENEW, 1, key, place, LEASE_MS).catch(() => undefined);
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
