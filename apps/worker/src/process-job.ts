import { CredentialsError, TryLaterError, WrongItemError } from '@stock-sync/http-client';
import {
  deduplicationId,
  isRedisUnwell,
  letterId,
  parseSyncJob,
  type DeadLetters,
  type SyncJob,
  type SyncQueue,
} from '@stock-sync/queue';
import type { Log } from '@stock-sync/service';
import { DelayedError, UnrecoverableError, type Job } from 'bullmq';
import type { LookAgainJob } from './look-again';
import type { ReconcileJob } from './reconcile-job';
import type { WorkerMetrics } from './metrics';
import type { OutagePause } from './outage-pause';
import type { StockItemJob } from './resolve-stock-item';
import type { PartJob, SyncResult } from './sync-part';
import { NotYetError, PartFailedError } from './sync-errors';

/** A job whose worker died under it is taken over so often; one that goes on killing workers is not looped for ever. */
const MOST_TAKEOVERS = 10;
/** A walk over all parts may take so many times as long as one. */
const WALKS = 20;
/** How long a job waits that Redis could not serve, in milliseconds. */
const REDIS_UNWELL_MS = 2_000;
const TAKEN_OVER = 'a worker ended at it';

/** What BullMQ hands jobs to. */
export type ProcessJobs = (job: Job, token?: string) => Promise<unknown>;

export interface ProcessJob {
  syncPart: (job: PartJob, alone: boolean) => Promise<SyncResult>;
  resolveStockItem: (job: StockItemJob) => Promise<unknown>;
  lookAgainLater: (parts: readonly number[], why: string) => Promise<void>;
  rememberFailure: (part: number, failure: PartFailedError) => Promise<void>;
  lookAgain: (job: LookAgainJob) => Promise<unknown>;
  reconcile: (job: ReconcileJob) => Promise<unknown>;
  sweep: () => Promise<unknown>;
  outagePause: OutagePause;
  deadLetters: DeadLetters;
  attempts: number;
  /** How long a job about one part may take, in milliseconds. */
  longestMs: number;
  /** Rejects when what is still in hand is to be given back, because the worker ends. */
  givenBack: Promise<never>;
  queue: SyncQueue;
  metrics: WorkerMetrics;
  log: Log;
}

