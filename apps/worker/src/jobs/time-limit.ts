import { NotYetError } from './job-errors';

/** Ends jobs that take too long, and those that are under way when the worker stops. */
export interface TimeLimit {
  /**
   * Rejects where the work takes too long, because a job that hangs would keep its part out of the store for ever; and
   * with a NotYetError when the worker stops.
   */
  withinTime<T>(work: Promise<T>, limitMs: number): Promise<T>;
}

/** One listener for all jobs: one for each took 1 % of a worker's time. */
export function createTimeLimit(stopping: AbortSignal): TimeLimit {
  const underWay = new Set<() => void>();
  stopping.addEventListener('abort', () => underWay.forEach(giveBack => giveBack()));

  return {
    withinTime(work, limitMs) {
      return new Promise((resolve, reject) => {
        // Not Promise.race: a promise that never settles would keep something of every job.
        const end = () => {
          clearTimeout(timer);
          underWay.delete(giveBack);
        };
        const giveUp = (error: Error) => {
          end();
          reject(error);
        };
        const giveBack = () => giveUp(new NotYetError('the worker stops', 0));
        const timer = setTimeout(() => giveUp(new Error(`not finished after ${limitMs / 1000} s`)), limitMs);
        underWay.add(giveBack);
        if (stopping.aborted) giveBack();
        work.then(resolve, reject).finally(end);
      });
    },
  };
}
