import type { Telemetry } from 'bullmq';
import { Cluster, Redis } from 'ioredis';
import { DEFAULT_PREFIX, keysFor, type Keys } from './keys';

/** A connection to Redis, and the keys of one shop in it. */
export interface RedisConnection {
  redis: Redis;
  keys: Keys;
  isCluster: boolean;
  /** Carries traces through the queues; undefined where there are none. */
  telemetry: Telemetry | undefined;
  /**
   * Milliseconds since 1970 by the clock of Redis, which all processes share: their own clocks may differ, and times
   * that another process stored must not be compared with them.
   */
  now(): number;
  /** Another connection to the same Redis, for a worker of BullMQ, which sends commands that block. */
  duplicate(): Redis;
}

export interface RedisOptions {
  /** REDIS_PREFIX. */
  prefix?: string;
  /** REDIS_CLUSTER. */
  cluster?: boolean;
  /**
   * How a command behaves while Redis is unreachable. `fail`: it rejects at once, or after this many milliseconds
   * without an answer, for services that must answer a caller. `wait`: it waits until Redis is back.
   */
  whileUnreachable: { fail: true; afterMs: number } | { wait: true };
  telemetry?: Telemetry | undefined;
  /** Called whenever Redis becomes reachable or unreachable. */
  onChange?: (state: 'reachable' | 'unreachable', reason?: string) => void;
}

/** The pause before the nth attempt to reconnect, in milliseconds. */
const reconnectDelay = (attempt: number) => Math.min(50 * 2 ** Math.min(attempt, 6), 2_000);

/** Connects to Redis, and reconnects by itself however long Redis was unreachable. */
export function connectToRedis(
  url: string,
  { prefix = DEFAULT_PREFIX, cluster = false, whileUnreachable, telemetry, onChange }: RedisOptions,
): RedisConnection {
  const options: ClientOptions =
    'fail' in whileUnreachable
      ? { maxRetriesPerRequest: 0, enableOfflineQueue: false, commandTimeout: whileUnreachable.afterMs }
      : { maxRetriesPerRequest: null, enableOfflineQueue: true };
  const redis = createClient(url, cluster, options);
  let state: 'reachable' | 'unreachable' | undefined;
  const change = (next: 'reachable' | 'unreachable', reason?: string) => {
    if (state === next) return;
    state = next;
    onChange?.(next, reason);
  };
  const clock = createRedisClock(redis);
  redis.on('ready', () => {
    change('reachable');
    clock.measure();
  });
  redis.on('error', (error: Error) => change('unreachable', error.message));
  redis.on('close', () => change('unreachable', 'the connection was closed'));
  return {
    redis,
    keys: keysFor(prefix),
    isCluster: cluster,
    telemetry,
    now: clock.now,
    duplicate: () => createClient(url, cluster, options),
  };
}

/** How often the difference between the two clocks is measured, in milliseconds: clocks drift, and are set. */
const MEASURE_MS = 60_000;

/** Of so many measurements the one with the shortest round trip counts: in a process that is busy others are late. */
const MEASUREMENTS = 5;

function createRedisClock(redis: Redis): { now(): number; measure(): void } {
  let differenceMs = 0;

  async function measureOften(): Promise<void> {
    let shortestMs = Number.POSITIVE_INFINITY;
    for (let n = 0; n < MEASUREMENTS; n++) {
      const [sentAt, startedAt] = [Date.now(), performance.now()];
      const [seconds, microseconds] = await redis.time();
      const tookMs = performance.now() - startedAt;
      if (tookMs > shortestMs) continue;
      shortestMs = tookMs;
      differenceMs = Number(seconds) * 1000 + Math.floor(Number(microseconds) / 1000) - (sentAt + tookMs / 2);
    }
  }

  const measure = () => void measureOften().catch(() => undefined);
  setInterval(() => {
    if (redis.status === 'ready') measure();
  }, MEASURE_MS).unref();
  return { now: () => Math.round(Date.now() + differenceMs), measure };
}

interface ClientOptions {
  maxRetriesPerRequest: number | null;
  enableOfflineQueue: boolean;
  commandTimeout?: number;
}

const CONNECT_TIMEOUT_MS = 2_000;

/**
 * Without auto-pipelining: ioredis copies all scripts of BullMQ for each pipeline, and most of our commands that belong
 * together are one command already.
 */
function createClient(url: string, cluster: boolean, options: ClientOptions): Redis {
  const { enableOfflineQueue, ...perNode } = { ...options, connectTimeout: CONNECT_TIMEOUT_MS };
  if (!cluster) {
    const common = { ...perNode, enableOfflineQueue, retryStrategy: reconnectDelay };
    const sentinel = sentinelIn(url);
    return sentinel
      ? new Redis({ ...common, ...sentinel, sentinelRetryStrategy: reconnectDelay })
      : new Redis(url, common);
  }
  const { username, password, protocol } = new URL(url);
  const login = { ...(username && { username }), ...(password && { password }) };
  const redisOptions = { ...perNode, ...login, ...(protocol === 'rediss:' && { tls: {} }) };
  const clusterRetryStrategy = (attempt: number) => reconnectDelay(attempt);
  const client = new Cluster([url], { enableOfflineQueue, redisOptions, clusterRetryStrategy });
  // A Cluster has the commands of a Redis, which is all that we and BullMQ use; only its type is another one.
  return client as unknown as Redis;
}

/**
 * The Sentinels in a URL: `redis://user:password@sentinel-1:26379?sentinel=mymaster&node=sentinel-2:26379`. They say
 * which server is the primary one now; user and password are those of the servers.
 */
function sentinelIn(url: string) {
  const { searchParams, hostname, port, username, password, protocol } = new URL(url);
  const name = searchParams.get('sentinel');
  if (name === null) return undefined;
  const others = searchParams.getAll('node').map(node => new URL(`redis://${node}`));
  const sentinels = [{ hostname, port }, ...others].map(node => ({
    host: node.hostname,
    port: Number(node.port || SENTINEL_PORT),
  }));
  return {
    name,
    sentinels,
    ...(username && { username: decodeURIComponent(username) }),
    ...(password && { password: decodeURIComponent(password) }),
    ...(protocol === 'rediss:' && { tls: {}, enableTLSForSentinelMode: true }),
  };
}

const SENTINEL_PORT = 26_379;

/** Errors by which Redis says that it cannot serve anybody now: full, read-only, loading its data. */
const UNHEALTHY = /^(OOM|MISCONF|READONLY|LOADING|BUSY|NOREPLICAS|CLUSTERDOWN|MASTERDOWN|TRYAGAIN)\b/;

/** Whether an error is the fault of Redis, and not of a job. */
export function isRedisUnhealthy(error: unknown): boolean {
  return error instanceof Error && UNHEALTHY.test(error.message.replace(/^ReplyError: /, ''));
}
