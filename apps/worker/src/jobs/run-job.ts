import { formatTarget, isSameSku } from '@stock-sync/domain';
import { CallError } from '@stock-sync/http-client';
import { errorMessage } from '@stock-sync/service';
import {
  catalogEntry,
  deadLetterId,
  isRedisUnhealthy,
  jobTitle,
  parseJob,
  skusIn,
  skuStateIn,
  type DeadLetters,
  type JobOf,
  type Parts,
  type Products,
  type SyncJob,
} from '@stock-sync/state';
import { DelayedError, UnrecoverableError, type Job } from 'bullmq';
import type { Breaker } from '../breaker/breaker';
import type { WorkerMetrics } from '../metrics';
import type { JobHandlers } from './handlers';
import type { OrderOutcome } from './import-order';
import { errorKind, NotYetError, WaitError } from './job-errors';
import type { JobRun } from './job-run';
import type { RecordHistory } from './record-history';
import type { ResyncLater } from './resync';
import { createRunTogether, type RunTogetherDeps } from './run-together';
import type { SyncResult } from './sync-part';
import { createTimeLimit } from './time-limit';

/** A job whose worker died is taken over; one that kills this many workers is not taken over any more. */
const MAX_TAKEOVERS = 10;
/** How long a job waits that an unhealthy Redis could not serve, in milliseconds. */
const REDIS_UNHEALTHY_MS = 2_000;
/**
 * A job that waits for a system is due after this time at the latest, in milliseconds: the queue is paused meanwhile.
 */
const MAX_WAIT_MS = 2_000;
const MIN_WAIT_MS = 300;

export interface RunJobDeps extends RunTogetherDeps {
  handlers: JobHandlers;
  breaker: Breaker;
  deadLetters: DeadLetters;
  parts: Parts;
  products: Products;
  resyncLater: ResyncLater;
  recordHistory: RecordHistory;
  /** Called when the store was updated, with the milliseconds since the event was accepted. */
  onUpdate: (lagMs: number) => void;
  /** MAX_ATTEMPTS. */
  maxAttempts: number;
  /** The clock of Redis. */
  now: () => number;
  metrics: WorkerMetrics;
}

/** What BullMQ calls for each job. */
export type RunJob = (job: Job, token?: string) => Promise<unknown>;

