import type { Change } from '@stock-sync/sync-core';
import type { BulkJobOptions } from 'bullmq';
import { z } from 'zod';

/**
 * The two queues that the workers take from, and the one that keeps what could not be done. Parts need both systems; what
 * finds out which parts are to be looked at needs InvenTree alone, and goes on while Magento is away.
 */
export const SYNC_QUEUE = 'stock-sync';
export const LOOKUP_QUEUE = 'stock-sync-lookup';
export const DEAD_LETTER_QUEUE = 'stock-sync-dead-letter';

const asked = {
  /** The event that asked, or another word for why. */
  event: z.string(),
  /** When it was accepted, in milliseconds since 1970. */
  acceptedAt: z.number(),
};

export const jobSchema = z.discriminatedUnion('kind', [
  /** Make the store equal to this part's stock. */
  z.object({ kind: z.literal('part'), part: z.number().int(), ...asked }),
  /** Find out whose stock item this is, and look at that part. */
  z.object({
    kind: z.literal('stock-item'),
    stockItem: z.number().int(),
    change: z.enum(['created', 'updated', 'deleted']) satisfies z.ZodType<Change>,
    ...asked,
  }),
  /** Look at a part once more, so many milliseconds from now. */
  z.object({ kind: z.literal('look-again'), part: z.number().int(), afterMs: z.number().int(), ...asked }),
  /** Find the parts whose stock is not what was last seen of it, and look at those. */
  z.object({ kind: z.literal('sweep'), ...asked }),
  /** Compare both sides, and look at the parts that differ. */
  z.object({ kind: z.literal('reconcile'), ...asked }),
]);

/** What a job asks a worker to look at; it never says a quantity. */
export type SyncJob = z.infer<typeof jobSchema>;

/** The queue that a job waits in. */
export function queueOf({ kind }: SyncJob): typeof SYNC_QUEUE | typeof LOOKUP_QUEUE {
  return kind === 'part' ? SYNC_QUEUE : LOOKUP_QUEUE;
}

/** A job's data as Redis gave it back; throws a ZodError where it is none of ours. */
export function parseSyncJob(data: unknown): SyncJob {
  return jobSchema.parse(data);
}

/** What two jobs share exactly if one of them is enough. */
export function deduplicationId(job: SyncJob): string {
  switch (job.kind) {
    case 'part':
      return `part:${job.part}`;
    case 'stock-item':
      return `stock-item:${job.stockItem}`;
    case 'look-again':
      return `look-again:${job.part}:${job.afterMs}`;
    case 'sweep':
    case 'reconcile':
      return job.kind;
  }
}

/** Finished jobs that Bull Board can still show. */
const KEPT_JOBS = 1_000;

/**
 * How a job is queued. An event for a job that still waits merges into it, for its read is still to come; an event for
 * a job that is being worked on makes one more run after it (keepLastIfActive). The delay lets the events of one user
 * action become one job, and counts from the first of them.
 */
export function optionsOf(job: SyncJob, { delayMs, attempts }: { delayMs: number; attempts: number }): BulkJobOptions {
  // Only a part's quantity is worth waiting for: whose item it is, is known as soon as it is asked.
  const delay = job.kind === 'part' ? delayMs : job.kind === 'look-again' ? job.afterMs : 0;
  return {
    ...(delay > 0 && { delay }),
    deduplication: { id: deduplicationId(job), keepLastIfActive: true },
    ...attemptOptions(attempts),
  };
}

/** How often and how far apart a job is tried, and for how long it can still be seen afterwards. */
export function attemptOptions(attempts: number) {
  return {
    attempts,
    // Full jitter: a thousand parts that failed together must not come back together.
    backoff: { type: 'exponential', delay: 1_000, jitter: 1 },
    removeOnComplete: { count: KEPT_JOBS },
    removeOnFail: { count: KEPT_JOBS },
  };
}
