import type { Redis } from 'ioredis';

/** A number that goes up whenever the tree of InvenTree's locations may have changed. */
export interface LocationsVersion {
  current(): Promise<number>;
  mayHaveChanged(): Promise<void>;
}

const KEY = 'stock-sync:locations-version';

/** The number that all workers share, in this Redis. */
export function openLocationsVersion(redis: Redis): LocationsVersion {
  return {
    current: async () => Number(await redis.get(KEY)),
    mayHaveChanged: async () => {
      await redis.incr(KEY);
    },
  };
}
