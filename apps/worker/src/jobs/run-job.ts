import type { TargetQuantities } from '@stock-sync/domain';
import { CallError } from '@stock-sync/http-client';
import { errorMessage, type Log } from '@stock-sync/service';
import {
  catalogEntry,
  deadLetterId,
  isRedisUnhealthy,
  jobTitle,
  parseJob,
  type DeadLetters,
  type JobQueues,
  type Parts,
  type Products,
  type SyncJob,
} from '@stock-sync/state';
import { DelayedError, UnrecoverableError, type Job } from 'bullmq';
import type { Breaker } from '../breaker/breaker';
import type { WorkerMetrics } from '../metrics';
import type { JobHandlers } from './handlers';
import { errorKind, NotYetError, WaitError } from './job-errors';
import type { ResyncLater } from './resync';
import type { SyncResult } from './sync-part';

/** One run of a job. */
export interface JobRun {
  /** Whether it makes its own calls, because it failed before in calls that it may have shared. */
  alone: boolean;
  /** How far it came, for the dead letter. */
  progress: { sku?: string; target?: TargetQuantities };
}

/** A job whose worker died is taken over; one that kills this many workers is not taken over any more. */
const MOST_TAKEOVERS = 10;
/** How long a job waits that an unhealthy Redis could not serve, in milliseconds. */
const REDIS_UNHEALTHY_MS = 2_000;
/**
 * A job that waits for a system is due after this time at the latest, in milliseconds: the queue is paused meanwhile.
 */
const LONGEST_WAIT_MS = 2_000;
const SHORTEST_WAIT_MS = 300;

export interface RunJobDeps {
  handlers: JobHandlers;
  breaker: Breaker;
  queues: JobQueues;
  deadLetters: DeadLetters;
  parts: Parts;
  products: Products;
  resyncLater: ResyncLater;
  /** MAX_ATTEMPTS. */
  maxAttempts: number;
  /** The time limit of a job about one part, in milliseconds. */
  timeLimitMs: number;
  /** Rejects with a NotYetError when the worker stops and returns its unfinished jobs. */
  returned: Promise<never>;
  metrics: WorkerMetrics;
  log: Log;
}

/** What BullMQ calls for each job. */
export type RunJob = (job: Job, token?: string) => Promise<unknown>;

