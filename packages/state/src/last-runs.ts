import { FINDING_KINDS } from '@stock-sync/domain';
import { z } from 'zod';
import type { RedisConnection } from './connection';
import { openStoredValue, type StoredValue } from './stored-value';

const sweepSchema = z.object({
  /** When it ended, in milliseconds since 1970. */
  at: z.number(),
  tookMs: z.number(),
  /** Whether our plugin answered, or the plain API. */
  byPlugin: z.boolean(),
  /** Parts that would fall to zero, held back by the mass-zero guard. */
  heldBack: z.number().int().default(0),
});

/** The last sweep of any worker. */
export type LastSweep = StoredValue<z.infer<typeof sweepSchema>>;

/** Opens the last sweep. */
export function openLastSweep({ redis, keys }: RedisConnection): LastSweep {
  return openStoredValue(redis, keys.lastSweep, sweepSchema);
}

const count = z.number().int();
/** The counts of a reconcile. */
export const reconcileReportSchema = z.object({
  /** Why it ran. */
  event: z.string(),
  /** When it started and ended, in milliseconds since 1970. */
  startedAt: z.number(),
  at: z.number(),
  /** SKUs by what was found. */
  counts: z.record(z.enum(FINDING_KINDS), count),
  /** Parts in InvenTree, with and without a SKU. */
  parts: count,
  /** SKUs that show stock in the store. */
  showing: count,
  /** Parts that were queued for sync. */
  enqueued: count,
  /** Parts that differ, too, and that the next reconcile queues: Redis must not fill up. */
  left: count.default(0),
  /** Parts that would fall to zero, held back by the mass-zero guard. */
  heldBack: count,
});
export type ReconcileReport = z.infer<typeof reconcileReportSchema>;

/** The last reconcile of any worker. */
export type LastReconcile = StoredValue<ReconcileReport>;

/** Opens the last reconcile. */
export function openLastReconcile({ redis, keys }: RedisConnection): LastReconcile {
  return openStoredValue(redis, keys.lastReconcile, reconcileReportSchema);
}
