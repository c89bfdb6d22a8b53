import { setMaxListeners } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { formatTarget, isSameSku } from '@stock-sync/domain';
import { CallError } from '@stock-sync/http-client';
import { errorMessage, type Log } from '@stock-sync/service';
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
  type JobQueues,
  type PartClaims,
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
import type { SyncResult } from './sync-part';

/** A job whose worker died is taken over; one that kills this many workers is not taken over any more. */
const MAX_TAKEOVERS = 10;
/** The same for a job of several parts: then each of them gets a job of its own, and the others are not to blame. */
const MAX_TAKEOVERS_TOGETHER = 2;
/** How often a part of such a job waits for a moment, and how long at most, in milliseconds. */
const WAITS_TOGETHER = 3;
const LONGEST_WAIT_TOGETHER_MS = 1_000;
/** How long a job waits that an unhealthy Redis could not serve, in milliseconds. */
const REDIS_UNHEALTHY_MS = 2_000;
/**
 * A job that waits for a system is due after this time at the latest, in milliseconds: the queue is paused meanwhile.
 */
const MAX_WAIT_MS = 2_000;
const MIN_WAIT_MS = 300;

export interface RunJobDeps {
  handlers: JobHandlers;
  breaker: Breaker;
  queues: JobQueues;
  partClaims: PartClaims;
  deadLetters: DeadLetters;
  parts: Parts;
  products: Products;
  resyncLater: ResyncLater;
  recordHistory: RecordHistory;
  /** Called when the store was updated, with the milliseconds since the event was accepted. */
  onUpdate: (lagMs: number) => void;
  /** MAX_ATTEMPTS. */
  maxAttempts: number;
  /** The time limit of a job about one part, in milliseconds. */
  timeLimitMs: number;
  /** Aborted when the worker stops: then it returns its unfinished jobs. */
  stopping: AbortSignal;
  /** The clock of Redis. */
  now: () => number;
  metrics: WorkerMetrics;
  log: Log;
}

/** What BullMQ calls for each job. */
export type RunJob = (job: Job, token?: string) => Promise<unknown>;

/** Runs one job and reports its end to BullMQ: the table in docs/architecture.md, "How a job ends". */
export function createRunJob(deps: RunJobDeps): RunJob {
  const { breaker, deadLetters, queues, metrics, log } = deps;
  const { withinTime } = createTimeLimit(deps.stopping);
  // Every job that waits for a moment listens.
  setMaxListeners(0, deps.stopping);

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

  /**
   * Syncs several parts side by side, as if each had a job of its own. A part that fails gets that job, which makes its
   * own calls; those that have to wait for a system wait together.
   */
  async function runTogether(job: Job, { parts: claimed, ...common }: JobOf<'parts'>): Promise<unknown> {
    const isSuspect = job.stalledCounter > MAX_TAKEOVERS_TOGETHER;
    const isOurs = await deps.partClaims.keep(job.id ?? '', claimed);
    const parts = claimed.filter((_, index) => isOurs[index]);
    const ended = await Promise.allSettled(
      parts.map(async one => {
        const partJob: JobOf<'part'> = { kind: 'part', acceptedAt: common.acceptedAt, together: true, ...one };
        const isSynced = !isSuspect && (await isSyncedTogether(job, partJob));
        // Only now, so that no other job syncs the part meanwhile. If this worker dies before a new job is enqueued,
        // this one comes back with all its parts.
        const following = await deps.partClaims.release({ job: job.id ?? '', part: one.part });
        if (!isSynced) await queues.enqueue([{ kind: 'part', alone: true, ...one }]);
        else if (following) await queues.enqueueAgain([following]);
      }),
    );
    const [reason] = ended.flatMap(one => (one.status === 'rejected' ? [one.reason as Error] : []));
    if (!reason) return { parts: parts.length };
    const left = parts.filter((_, index) => ended[index]?.status === 'rejected');
    await job.updateData({ ...common, parts: left });
    throw reason;
  }

  /** Syncs a part in a job of several. Not, where it fails; rejects where it has to wait for longer than a moment. */
  async function isSyncedTogether(job: Job, partJob: JobOf<'part'>): Promise<boolean> {
    const run: JobRun = { alone: false, progress: {} };
    try {
      await settle(job, partJob, await withinTime(handledSoon(partJob, run), deps.timeLimitMs));
      return true;
    } catch (error) {
      if (error instanceof NotYetError || isRedisUnhealthy(error)) throw error;
      const waitMs = await waitAfter(error, partJob, run);
      if (waitMs !== undefined) throw new NotYetError(errorMessage(error), waitMs);
      log.debug(`${jobTitle(partJob)} gets a job of its own: ${errorMessage(error)}`, { ...partJob });
      return false;
    }
  }

  /** Runs a job that may have to run a moment later, as the write throttle demands; the others are not kept waiting. */
  async function handledSoon(partJob: JobOf<'part'>, run: JobRun): Promise<unknown> {
    for (let waits = 0; waits < WAITS_TOGETHER; waits++) {
      try {
        return await handle(partJob, run);
      } catch (error) {
        if (!(error instanceof NotYetError) || error.waitMs > LONGEST_WAIT_TOGETHER_MS) throw error;
        await sleep(error.waitMs, undefined, { signal: deps.stopping });
      }
    }
    return handle(partJob, run);
  }

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

/** One listener for all jobs, because a listener of its own costs each of them more than anything else here. */
function createTimeLimit(stopping: AbortSignal) {
  const underWay = new Set<() => void>();
  stopping.addEventListener('abort', () => underWay.forEach(giveBack => giveBack()));

  return {
    /**
     * Rejects where the work takes too long, because a job that hangs would keep its part out of the store for ever;
     * and with a NotYetError when the worker stops.
     */
    withinTime<T>(work: Promise<T>, limitMs: number): Promise<T> {
      return new Promise((resolve, reject) => {
        const timer = setTimeout(() => reject(new Error(`not finished after ${limitMs / 1000} s`)), limitMs);
        const giveBack = () => reject(new NotYetError('the worker stops', 0));
        if (stopping.aborted) giveBack();
        // Not Promise.race: a promise that never settles would keep something of every job.
        underWay.add(giveBack);
        work.then(resolve, reject).finally(() => {
          clearTimeout(timer);
          underWay.delete(giveBack);
        });
      });
    },
  };
}
