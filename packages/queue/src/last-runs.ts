import type { Redis } from 'ioredis';
import { z } from 'zod';
import { openStoredValue, type StoredValue } from './stored-value';

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

const reconcileSchema = z.object({
  /** When it began and ended, in milliseconds since 1970. */
  startedAt: z.number(),
  at: z.number(),
  /** Why it was made. */
  event: z.string(),
  counts: z.record(z.string(), z.number()),
  /** The first of what was found not to be equal. */
  findings: z.array(
    z.object({
      kind: z.string(),
      part: z.number().nullable(),
      sku: z.string(),
      shows: z.string(),
      wanted: z.string(),
    }),
  ),
  /** Parts that would have fallen to zero and were held back by the brake. */
  heldBack: z.number(),
});

/** How both sides were last compared, by any worker or command. */
export type LastReconcile = Pick<StoredValue<z.infer<typeof reconcileSchema>>, 'get' | 'set'>;

/** The last reconcile, in this Redis. */
export function openLastReconcile(redis: Redis): LastReconcile {
  return openStoredValue(redis, 'stock-sync:last-reconcile', reconcileSchema);
}
