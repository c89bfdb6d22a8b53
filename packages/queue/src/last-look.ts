import type { Redis } from 'ioredis';
import { z } from 'zod';
import { openStoredValue, type StoredValue } from './stored-value';

const lookSchema = z.object({
  /** When it ended, in milliseconds since 1970. */
  at: z.number(),
  /** Parts that were enqueued. */
  parts: z.number(),
});

/** When every part was last looked at, by any worker. */
export type LastLook = Pick<StoredValue<z.infer<typeof lookSchema>>, 'get' | 'set'>;

/** The last look, in this Redis. */
export function openLastLook(redis: Redis): LastLook {
  return openStoredValue(redis, 'stock-sync:last-look', lookSchema);
}
