import { Redis } from 'ioredis';

export interface RedisOptions {
  /**
   * How a command behaves while Redis is away. `fail`: an error at once, or after this many milliseconds without an
   * answer, for whoever must answer a caller. `wait`: until Redis is back, for whoever has time.
   */
  whileAway: { fail: true; afterMs: number } | { wait: true };
  /** Told at each change between away and there. */
  onChange?: (state: 'there' | 'away', reason?: string) => void;
}

/** How long to wait before the nth attempt to connect again, in milliseconds. */
const reconnectDelay = (attempt: number) => Math.min(50 * 2 ** Math.min(attempt, 6), 2_000);

/** A connection that comes back by itself, however long Redis was away. */
export function connectToRedis(url: string, { whileAway, onChange }: RedisOptions): Redis {
  const redis = new Redis(url, {
    retryStrategy: reconnectDelay,
    enableAutoPipelining: true,
    ...('fail' in whileAway
      ? { enableOfflineQueue: false, maxRetriesPerRequest: 0, commandTimeout: whileAway.afterMs, connectTimeout: 2_000 }
      : { maxRetriesPerRequest: null }),
  });
  let state: 'there' | 'away' | undefined;
  const change = (next: 'there' | 'away', reason?: string) => {
    if (state === next) return;
    state = next;
    onChange?.(next, reason);
  };
  redis.on('ready', () => change('there'));
  redis.on('error', (error: Error) => change('away', error.message));
  redis.on('close', () => change('away', 'the connection was closed'));
  return redis;
}

/** Answers of a Redis that can't do its work now, whatever it is asked: full, read-only, just starting. */
const UNWELL = /^(OOM|MISCONF|READONLY|LOADING|BUSY|NOREPLICAS|CLUSTERDOWN|MASTERDOWN|TRYAGAIN)\b/;

/** Whether an error is Redis's own, and no job's. */
export function isRedisUnwell(error: unknown): boolean {
  return error instanceof Error && UNWELL.test(error.message.replace(/^ReplyError: /, ''));
}
