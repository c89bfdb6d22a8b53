import type { Redis } from 'ioredis';
import type { ZodType } from 'zod';

/** One value under a key of Redis. What is there in another shape, of another version say, counts as nothing. */
export interface StoredValue<T> {
  get(): Promise<T | undefined>;
  set(value: T): Promise<void>;
  /** The value, which is gone from then on. */
  take(): Promise<T | undefined>;
}

/** The value of that shape under a key. */
export function openStoredValue<T>(redis: Redis, key: string, schema: ZodType<T>): StoredValue<T> {
  const parse = (text: string | null) => (text === null ? undefined : schema.safeParse(JSON.parse(text)).data);
  return {
    get: async () => parse(await redis.get(key)),
    set: async value => {
      await redis.set(key, JSON.stringify(value));
    },
    take: async () => parse(await redis.getdel(key)),
  };
}