/** Runs one job and reports its end to BullMQ: the table in docs/architecture.md, "How a job ends". */
export function createRunJob(deps: RunJobDeps): RunJob {
  const { breaker, deadLetters, queues, metrics, log } = deps;

  return async (job, token) => {
    let asked: SyncJob;
    try {
      asked = parseJob(job.data);
    } catch (error) {
      return await addDeadLetter(job, undefined, {}, error, 'it is not one of our jobs');
    }
    // A job that kills its worker kills the next one, too.
    if (job.stalledCounter > MOST_TAKEOVERS) {
      const error = new Error(`${job.stalledCounter} workers died while they ran it`);
      return await addDeadLetter(job, asked, {}, error, 'given up');
    }
    const run: JobRun = { alone: job.attemptsMade > 0, progress: {} };
    try {
      breaker.requireForQueue(catalogEntry(asked).queue);
      const limitMs = catalogEntry(asked).timeLimitFactor * deps.timeLimitMs;
      const result = await withinTime(handle(asked, run), limitMs, deps.returned);
      await settle(job, asked, result);
      return result;
    } catch (error) {
      const waitMs = await waitAfter(error, asked, run);
      if (waitMs === undefined) return await failed(job, asked, run, error);
      await job.moveToDelayed(Date.now() + waitMs, token);
      throw new DelayedError();
    }
  };

  function handle(asked: SyncJob, run: JobRun): Promise<unknown> {
    // The catalog's type pairs each kind with its handler, which TypeScript cannot see through the index.
    const handler = deps.handlers[asked.kind] as (job: SyncJob, run: JobRun) => Promise<unknown>;
    return handler(asked, run);
  }

  /** How long the job must wait where it is not at fault, in milliseconds; undefined where it is. */
  async function waitAfter(error: unknown, asked: SyncJob, { progress }: JobRun): Promise<number | undefined> {
    if (error instanceof NotYetError) return Math.max(0, error.until - Date.now());
    if (isRedisUnhealthy(error)) {
      log.error(`Redis cannot work, so ${jobTitle(asked)} waits: ${errorMessage(error)}`);
      return REDIS_UNHEALTHY_MS;
    }
    const skus = progress.sku === undefined ? [] : [progress.sku];
    const mustWait =
      error instanceof WaitError || (error instanceof CallError && (await breaker.judge(error, skus)) === 'wait');
    if (!mustWait) return undefined;
    metrics.outcomes.inc({ outcome: 'waits' });
    const checkInMs = error instanceof WaitError ? error.checkInMs : 0;
    return Math.min(LONGEST_WAIT_MS, Math.max(SHORTEST_WAIT_MS, checkInMs));
  }

  async function settle(job: Job, asked: SyncJob, result: unknown): Promise<void> {
    if (job.attemptsMade > 0) await queues.backsOffNoMore(asked);
    if (asked.kind === 'part') {
      metrics.outcomes.inc({ outcome: (result as SyncResult).outcome });
      metrics.lag.observe((Date.now() - asked.acceptedAt) / 1000);
      // The worker that died may have left a write that the store carries out only now.
      if (job.stalledCounter > 0) await deps.resyncLater.parts([asked.part], 'its worker died');
    }
    if (await deadLetters.remove(deadLetterId(asked))) {
      log.info(`${jobTitle(asked)} is in sync: its dead letter is removed`, { ...asked });
    }
  }

  /** The job is at fault: it is tried again later or, after the last attempt, becomes a dead letter. */
  async function failed(job: Job, asked: SyncJob, run: JobRun, error: unknown): Promise<never> {
    const attempt = job.attemptsMade + 1;
    if (asked.kind === 'part') await rememberFailure(asked.part, run);
    if (attempt >= deps.maxAttempts) {
      await queues.backsOffNoMore(asked);
      return await addDeadLetter(job, asked, run.progress, error, `failed ${attempt} of ${deps.maxAttempts} attempts`);
    }
    log.warn(
      `${jobTitle(asked)}: attempt ${attempt} of ${deps.maxAttempts} failed: ${errorMessage(error)} (${asked.event})`,
      { ...asked },
    );
    metrics.outcomes.inc({ outcome: 'tried again' });
    await queues.backsOff(asked);
    throw error;
  }

  /** So that sweep and reconcile sync the part again only when its target changes. */
  async function rememberFailure(part: number, { progress: { sku, target } }: JobRun): Promise<void> {
    if (sku === undefined) return;
    const [before] = await deps.parts.get([part]);
    await deps.parts.set(part, { sku, outcome: 'failed', at: Date.now(), target, throttledRuns: 0 }, before?.sku);
    // The store may have refused it because its product is gone, or is another one now.
    await deps.products.forget(sku);
  }

  /** The job does not run again before somebody asks for it. */
  async function addDeadLetter(
    job: Job,
    asked: SyncJob | undefined,
    { sku, target }: JobRun['progress'],
    error: unknown,
    why: string,
  ): Promise<never> {
    const subject = asked ? jobTitle(asked) : `job ${job.id ?? ''}`;
    const event = asked?.event ?? job.name;
    const reason = errorMessage(error);
    metrics.outcomes.inc({ outcome: 'dead letter' });
    log.error(`Dead letter: ${subject} cannot be synced (${why}). Reason: ${reason} (${event})`, { ...asked });
    // The dead letter first: if this worker dies now, the job comes back and adds it again.
    await deadLetters.add({
      id: asked ? deadLetterId(asked) : `job-${job.id ?? ''}`.replaceAll(':', '-'),
      part: asked?.kind === 'part' ? asked.part : null,
      sku: sku ?? null,
      target: target ?? null,
      errorKind: errorKind(error),
      reason,
      attempts: job.attemptsMade + 1,
      firstFailedAt: new Date(job.timestamp).toISOString(),
      lastFailedAt: new Date().toISOString(),
      event,
      job: asked ?? null,
    });
    throw new UnrecoverableError(reason);
  }
}

/** The first and the longest pause between two attempts, in milliseconds. */
const FIRST_BACKOFF_MS = 1_000;
const LONGEST_BACKOFF_MS = 5 * 60_000;

/**
 * The pause after a failed attempt: it doubles, with jitter, so that parts that failed together do not come back
 * together.
 */
export function backoffMs(attemptsMade: number): number {
  const longest = Math.min(LONGEST_BACKOFF_MS, FIRST_BACKOFF_MS * 2 ** Math.min(attemptsMade - 1, 20));
  return Math.floor(longest * (0.5 + Math.random() / 2));
}

/** Rejects where the work takes too long: a job that hangs would keep its part out of the store for ever. */
async function withinTime<T>(work: Promise<T>, limitMs: number, returned: Promise<never>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const tooLong = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`not finished after ${limitMs / 1000} s`)), limitMs);
  });
  return Promise.race([work, tooLong, returned]).finally(() => clearTimeout(timer));
}
