import { Redis } from 'ioredis';

/** A database of a Redis server that was empty and is ours until we give it back. */
export interface RedisDatabase {
  url: string;
  redis: Redis;
  /** Empties it, and keeps it ours. */
  empty(): Promise<void>;
  /** Empties it and lets others have it. */
  release(): Promise<void>;
}

const CLAIM = 'stock-sync:claimed';

/** Claims the first empty database above 0; throws where the server has none. Somebody's data is never touched. */
export async function claimDatabase(serverUrl: string): Promise<RedisDatabase> {
  for (let number = 1; ; number++) {
    const url = new URL(serverUrl);
    url.pathname = `/${number}`;
    const redis = new Redis(url.toString(), { lazyConnect: true, maxRetriesPerRequest: 1 });
    redis.on('error', () => undefined);
    try {
      await redis.connect();
      await redis.select(number);
      if ((await redis.dbsize()) === 0 && (await redis.set(CLAIM, process.pid, 'NX')) === 'OK') {
        return {
          url: url.toString(),
          redis,
          empty: async () => {
            await redis.multi().flushdb().set(CLAIM, process.pid).exec();
          },
          release: async () => {
            await redis.flushdb();
            redis.disconnect();
          },
        };
      }
    } catch (error) {
      redis.disconnect();
      throw new Error(`no empty database left on the Redis server: ${(error as Error).message}`, { cause: error });
    }
    redis.disconnect();
  }
}
