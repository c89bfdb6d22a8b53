import type { Redis } from 'ioredis';
import { z } from 'zod';

const lookSchema = z.object({
  /** When it ended, in milliseconds since 1970. */
  at: z.number(),
  /** Parts that were enqueued. */
  parts: z.number(),
});
export type Look = z.infer<typeof lookSchema>;

/** When every part was last looked at, by any worker. */
export interface LastLook {
  get(): Promise<Look | undefined>;
  set(look: Look): Promise<void>;
}

const KEY = 'stock-sync:last-look';

/** The last look, in this Redis. */
export function openLastLook(redis: Redis): LastLook {
  return {
    get: async () => {
      const text = await redis.get(KEY);
      return text === null ? undefined : lookSchema.safeParse(JSON.parse(text)).data;
    },
    set: async look => {
      await redis.set(KEY, JSON.stringify(look));
    },
  };
}
