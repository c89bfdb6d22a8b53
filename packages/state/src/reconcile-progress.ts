import { z } from 'zod';
import type { RedisConnection } from './connection';
import { parseStored } from './stored-value';

const progressSchema = z.object({
  event: z.string(),
  /** Milliseconds since 1970 by the clock of Redis. */
  startedAt: z.number(),
  /** Parts that were compared so far. */
  parts: z.number().int(),
  /** About how many there are: those that were ever synced. */
  about: z.number().int(),
});

/** How far the running reconcile is. */
export type Progress = z.infer<typeof progressSchema>;

export interface ReconcileProgress {
  /** undefined where none runs. */
  get(): Promise<Progress | undefined>;
  set(progress: Progress): Promise<void>;
  delete(): Promise<void>;
}

/** A worker that dies is not shown as running for longer than this. */
const KEPT_SECONDS = 60;

/** Opens the progress of the running reconcile. */
export function openReconcileProgress({ redis, keys }: RedisConnection): ReconcileProgress {
  return {
    get: async () => parseStored(progressSchema, await redis.get(keys.reconcileProgress)),
    async set(progress) {
      await redis.set(keys.reconcileProgress, JSON.stringify(progress), 'EX', KEPT_SECONDS);
    },
    async delete() {
      await redis.del(keys.reconcileProgress);
    },
  };
}
