import {
  formatTarget,
  isSameSku,
  sameQuantities,
  targetQuantities,
  throttleRun,
  type TargetQuantities,
} from '@stock-sync/domain';
import type { PartStock } from '@stock-sync/inventree-client';
import type { Log } from '@stock-sync/service';
import {
  skusIn,
  skuStateIn,
  type Fencing,
  type JobOf,
  type JobQueues,
  type Parts,
  type PartState,
  type RulesInForce,
} from '@stock-sync/state';
import { createGathering } from '../calls/gathering';
import type { PartJobsUnderWay } from '../calls/part-jobs-under-way';
import type { PartReads } from '../calls/part-reads';
import type { StoreReads } from '../calls/store-reads';
import type { Connections } from '../connections';
import { NotYetError, WrongParameterError } from './job-errors';
import type { JobRun } from './job-run';
import type { createLeaveSku } from './leave-sku';
import type { OrderStock } from './order-changes';
import type { HistoryLine, RecordHistory } from './record-history';
import { isRoutine } from './routine-events';
import { hasFreeStock, type EnqueueShortOrders } from './short-orders';
import { levelOf, type createSyncSku, type SkuResult } from './sync-sku';

type PartJob = JobOf<'part'>;

export interface SyncPartDeps {
  fencing: Fencing;
  partReads: PartReads;
  storeReads: StoreReads;
  jobs: PartJobsUnderWay;
  syncSku: ReturnType<typeof createSyncSku>;
  leaveSku: ReturnType<typeof createLeaveSku>;
  connections: Pick<Connections, 'offerRules'>;
  parts: Parts;
  rulesInForce: Pick<RulesInForce, 'wereOurs'>;
  recordHistory: RecordHistory;
  queues: JobQueues;
  /** Undefined where orders are off. */
  orders: OrderStock | undefined;
  /** Undefined where no stock is allocated to orders. */
  enqueueShortOrders: EnqueueShortOrders | undefined;
  /** The clock of Redis: events and writes of other processes are compared. */
  now: () => number;
  log: Log;
}

/** How the sync of a part ended. */
export interface SyncResult {
  /** `overtaken`: a later read of the part has begun elsewhere, and its result counts. */
  outcome: SkuResult['outcome'];
  part: number;
  /** The SKU, or the first of several. */
  sku: string | undefined;
  /** What the store should show, where that is known. */
  target?: TargetQuantities;
}

const OTHER_RULES = 'the rules of the shop were changed, and a reconcile says first what they change';
/** How long a job waits for that, in milliseconds. */
const RULES_CHECK_MS = 1_000;
/** Runs that the throttle delayed come back at the same time, and BullMQ starts them one by one, in milliseconds. */
const SERIES_QUIET_MS = 20;
const SERIES_LONGEST_MS = 150;
const LEFT_TO_SWEEP = 'its part was deleted or renamed, and the sweep that follows decides what the store shows';

/**
 * The handler of `part`: makes the store equal to the part's stock as it is now. It reads the part, derives SKUs and
 * target by the rules of the shop, and syncs each SKU, in calls that are shared with other parts unless the job runs
 * alone.
 */
