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

const sweepSchema = z.object({
  /** When it ended, in milliseconds since 1970. */
  at: z.number(),
  tookMs: z.number(),
  /** Whether our plugin answered, or InvenTree's plain API. */
  byPlugin: z.boolean(),
});

/** When the parts were last swept, by any worker. */
export type LastSweep = Pick<StoredValue<z.infer<typeof sweepSchema>>, 'get' | 'set'>;

/** The last sweep, in this Redis. */
export function openLastSweep(redis: Redis): LastSweep {
  return openStoredValue(redis, 'stock-sync:last-sweep', sweepSchema);
}
