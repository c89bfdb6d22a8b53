import type { Redis } from 'ioredis';
import type { ZodType } from 'zod';

/** A single value in Redis. A value of another shape, from another version for example, counts as absent. */
export interface StoredValue<T> {
  get(): Promise<T | undefined>;
  set(value: T): Promise<void>;
}

/** The value under a key. */
export function openStoredValue<T>(redis: Redis, key: string, schema: ZodType<T>): StoredValue<T> {
  return {
    get: async () => parseStored(schema, await redis.get(key)),
    set: async value => {
      await redis.set(key, JSON.stringify(value));
    },
  };
}

/** Parses JSON from Redis; undefined where there is none, or where it has another shape. */
export function parseStored<T>(schema: ZodType<T>, text: string | null | undefined): T | undefined {
  if (!text) return undefined;
  try {
    return schema.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}
