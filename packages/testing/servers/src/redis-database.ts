import { Redis } from 'ioredis';

/** An empty database of a Redis server, reserved for one test. */
export interface RedisDatabase {
  url: string;
  /** Emptied with `empty` only: without its reservation, another test takes an empty database as well. */
  redis: Omit<Redis, 'flushdb' | 'flushall'>;
  /** Empties it, and keeps it reserved. */
  empty(): Promise<void>;
  /** Empties it, and releases it. */
  release(): Promise<void>;
}

const RESERVED = 'test:reserved';

/** Reserves the first empty database above 0; throws where the server has none. Existing data is never touched. */
export async function reserveDatabase(serverUrl: string): Promise<RedisDatabase> {
  for (let number = 1; ; number++) {
    const url = new URL(serverUrl);
    url.pathname = `/${number}`;
    const redis = new Redis(url.toString(), { lazyConnect: true, maxRetriesPerRequest: 1 });
    redis.on('error', () => undefined);
    try {
      await redis.connect();
      await redis.select(number);
      if ((await redis.dbsize()) === 0 && (await redis.set(RESERVED, process.pid, 'NX')) === 'OK') {
        return {
          url: url.toString(),
          redis,
          empty: async () => {
            await redis.multi().flushdb().set(RESERVED, process.pid).exec();
          },
          release: async () => {
            await redis.flushdb();
            redis.disconnect();
          },
        };
      }
    } catch (error) {
      redis.disconnect();
      throw new Error(`the Redis server has no empty database left: ${(error as Error).message}`, { cause: error });
    }
    redis.disconnect();
  }
}
