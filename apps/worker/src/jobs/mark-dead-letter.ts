import type { Log } from '@stock-sync/service';
import { parseDeadLetter, replayOf, type JobQueues } from '@stock-sync/state';
import { UnrecoverableError, type Job } from 'bullmq';

/**
 * The worker of the dead-letter queue: marks a dead letter as failed with its reason, so that Bull Board lists it and
 * offers to retry it. A dead letter that was retried there has its job run once more; it stays until that job succeeds.
 */
export function createMarkDeadLetter({ queues, log }: { queues: JobQueues; log: Log }) {
  return {
    async run(job: Job): Promise<never> {
      const deadLetter = parseDeadLetter(job.data);
      const isRetried = job.attemptsStarted > 1;
      const replay = isRetried && deadLetter ? replayOf(deadLetter) : undefined;
      if (deadLetter && replay) {
        await queues.enqueue([replay]);
        const { id, part, sku } = deadLetter;
        log.info(`Dead letter ${id} is replayed`, { part, sku });
      }
      const error = new UnrecoverableError(deadLetter?.reason ?? 'this is not one of our dead letters');
      // Bull Board shows the stack: the place in this worker is of no use to an operator.
      error.stack = error.message;
      throw error;
    },
  };
}
