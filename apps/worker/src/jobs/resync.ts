import { deadLetterId, type DeadLetters, type JobOf, type JobQueues, type NewJob, type Parts } from '@stock-sync/state';

/**
 * When a part is synced once more after a write without an answer, in milliseconds: the store may still carry it out,
 * after a newer one. Web servers and PHP give up within minutes.
 */
const RESYNC_AFTER_MS = [15_000, 60_000, 300_000];

/** Has parts synced again several times, however many of their writes got no answer meanwhile. */
export interface ResyncLater {
  parts(parts: readonly number[], event: string): Promise<void>;
  skus(skus: readonly string[], event: string): Promise<void>;
}

/** Enqueues the jobs that do it. */
export function createResyncLater(queues: JobQueues, parts: Parts): ResyncLater {
  const resyncParts = async (ids: readonly number[], event: string) => {
    await queues.enqueue(
      ids.flatMap(part => RESYNC_AFTER_MS.map((afterMs): NewJob => ({ kind: 'resync', part, afterMs, event }))),
    );
  };
  return {
    parts: resyncParts,
    skus: async (skus, event) => resyncParts((await parts.withSkus(skus)).flat(), event),
  };
}

/** The handler of `resync`: enqueues the part now, but not a dead letter, whose write would be repeated for ever. */
export function createResync(queues: JobQueues, deadLetters: Pick<DeadLetters, 'has'>) {
  return {
    async run({ part, event }: JobOf<'resync'>): Promise<{ part: number }> {
      const job: NewJob = { kind: 'part', part, event };
      if (!(await deadLetters.has(deadLetterId(job)))) await queues.enqueue([job]);
      return { part };
    },
  };
}
