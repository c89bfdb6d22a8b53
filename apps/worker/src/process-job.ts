import { CredentialsError, TryLaterError } from '@stock-sync/http-client';
import { parseSyncJob, type DeadLetters, type SyncJob } from '@stock-sync/queue';
import type { Log } from '@stock-sync/service';
import { DelayedError, RateLimitError, UnrecoverableError, type Job } from 'bullmq';
import type { EverythingJob } from './look-at-everything';
import type { WorkerMetrics } from './metrics';
import type { OutagePause } from './outage-pause';
import type { StockItemJob } from './resolve-stock-item';
import type { PartJob, SyncResult } from './sync-part';
import { NotYetError, PartFailedError } from './sync-errors';

export interface ProcessJob {
  syncPart: (job: PartJob) => Promise<SyncResult>;
  resolveStockItem: (job: StockItemJob) => Promise<unknown>;
  lookAtEverything: (job: EverythingJob) => Promise<unknown>;
  sweep: () => Promise<unknown>;
  outagePause: OutagePause;
  deadLetters: DeadLetters;
  attempts: number;
  /** How long a job may take, in milliseconds. */
  longestMs: number;
  metrics: WorkerMetrics;
  log: Log;
}

/** Does one job, and says to BullMQ how it ended: see "What ends how" in the docs. */
export function createProcessJob(given: ProcessJob): (job: Job, token?: string) => Promise<unknown> {
  const { outagePause, deadLetters, metrics, log } = given;

  return async (job, token) => {
    const asked = parseSyncJob(job.data);
    try {
      return await withinTime(run(asked), given.longestMs);
    } catch (error) {
      if (error instanceof TryLaterError || error instanceof CredentialsError) {
        metrics.outcomes.inc({ outcome: 'waits' });
        await outagePause.enter(error);
        throw new RateLimitError();
      }
      if (error instanceof NotYetError) {
        await job.moveToDelayed(error.until, token);
        throw new DelayedError();
      }
      return await failed(job, asked, error);
    }
  };

  async function run(asked: SyncJob): Promise<unknown> {
    const result = await done(asked);
    if (await deadLetters.withdraw(asked)) {
      log.info(`${subjectOf(asked)} was synced after all: its dead letter is withdrawn`, { ...asked });
    }
    return result;
  }

  async function done(asked: SyncJob): Promise<unknown> {
    switch (asked.kind) {
      case 'stock-item':
        return given.resolveStockItem(asked);
      case 'everything':
        return given.lookAtEverything(asked);
      case 'sweep':
        return given.sweep();
      case 'part': {
        const result = await given.syncPart(asked);
        metrics.outcomes.inc({ outcome: result.outcome });
        metrics.lag.observe((Date.now() - asked.acceptedAt) / 1000);
        // A dry run has no writes that could show whether they work again.
        if (result.outcome === 'updated' || result.outcome === 'dry run') await outagePause.leave('write');
        if (result.outcome === 'unchanged') await outagePause.leave('reads');
        return result;
      }
    }
  }

  /** The job is to blame: it comes back later, or, after the last attempt, becomes a dead letter. */
  async function failed(job: Job, asked: SyncJob, error: unknown): Promise<never> {
    const attempt = job.attemptsMade + 1;
    const reason = error instanceof Error ? error.message : String(error);
    const subject = subjectOf(asked);
    if (attempt < given.attempts) {
      log.warn(`${subject}: attempt ${attempt} of ${given.attempts} failed: ${reason} (${asked.event})`, { ...asked });
      metrics.outcomes.inc({ outcome: 'tried again' });
      throw error;
    }
    metrics.outcomes.inc({ outcome: 'dead letter' });
    log.error(`${subject}: given up after ${attempt} attempts, now a dead letter: ${reason} (${asked.event})`, {
      ...asked,
    });
    const failure = error instanceof PartFailedError ? error : new PartFailedError(error, undefined, undefined);
    // The letter first: if this worker dies in between, the job comes back and writes it again.
    await deadLetters.put({
      part: asked.kind === 'part' ? asked.part : null,
      sku: failure.sku ?? null,
      wanted: failure.wanted ?? null,
      errorKind: failure.kind,
      reason,
      attempts: attempt,
      firstFailedAt: new Date(job.timestamp).toISOString(),
      lastFailedAt: new Date().toISOString(),
      event: asked.event,
      job: asked,
    });
    throw new UnrecoverableError(reason);
  }
}

function subjectOf(asked: SyncJob): string {
  switch (asked.kind) {
    case 'part':
      return `part ${asked.part}`;
    case 'stock-item':
      return `stock item ${asked.stockItem}`;
    case 'everything':
      return 'every part';
    case 'sweep':
      return 'the sweep';
  }
}

/** What the work comes to, or an error once it took too long: a job that hangs would keep its part from the store for ever. */
async function withinTime<T>(work: Promise<T>, milliseconds: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const tooLong = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`not done after ${milliseconds / 1000} s`)), milliseconds);
  });
  return Promise.race([work, tooLong]).finally(() => clearTimeout(timer));
}
