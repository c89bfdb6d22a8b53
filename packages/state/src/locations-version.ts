import type { RedisConnection } from './connection';

/** A number that rises whenever InvenTree's tree of locations may have changed. */
export interface LocationsVersion {
  get(): Promise<number>;
  increase(): Promise<void>;
}

/** Opens the number that all workers share. */
export function openLocationsVersion({ redis, keys }: RedisConnection): LocationsVersion {
  return {
    get: async () => Number(await redis.get(keys.locationsVersion)),
    increase: async () => {
      await redis.incr(keys.locationsVersion);
    },
  };
}