/** Does one job, and says to BullMQ how it ended: see "What ends how" in the docs. */
export function createProcessJob(given: ProcessJob): ProcessJobs {
  const { outagePause, deadLetters, metrics, log } = given;

  return async (job, token) => {
    let asked: SyncJob;
    try {
      asked = parseSyncJob(job.data);
    } catch (error) {
      return await buried(job, undefined, new PartFailedError(error, undefined, undefined), 'not a job of ours');
    }
    // Whatever kills a worker outright takes the next one, too.
    if (job.stalledCounter > MOST_TAKEOVERS) {
      const error = new Error(`${job.stalledCounter} workers ended while they were at it`);
      return await buried(job, asked, new PartFailedError(error, undefined, undefined), 'given up');
    }
    let alone = true;
    try {
      alone = await goesAlone(job, asked);
      return await withinTime(run(job, asked, alone), longestOf(asked), given.givenBack);
    } catch (error) {
      const cause = error instanceof PartFailedError ? error.cause : error;
      if (cause instanceof TryLaterError || cause instanceof CredentialsError) {
        const next = await outagePause.enter(cause, deduplicationId(asked), alone);
        if (next !== 'to blame') {
          metrics.outcomes.inc({ outcome: 'waits' });
          // Behind the others that wait: else the one job that makes an outage would be the one that tries, for ever.
          await job.moveToDelayed(next, token);
          throw new DelayedError();
        }
      }
      if (isRedisUnwell(cause)) {
        log.error(`Redis can't work, ${subjectOf(asked)} waits: ${String(cause)}`);
        await job.moveToDelayed(Date.now() + REDIS_UNWELL_MS, token);
        throw new DelayedError();
      }
      if (error instanceof NotYetError) {
        await job.moveToDelayed(error.until, token);
        throw new DelayedError();
      }
      return await failed(job, asked, error);
    }
  };

  function longestOf({ kind }: SyncJob): number {
    return kind === 'sweep' || kind === 'reconcile' ? WALKS * given.longestMs : given.longestMs;
  }

  /** What fails together with others says nothing about any of them: before it counts, a part is tried by calls of its own. */
  async function goesAlone(job: Job, asked: SyncJob): Promise<boolean> {
    if (asked.kind !== 'part' || job.attemptsMade > 0) return true;
    return outagePause.goesAlone(deduplicationId(asked));
  }

  async function run(job: Job, asked: SyncJob, alone: boolean): Promise<unknown> {
    const result = await done(asked, alone);
    await outagePause.wentWell(deduplicationId(asked));
    // A worker that ended at it may have left a write that the store comes to only now.
    if (asked.kind === 'part' && job.stalledCounter > 0) await given.lookAgainLater([asked.part], TAKEN_OVER);
    if (await deadLetters.withdraw(letterId(asked))) {
      log.info(`${subjectOf(asked)} was synced after all: its dead letter is withdrawn`, { ...asked });
    }
    return result;
  }

  async function done(asked: SyncJob, alone: boolean): Promise<unknown> {
    switch (asked.kind) {
      case 'part': {
        const result = await given.syncPart(asked, alone);
        metrics.outcomes.inc({ outcome: result.outcome });
        metrics.lag.observe((Date.now() - asked.acceptedAt) / 1000);
        await outagePause.leave('InvenTree', 'reads');
        // A dry run has no writes that could show whether they work again.
        if (result.outcome === 'updated' || result.outcome === 'dry run') await outagePause.leave('Magento', 'write');
        if (result.outcome === 'unchanged') await outagePause.leave('Magento', 'reads');
        return result;
      }
      case 'look-again':
        return given.lookAgain(asked);
      case 'stock-item':
      case 'sweep':
      case 'reconcile': {
        const result = await lookUp(asked);
        // A sweep that another worker is at asked nobody.
        if (result !== undefined) await outagePause.leave('InvenTree', 'reads');
        if (asked.kind === 'reconcile') await outagePause.leave('Magento', 'reads');
        return result;
      }
    }
  }

  async function lookUp(asked: Exclude<SyncJob, { kind: 'part' | 'look-again' }>): Promise<unknown> {
    switch (asked.kind) {
      case 'stock-item':
        return given.resolveStockItem(asked);
      case 'sweep':
        return given.sweep();
      case 'reconcile':
        return given.reconcile(asked);
    }
  }

  /** The job is to blame: it comes back later, or, after the last attempt, becomes a dead letter. */
  async function failed(job: Job, asked: SyncJob, error: unknown): Promise<never> {
    const attempt = job.attemptsMade + 1;
    const failure = error instanceof PartFailedError ? error : new PartFailedError(error, undefined, undefined);
    if (asked.kind === 'part') await given.rememberFailure(asked.part, failure);
    // Whoever refuses one item alone is there.
    const { cause } = failure;
    if (cause instanceof WrongItemError) await outagePause.leave(cause.system, cause.duringWrite ? 'write' : 'reads');
    if (attempt < given.attempts) {
      log.warn(
        `${subjectOf(asked)}: attempt ${attempt} of ${given.attempts} failed: ${failure.message} (${asked.event})`,
        {
          ...asked,
        },
      );
      metrics.outcomes.inc({ outcome: 'tried again' });
      await given.queue.backsOff(asked);
      throw error;
    }
    return await buried(job, asked, failure, `given up after ${attempt} attempts`);
  }

  /** The job is not done again before somebody asks for it. */
  async function buried(job: Job, asked: SyncJob | undefined, failure: PartFailedError, what: string): Promise<never> {
    const subject = asked ? subjectOf(asked) : `job ${job.id ?? ''}`;
    const event = asked?.event ?? job.name;
    metrics.outcomes.inc({ outcome: 'dead letter' });
    log.error(`${subject}: ${what}, now a dead letter: ${failure.message} (${event})`, { ...asked });
    // The letter first: if this worker dies in between, the job comes back and writes it again.
    await deadLetters.put({
      id: asked ? letterId(asked) : `job-${job.id ?? ''}`.replaceAll(':', '-'),
      part: asked?.kind === 'part' ? asked.part : null,
      sku: failure.sku ?? null,
      wanted: failure.wanted ?? null,
      errorKind: failure.kind,
      reason: failure.message,
      attempts: job.attemptsMade + 1,
      firstFailedAt: new Date(job.timestamp).toISOString(),
      lastFailedAt: new Date().toISOString(),
      event,
      job: asked ?? null,
    });
    throw new UnrecoverableError(failure.message);
  }
}

function subjectOf(asked: SyncJob): string {
  switch (asked.kind) {
    case 'part':
      return `part ${asked.part}`;
    case 'stock-item':
      return `stock item ${asked.stockItem}`;
    case 'look-again':
      return `another look at part ${asked.part}`;
    case 'sweep':
      return 'the sweep';
    case 'reconcile':
      return 'the reconcile';
  }
}

/** What the work comes to, or an error once it took too long: a job that hangs would keep its part from the store for ever. */
async function withinTime<T>(work: Promise<T>, milliseconds: number, givenBack: Promise<never>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const tooLong = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`not done after ${milliseconds / 1000} s`)), milliseconds);
  });
  return Promise.race([work, tooLong, givenBack]).finally(() => clearTimeout(timer));
}
