import { parseDeadLetter, replayOf, type SyncQueue } from '@stock-sync/queue';
import type { Log } from '@stock-sync/service';
import { UnrecoverableError, type Job } from 'bullmq';

/**
 * Lays a dead letter down among the failed jobs of its queue, with its reason: there Bull Board shows it, and has a button to
 * retry it. A letter that was retried has its job done once more, and stays until that went well.
 */
export function createLayDownLetter({ queue, log }: { queue: SyncQueue; log: Log }): (job: Job) => Promise<never> {
  return async job => {
    const letter = parseDeadLetter(job.data);
    const isRetried = job.attemptsStarted > 1;
    const replay = isRetried && letter ? replayOf(letter) : undefined;
    if (letter && replay) {
      await queue.enqueue([replay]);
      log.info(`dead letter ${letter.id} is replayed`, { part: letter.part, sku: letter.sku });
    }
    const error = new UnrecoverableError(letter?.reason ?? 'this is no dead letter of ours');
    // Bull Board shows the stack: where in this worker it was laid down is no help to anybody.
    error.stack = error.message;
    throw error;
  };
}
