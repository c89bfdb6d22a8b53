import type { RedisConnection } from './connection';

/** The systems whose calls are counted. */
export const CALLED_SYSTEMS = ['InvenTree', 'Magento'] as const;
export type CalledSystem = (typeof CALLED_SYSTEMS)[number];

/** Upper bounds of the times from an event to the store, in seconds; the last has none. */
export const LAG_BOUNDS = [0.25, 0.5, 1, 2, 5, 10, 30, 60, 300, 3600, Infinity] as const;

/** What all workers did within some minutes. */
export interface ActivityBucket {
  /** When it began, in milliseconds since 1970 by the clock of Redis. */
  at: number;
  /** Updates of the store by the time since their event: one count for each of LAG_BOUNDS. */
  lags: number[];
  calls: Record<CalledSystem, number>;
  /** Those calls that failed. */
  errors: Record<CalledSystem, number>;
}

/** What all workers did lately, in numbers: for the charts of the dashboard. */
export interface Activity {
  /** Counts an update of the store, this many milliseconds after its event. */
  updated(lagMs: number): void;
  /** Counts a call. */
  called(system: CalledSystem, isFailure: boolean): void;
  /** Sends what was counted; what cannot be sent is lost, because charts must not stop any work. */
  flush(): Promise<void>;
  /** The buckets of the last hours, the oldest first. */
  last(hours: number): Promise<ActivityBucket[]>;
}

/** How long a bucket is, in milliseconds. */
export const BUCKET_MS = 5 * 60_000;
/** How long buckets are kept, in seconds. */
const KEPT_SECONDS = 2 * 24 * 60 * 60;

/** Opens the activity. */
export function openActivity({ redis, keys, now }: RedisConnection): Activity {
  let counted = new Map<string, number>();
  const count = (field: string) => counted.set(field, (counted.get(field) ?? 0) + 1);
  const bucketAt = (ms: number) => Math.floor(ms / BUCKET_MS) * BUCKET_MS;

  return {
    updated: lagMs => count(`lag:${LAG_BOUNDS.findIndex(bound => lagMs <= bound * 1000)}`),
    called(system, isFailure) {
      count(`calls:${system}`);
      if (isFailure) count(`errors:${system}`);
    },
    async flush() {
      if (counted.size === 0 || redis.status !== 'ready') return;
      const sent = counted;
      counted = new Map();
      const key = keys.activity(bucketAt(now()));
      const increments = [...sent].map(([field, by]) => redis.hincrby(key, field, by));
      await Promise.all([...increments, redis.expire(key, KEPT_SECONDS)]).catch(() => undefined);
    },
    async last(hours) {
      const end = bucketAt(now());
      const buckets = Math.ceil((hours * 3_600_000) / BUCKET_MS);
      const starts = Array.from({ length: buckets }, (_, index) => end - (buckets - 1 - index) * BUCKET_MS);
      const found = await Promise.all(starts.map(start => redis.hgetall(keys.activity(start))));
      return found.map((fields, index) => bucketFrom(starts[index] ?? 0, fields));
    },
  };
}

function bucketFrom(at: number, fields: Record<string, string>): ActivityBucket {
  const value = (field: string) => Number(fields[field] ?? 0);
  return {
    at,
    lags: LAG_BOUNDS.map((_, index) => value(`lag:${index}`)),
    calls: { InvenTree: value('calls:InvenTree'), Magento: value('calls:Magento') },
    errors: { InvenTree: value('errors:InvenTree'), Magento: value('errors:Magento') },
  };
}

/**
 * The time within which this share of the updates was in the store, in seconds: the upper bound of its class. undefined
 * where there was none.
 */
export function lagQuantile(lags: readonly number[], share: number): number | undefined {
  const total = lags.reduce((sum, count) => sum + count, 0);
  if (total === 0) return undefined;
  let seen = 0;
  const index = lags.findIndex(count => (seen += count) >= share * total);
  const bound = LAG_BOUNDS[index] ?? Infinity;
  return bound === Infinity ? LAG_BOUNDS.at(-2) : bound;
}
