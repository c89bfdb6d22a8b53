import { randomUUID } from 'node:crypto';
import type { RedisConnection } from './connection';

/** Runs a call as soon as a slot is free. */
export type CallLimit = <T>(call: () => Promise<T>) => Promise<T>;

/** A number of slots that all workers share. With one slot it is a lease. */
export interface Semaphore {
  /** Runs a call as soon as a slot is free. */
  within: CallLimit;
  /** Takes a slot if one is free now; resolves with the function that releases it. */
  tryAcquire(): Promise<(() => Promise<void>) | undefined>;
}

/** By the clock of Redis: a worker whose own clock is ahead would take the slots of others. */
const NOW = `
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)`;

const ACQUIRE = `${NOW}
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now)
if redis.call('ZCARD', KEYS[1]) >= tonumber(ARGV[3]) then return 0 end
redis.call('ZADD', KEYS[1], now + ARGV[2], ARGV[1])
return 1`;

const RENEW = `${NOW}
redis.call('ZADD', KEYS[1], 'XX', now + ARGV[2], ARGV[1])`;

/** How long a slot is held without renewal, in milliseconds: a worker that dies holds it no longer. */
const LEASE_MS = 10_000;
/** How long to wait before a slot is requested again, in milliseconds. */
const RETRY_MS = 15;
/** How often a slot that becomes free wakes a call of the same process at once. */
const WAKE_SHARE = 0.75;

/** The semaphore of that name. */
export function openSemaphore({ redis, keys }: RedisConnection, name: string, slots: number): Semaphore {
  const key = keys.semaphore(name);
  /** Wakes the calls of this process that wait for a slot. */
  const wakeUps = new Set<() => void>();
  /** Slots that this process holds: while it holds all of them, there is no need to ask Redis. */
  let held = 0;

  function untilWorthARetry(): Promise<void> {
    return new Promise(resolve => {
      const wakeUp = () => {
        clearTimeout(timer);
        wakeUps.delete(wakeUp);
        resolve();
      };
      const timer = setTimeout(wakeUp, RETRY_MS * (0.5 + Math.random()));
      wakeUps.add(wakeUp);
    });
  }

  async function tryAcquire(): Promise<(() => Promise<void>) | undefined> {
    if (held >= slots) return undefined;
    const slot = randomUUID();
    if ((await redis.eval(ACQUIRE, 1, key, slot, LEASE_MS, slots)) !== 1) return undefined;
    held++;
    const renewal = setInterval(() => {
      redis.eval(RENEW, 1, key, slot, LEASE_MS).catch(() => undefined);
    }, LEASE_MS / 3);
    return async () => {
      clearInterval(renewal);
      held--;
      await redis.zrem(key, slot);
      // Now and then not: else a busy process would take the slot each time before the others request it.
      const [next] = wakeUps;
      if (Math.random() < WAKE_SHARE) next?.();
    };
  }

  return {
    tryAcquire,
    async within(call) {
      let release = await tryAcquire();
      while (!release) {
        await untilWorthARetry();
        release = await tryAcquire();
      }
      try {
        return await call();
      } finally {
        await release();
      }
    },
  };
}
