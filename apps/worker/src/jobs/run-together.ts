import { setMaxListeners } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { errorMessage, type Log } from '@stock-sync/service';
import { isRedisUnhealthy, jobTitle, type JobOf, type JobQueues, type PartClaims } from '@stock-sync/state';
import type { Job } from 'bullmq';
import { NotYetError } from './job-errors';
import type { JobRun } from './job-run';
import type { TimeLimit } from './time-limit';

/** A job that killed so many workers is split: each part gets a job of its own, and the others are not to blame. */
const MAX_TAKEOVERS = 2;
/** How often a part waits for a moment, and how long at most, in milliseconds. */
const WAITS = 3;
const LONGEST_WAIT_MS = 1_000;

export interface RunTogetherDeps {
  partClaims: PartClaims;
  queues: JobQueues;
  /** The time limit of the work on one part, in milliseconds. */
  timeLimitMs: number;
  /** Aborted when the worker stops. */
  stopping: AbortSignal;
  log: Log;
}

/** What running a part alone and running it with others have in common. */
export interface PartSteps extends TimeLimit {
  handle(job: JobOf<'part'>, run: JobRun): Promise<unknown>;
  settle(job: Job, partJob: JobOf<'part'>, result: unknown): Promise<void>;
  /** How long the part must wait where it is not at fault, in milliseconds; undefined where it is. */
  waitAfter(error: unknown, job: JobOf<'part'>, run: JobRun): Promise<number | undefined>;
}

/** Runs a job of several parts; rejects where some of them have to wait, with these left in it. */
export type RunTogether = (job: Job, parts: JobOf<'parts'>) => Promise<{ parts: number }>;

/**
 * Syncs several parts side by side, as if each had a job of its own. A part that fails gets that job, which makes its
 * own calls; those that have to wait for a system wait together.
 */
export function createRunTogether(deps: RunTogetherDeps, steps: PartSteps): RunTogether {
  const { partClaims, queues, log } = deps;
  // Every part that waits for a moment listens.
  setMaxListeners(0, deps.stopping);

  return async (job, { parts: claimed, ...common }) => {
    const isSuspect = job.stalledCounter > MAX_TAKEOVERS;
    const isOurs = await partClaims.keep(job.id ?? '', claimed);
    const parts = claimed.filter((_, index) => isOurs[index]);
    const ended = await Promise.allSettled(
      parts.map(async one => {
        const partJob: JobOf<'part'> = { kind: 'part', acceptedAt: common.acceptedAt, together: true, ...one };
        const isSynced = !isSuspect && (await sync(job, partJob));
        // Only now, so that no other job syncs the part meanwhile. If this worker dies before a new job is enqueued,
        // this one comes back with all its parts.
        const following = await partClaims.release({ job: job.id ?? '', part: one.part });
        if (!isSynced) await queues.enqueue([{ kind: 'part', alone: true, ...one }]);
        else if (following) await queues.enqueueAgain([following]);
      }),
    );
    const [reason] = ended.flatMap(one => (one.status === 'rejected' ? [one.reason as Error] : []));
    if (!reason) return { parts: parts.length };
    const left = parts.filter((_, index) => ended[index]?.status === 'rejected');
    await job.updateData({ ...common, parts: left });
    throw reason;
  };

  /** Whether a part is synced. Not, where it fails; rejects where it has to wait for longer than a moment. */
  async function sync(job: Job, partJob: JobOf<'part'>): Promise<boolean> {
    const run: JobRun = { alone: false, progress: {} };
    try {
      await steps.settle(job, partJob, await steps.withinTime(handledSoon(partJob, run), deps.timeLimitMs));
      return true;
    } catch (error) {
      if (error instanceof NotYetError || isRedisUnhealthy(error)) throw error;
      const waitMs = await steps.waitAfter(error, partJob, run);
      if (waitMs !== undefined) throw new NotYetError(errorMessage(error), waitMs);
      log.debug(`${jobTitle(partJob)} gets a job of its own: ${errorMessage(error)}`, { ...partJob });
      return false;
    }
  }

  /** Handles a part that may have to wait a moment, as the write throttle demands; the others are not kept waiting. */
  async function handledSoon(partJob: JobOf<'part'>, run: JobRun): Promise<unknown> {
    for (let waits = 0; waits < WAITS; waits++) {
      try {
        return await steps.handle(partJob, run);
      } catch (error) {
        if (!(error instanceof NotYetError) || error.waitMs > LONGEST_WAIT_MS) throw error;
        await sleep(error.waitMs, undefined, { signal: deps.stopping });
      }
    }
    return steps.handle(partJob, run);
  }
}
