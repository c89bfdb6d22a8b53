import { letterId, type DeadLetters, type SyncJob, type SyncQueue } from '@stock-sync/queue';

export type LookAgainJob = Extract<SyncJob, { kind: 'look-again' }>;

/**
 * When a part is looked at once more after a write that got no answer, in milliseconds: the store may still be at it, and do
 * it after a later one. A web server and PHP give up within minutes.
 */
const LOOKS_AFTER_MS = [15_000, 60_000, 300_000];

/** Has parts looked at again, some times, later: however many writes got no answer meanwhile. */
export function createLookAgainLater(queue: SyncQueue): (parts: readonly number[], why: string) => Promise<void> {
  return async (parts, event) => {
    const acceptedAt = Date.now();
    const looks = parts.flatMap(part =>
      LOOKS_AFTER_MS.map((afterMs): LookAgainJob => ({ kind: 'look-again', part, afterMs, event, acceptedAt })),
    );
    await queue.enqueue(looks);
  };
}

/** Has the part of such a job looked at now; not one that was given up: a write that is never answered would be tried for ever. */
export function createLookAgain(
  queue: SyncQueue,
  deadLetters: Pick<DeadLetters, 'has'>,
): (job: LookAgainJob) => Promise<{ part: number }> {
  return async ({ part, event }) => {
    const job: SyncJob = { kind: 'part', part, event, acceptedAt: Date.now() };
    if (!(await deadLetters.has(letterId(job)))) await queue.enqueue([job]);
    return { part };
  };
}