export function createSyncPart(deps: SyncPartDeps) {
  const { parts, queues, log } = deps;
  const { offerRules } = deps.connections;
  const series = createGathering(SERIES_LONGEST_MS);

  return { run: (job: PartJob, run: JobRun) => deps.jobs.during(job, () => sync(job, run)) };

  async function sync(job: PartJob, { alone, progress }: JobRun): Promise<SyncResult> {
    const { part: id } = job;
    if (!(await deps.rulesInForce.wereOurs())) throw new NotYetError(OTHER_RULES, RULES_CHECK_MS);
    const [before] = await parts.get([id]);
    const throttle = throttleRun(job.acceptedAt, before && wasWritten(before) ? before : undefined, deps.now());
    if (throttle.waitUntil !== undefined) {
      throw new NotYetError(`part ${id} was written a moment ago`, throttle.waitUntil - deps.now());
    }
    if (throttle.throttledRuns > 0) await series.join(SERIES_QUIET_MS);

    // The token first: a write that it does not stop has reached the store before any of our reads.
    const readAt = deps.now();
    const [token, unbooked] = await Promise.all([deps.fencing.startRead(id), deps.orders?.unbooked()]);
    const early = before && { sku: before.sku, store: deps.storeReads.load(before.sku, alone) };
    // Its failure matters only where its result is used.
    early?.store.catch(() => undefined);
    const part = await deps.partReads.load(id, alone);
    const offer = part && (await offerRules.offerOf(part));
    if (part) await enqueueTemplate(job, part);
    if (part && hasFreeStock(part)) await deps.enqueueShortOrders?.(id);

    const skus = offer && 'skus' in offer ? offer.skus : [];
    const hadSkus = skusIn(before).filter(sku => !skus.some(now => isSameSku(sku, now)));
    if (before) {
      for (const sku of hadSkus) {
        const isDone = await deps.leaveSku.run({ job, before, sku, part, offer, readAt, token, alone });
        if (!isDone) return skipped(job, sku, LEFT_TO_SWEEP);
      }
    }
    if (!part || !offer) return skipped(job, before?.sku, 'InvenTree has no such part');
    if (!('skus' in offer)) return skipped(job, undefined, `the part ${offer.reason}`, offer.kind === 'excluded');
    if (offer.kind === 'wrong parameter') {
      progress.sku = offer.skus[0] ?? '';
      throw new WrongParameterError(id, offer.wrong);
    }
    const own = offer.stock.target;
    const results = await syncAll(offer.skus, progress, (sku, ownProgress) =>
      deps.syncSku({ job, part, before, sku, own, early, unbooked, token, throttle, alone, progress: ownProgress }),
    );
    const isOvertaken = results.some(({ outcome }) => outcome === 'overtaken');
    await Promise.all([
      deps.recordHistory(job, readAt, historyOf(id, results)),
      // What is remembered stays as it is where a later read counts.
      !isOvertaken && parts.set(id, stateOf(results, targetQuantities(own), throttle.throttledRuns), before),
    ]);
    const [{ outcome, sku, target }] = results;
    return { part: id, outcome, sku, target };
  }

  function stateOf(results: SkuResults, own: TargetQuantities, throttledRuns: number): PartState {
    const [first, ...others] = results.map(({ sku, outcome, difference }) => ({
      sku,
      outcome: outcome === 'overtaken' ? ('unchanged' as const) : outcome,
      difference,
    }));
    const { target } = results[0];
    return {
      sku: results[0].sku,
      outcome: 'unchanged',
      ...first,
      at: deps.now(),
      target,
      ...(!sameQuantities(target, own) && { own }),
      throttledRuns: results.some(({ outcome }) => outcome === 'updated') ? throttledRuns : 0,
      ...(others.length > 0 && { others }),
    };
  }

  /** A template has the stock of its variants, too. Sweep and reconcile see that by themselves. */
  async function enqueueTemplate(job: PartJob, part: PartStock): Promise<void> {
    if (!offerRules.wanted.variants || part.variantOf === null || isRoutine(job.event)) return;
    await queues.enqueue([{ kind: 'part', part: part.variantOf, event: job.event }]);
  }

  function skipped(job: PartJob, sku: string | undefined, reason: string, isUsual = false): SyncResult {
    const subject = sku === undefined ? `Part ${job.part}` : `SKU '${sku}'`;
    const fields = { part: job.part, sku, outcome: 'skipped' };
    log[isUsual ? 'debug' : levelOf(job)](`${subject} skipped: ${reason} (part ${job.part}, ${job.event})`, fields);
    return { outcome: 'skipped', part: job.part, sku };
  }
}

type SkuResults = readonly [SkuResult, ...SkuResult[]];

function historyOf(part: number, results: SkuResults): HistoryLine[] {
  return results
    .filter(({ isNews }) => isNews)
    .map(({ sku, outcome, from = null, target, note = null }) => {
      return { sku, part, outcome, from, to: formatTarget(target), note };
    });
}

/** Syncs all SKUs side by side. Where some fail, the others are synced all the same, and the first error is thrown. */
async function syncAll(
  skus: readonly string[],
  progress: JobRun['progress'],
  sync: (sku: string, ownProgress: JobRun['progress']) => Promise<SkuResult>,
): Promise<SkuResults> {
  const progresses = skus.map((): JobRun['progress'] => ({}));
  const settled = await Promise.allSettled(skus.map((sku, index) => sync(sku, progresses[index] ?? {})));
  const failedAt = settled.findIndex(({ status }) => status === 'rejected');
  Object.assign(progress, progresses[Math.max(0, failedAt)]);
  const failed = settled[failedAt];
  if (failed?.status === 'rejected') throw failed.reason;
  const [first, ...others] = settled.flatMap(result => (result.status === 'fulfilled' ? [result.value] : []));
  if (!first) throw new Error('expected at least one SKU');
  return [first, ...others];
}

function wasWritten(state: PartState): boolean {
  return skusIn(state).some(sku => skuStateIn(state, sku)?.outcome === 'updated');
}
