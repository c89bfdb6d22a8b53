import { Redis } from 'ioredis';
import { DEFAULT_PREFIX, keysFor, type Keys } from './keys';

/** A connection to Redis, and the keys of one shop in it. */
export interface RedisConnection {
  redis: Redis;
  keys: Keys;
}

export interface RedisOptions {
  /** REDIS_PREFIX. */
  prefix?: string;
  /**
   * How a command behaves while Redis is unreachable. `fail`: it rejects at once, or after this many milliseconds without
   * an answer, for services that must answer a caller. `wait`: it waits until Redis is back.
   */
  whileUnreachable: { fail: true; afterMs: number } | { wait: true };
  /** Called whenever Redis becomes reachable or unreachable. */
  onChange?: (state: 'reachable' | 'unreachable', reason?: string) => void;
}

/** The pause before the nth attempt to reconnect, in milliseconds. */
const reconnectDelay = (attempt: number) => Math.min(50 * 2 ** Math.min(attempt, 6), 2_000);

/** Connects to Redis, and reconnects by itself however long Redis was unreachable. */
export function connectToRedis(
  url: string,
  { prefix = DEFAULT_PREFIX, whileUnreachable, onChange }: RedisOptions,
): RedisConnection {
  const redis = new Redis(url, {
    retryStrategy: reconnectDelay,
    enableAutoPipelining: true,
    ...('fail' in whileUnreachable
      ? {
          enableOfflineQueue: false,
          maxRetriesPerRequest: 0,
          commandTimeout: whileUnreachable.afterMs,
          connectTimeout: 2_000,
        }
      : { maxRetriesPerRequest: null }),
  });
  let state: 'reachable' | 'unreachable' | undefined;
  const change = (next: 'reachable' | 'unreachable', reason?: string) => {
    if (state === next) return;
    state = next;
    onChange?.(next, reason);
  };
  redis.on('ready', () => change('reachable'));
  redis.on('error', (error: Error) => change('unreachable', error.message));
  redis.on('close', () => change('unreachable', 'the connection was closed'));
  return { redis, keys: keysFor(prefix) };
}

/** Errors by which Redis says that it cannot serve anybody now: full, read-only, loading its data. */
const UNHEALTHY = /^(OOM|MISCONF|READONLY|LOADING|BUSY|NOREPLICAS|CLUSTERDOWN|MASTERDOWN|TRYAGAIN)\b/;

/** Whether an error is the fault of Redis, and not of a job. */
export function isRedisUnhealthy(error: unknown): boolean {
  return error instanceof Error && UNHEALTHY.test(error.message.replace(/^ReplyError: /, ''));
}