/** Runs one job and reports its end to BullMQ: the table in docs/architecture.md, "How a job ends". */
export function createRunJob(deps: RunJobDeps): RunJob {
  const { breaker, deadLetters, queues, metrics, log } = deps;
  const { withinTime } = createTimeLimit(deps.stopping);
  const runTogether = createRunTogether(deps, { handle, settle, waitAfter, withinTime });

  return async (job, token) => {
    let syncJob: SyncJob;
    try {
      syncJob = parseJob(job.data);
    } catch (error) {
      return await addDeadLetter(job, undefined, {}, error, 'it is not one of our jobs');
    }
    // A job that kills its worker kills the next one, too.
    if (job.stalledCounter > MAX_TAKEOVERS) {
      const error = new Error(`${job.stalledCounter} workers died while they ran it`);
      return await addDeadLetter(job, syncJob, {}, error, 'given up');
    }
    const alone = job.attemptsMade > 0 || (syncJob.kind === 'part' && syncJob.alone === true);
    const run: JobRun = { alone, progress: {} };
    try {
      breaker.requireForQueue(catalogEntry(syncJob).queue);
      if (syncJob.kind === 'parts') return await runTogether(job, syncJob);
      const limitMs = catalogEntry(syncJob).timeLimitFactor * deps.timeLimitMs;
      const result = await withinTime(handle(syncJob, run), limitMs);
      await settle(job, syncJob, result);
      return result;
    } catch (error) {
      const waitMs = await waitAfter(error, syncJob, run);
      // Its parts are claimed for it, so a job of several parts is never given up.
      if (waitMs === undefined && syncJob.kind === 'parts') throw error;
      if (waitMs === undefined) return await failed(job, syncJob, run, error);
      await job.moveToDelayed(Date.now() + waitMs, token);
      throw new DelayedError();
    }
  };

  function handle(syncJob: JobOf<keyof JobHandlers>, run: JobRun): Promise<unknown> {
    // The catalog's type pairs each kind with its handler, which TypeScript cannot see through the index.
    const handler = deps.handlers[syncJob.kind] as (job: typeof syncJob, run: JobRun) => Promise<unknown>;
    return handler(syncJob, run);
  }

  /** How long the job must wait where it is not at fault, in milliseconds; undefined where it is. */
  async function waitAfter(error: unknown, syncJob: SyncJob, { progress }: JobRun): Promise<number | undefined> {
    if (error instanceof NotYetError) return Math.max(0, error.waitMs);
    if (isRedisUnhealthy(error)) {
      log.error(`Redis cannot work, so ${jobTitle(syncJob)} waits: ${errorMessage(error)}`);
      return REDIS_UNHEALTHY_MS;
    }
    const skus = progress.sku === undefined ? [] : [progress.sku];
    const mustWait =
      error instanceof WaitError || (error instanceof CallError && (await breaker.judge(error, skus)) === 'wait');
    if (!mustWait) return undefined;
    metrics.outcomes.inc({ outcome: 'waits' });
    const checkInMs = error instanceof WaitError ? error.checkInMs : 0;
    return Math.min(MAX_WAIT_MS, Math.max(MIN_WAIT_MS, checkInMs));
  }

  async function settle(job: Job, syncJob: SyncJob, result: unknown): Promise<void> {
    if (job.attemptsMade > 0) await queues.backsOffNoMore(syncJob);
    if (syncJob.kind === 'order') metrics.orders.inc({ outcome: (result as { outcome: OrderOutcome }).outcome });
    if (syncJob.kind === 'part') {
      const { outcome } = result as SyncResult;
      const lagMs = Math.max(0, deps.now() - syncJob.acceptedAt);
      metrics.outcomes.inc({ outcome });
      metrics.lag.observe(lagMs / 1000);
      if (outcome === 'updated') deps.onUpdate(lagMs);
      // The worker that died may have left a write that the store carries out only now.
      if (job.stalledCounter > 0) await deps.resyncLater.parts([syncJob.part], 'its worker died');
    }
    if (await deadLetters.remove(deadLetterId(syncJob))) {
      log.info(`${jobTitle(syncJob)} is in sync: its dead letter is removed`, { ...syncJob });
    }
  }

  /** The job is at fault: it is tried again later or, after the last attempt, becomes a dead letter. */
  async function failed(job: Job, syncJob: SyncJob, run: JobRun, error: unknown): Promise<never> {
    const attempt = job.attemptsMade + 1;
    const attempts = catalogEntry(syncJob).attempts ?? deps.maxAttempts;
    if (syncJob.kind === 'part') await rememberFailure(syncJob.part, run);
    if (attempt >= attempts) {
      await queues.backsOffNoMore(syncJob);
      return await addDeadLetter(job, syncJob, run.progress, error, `failed ${attempt} of ${attempts} attempts`);
    }
    const failure = `attempt ${attempt} of ${attempts} failed: ${errorMessage(error)}`;
    log.warn(`${jobTitle(syncJob)}: ${failure} (${syncJob.event})`, { ...syncJob });
    metrics.outcomes.inc({ outcome: 'tried again' });
    await recordFailure(syncJob, 'tried again', run.progress, failure);
    await queues.backsOff(syncJob);
    throw error;
  }

  /** So that sweep and reconcile sync the part again only when its target or the store changes. */
  async function rememberFailure(part: number, { progress: { sku, target, own, shows } }: JobRun): Promise<void> {
    if (sku === undefined) return;
    const [before] = await deps.parts.get([part]);
    const difference = shows === undefined ? undefined : { shows, writes: 0 };
    const failed = { sku, outcome: 'failed', difference } as const;
    const others = skusIn(before)
      .filter(other => !isSameSku(other, sku))
      .flatMap(other => skuStateIn(before, other) ?? []);
    const state = { ...failed, at: deps.now(), target, throttledRuns: 0, own, ...(others.length > 0 && { others }) };
    await deps.parts.set(part, state, before);
    // The store may have refused it because its product is gone, or is another one now.
    await deps.products.forget(sku);
  }

  /** Only what concerns a part has a history. */
  async function recordFailure(
    job: SyncJob,
    outcome: 'tried again' | 'dead letter',
    { sku, target, shows }: JobRun['progress'],
    note: string,
  ): Promise<void> {
    if (job.kind !== 'part') return;
    const to = target ? formatTarget(target) : null;
    await deps.recordHistory(job, undefined, [
      { sku: sku ?? null, part: job.part, outcome, from: shows ?? null, to, note },
    ]);
  }

  /** The job does not run again until it is requested again. */
  async function addDeadLetter(
    job: Job,
    syncJob: SyncJob | undefined,
    progress: JobRun['progress'],
    error: unknown,
    why: string,
  ): Promise<never> {
    const { sku, target } = progress;
    const subject = syncJob ? jobTitle(syncJob) : `job ${job.id ?? ''}`;
    const event = syncJob?.event ?? job.name;
    const reason = errorMessage(error);
    metrics.outcomes.inc({ outcome: 'dead letter' });
    log.error(`Dead letter: ${subject} cannot be synced (${why}). Reason: ${reason} (${event})`, { ...syncJob });
    // The dead letter first: if this worker dies now, the job comes back and adds it again.
    await deadLetters.add({
      id: syncJob ? deadLetterId(syncJob) : `job-${job.id ?? ''}`.replaceAll(':', '-'),
      part: syncJob?.kind === 'part' ? syncJob.part : null,
      sku: sku ?? null,
      target: target ?? null,
      errorKind: errorKind(error),
      reason,
      attempts: job.attemptsMade + 1,
      firstFailedAt: new Date(job.timestamp).toISOString(),
      lastFailedAt: new Date().toISOString(),
      event,
      job: syncJob ?? null,
    });
    if (syncJob) await recordFailure(syncJob, 'dead letter', progress, reason);
    throw new UnrecoverableError(reason);
  }
}

/** The first and the longest pause between two attempts, in milliseconds. */
const FIRST_BACKOFF_MS = 1_000;
const MAX_BACKOFF_MS = 5 * 60_000;

/**
 * The pause after a failed attempt: it doubles, with jitter, so that parts that failed together do not come back
 * together.
 */
export function backoffMs(attemptsMade: number): number {
  const longest = Math.min(MAX_BACKOFF_MS, FIRST_BACKOFF_MS * 2 ** Math.min(attemptsMade - 1, 20));
  return Math.floor(longest * (0.5 + Math.random() / 2));
}
