import { randomUUID } from 'node:crypto';
import { chunk, type UnitsBySource } from '@stock-sync/domain';
import { mayStillTakeEffect, type CallError } from '@stock-sync/http-client';
import type { SkuStock, StockApi } from '@stock-sync/magento-client';
import type { CanarySkus, FencedRead, Fencing, PartClaims, Semaphore, WritePermission } from '@stock-sync/state';
import type { Breaker } from '../breaker/breaker';
import type { Connections } from '../connections';
import type { NotYetError } from '../jobs/job-errors';
import type { OrderStock } from '../jobs/order-changes';
import type { ResyncLater } from '../jobs/resync';
import { createBatchLoader, type BatchLoader } from './batch-loader';
import type { PartJobsUnderWay } from './part-jobs-under-way';
import { createWriteSize } from './write-size';

/** A write that a job requests. */
export interface WriteRequest extends SkuStock {
  read: FencedRead;
  /** What was unbooked when the quantity was computed, by source; undefined where it does not matter. */
  unbooked: UnitsBySource | undefined;
  /** Whether the write throttle delays the part, because its events keep coming. */
  isThrottled: boolean;
}

/**
 * `written`: the store has it. `doubtful`: it has, but meanwhile the part was read again or the lock was lost.
 * `overtaken` and `locked`: nothing was sent (see fencing.ts).
 */
export type WriteResult = 'written' | 'doubtful' | Exclude<WritePermission, 'granted'>;

/** Writes stock; never two writes of one SKU at the same time. */
export type StockWrites = BatchLoader<WriteRequest, WriteResult>;

/**
 * Larger writes are split in two, side by side, if a second slot is free: a stocktake of 100 items is then in the store
 * in little more than half the time. During a series of events fewer calls are better.
 */
const WORTH_SPLITTING = 50;
/** How long a SKU is locked without extension, in milliseconds: a worker that dies blocks it no longer. */
const LOCK_MS = 10_000;

/** Many SKUs in one call. */
export function createStockWrites(deps: {
  connections: Connections;
  breaker: Breaker;
  fencing: Fencing;
  slots: Semaphore;
  canarySkus: CanarySkus;
  resyncLater: ResyncLater;
  /** Undefined where orders are off. */
  orders: Pick<OrderStock, 'reasonToWait'> | undefined;
  jobs: PartJobsUnderWay;
  partClaims: Pick<PartClaims, 'isAnyTold'>;
}): StockWrites {
  const { connections, breaker, fencing, slots, canarySkus, orders, partClaims } = deps;

  const size = createWriteSize();

  return createBatchLoader<WriteRequest, WriteResult>({
    maxBatchSize: size.now,
    quietMs: deps.jobs.quietAfterCallMs,
    // The batch is sent when a slot is free, so that everything that comes until then is in it.
    limit: slots.within,
    run: async (requests, others) => {
      const release = others === 0 && (await isWorthSplitting(requests)) ? await slots.tryAcquire() : undefined;
      if (!release) return writeFenced(requests);
      const middle = Math.ceil(requests.length / 2);
      const halves = [writeFenced(requests.slice(0, middle)), writeFenced(requests.slice(middle)).finally(release)];
      return (await Promise.all(halves)).flat();
    },
  });

  /** Not in a series of events: it is one already where a part changed again while its first job runs. */
  async function isWorthSplitting(requests: readonly WriteRequest[]): Promise<boolean> {
    if (requests.length <= WORTH_SPLITTING || requests.some(({ isThrottled }) => isThrottled)) return false;
    return !(await partClaims.isAnyTold(readsOf(requests)));
  }

  async function writeFenced(requests: readonly WriteRequest[]): Promise<(WriteResult | CallError | NotYetError)[]> {
    const api = await connections.stockApi.get();
    const reads = readsOf(requests);
    const owner = randomUUID();
    const extending = setInterval(() => {
      fencing.extendLocks(reads, owner, LOCK_MS).catch(() => undefined);
    }, LOCK_MS / 3);
    const results: (WriteResult | CallError | NotYetError)[] = [];
    let isOursStill: boolean[] = [];
    try {
      for (const some of chunk(requests, api.skusPerCall)) {
        const call = (few: readonly WriteRequest[]) => writeGranted(api, few, owner);
        results.push(...(await breaker.guard('magento-write', some, call, few => few.map(({ sku }) => sku))));
      }
    } finally {
      clearInterval(extending);
      isOursStill = await fencing.releaseWrites(reads, owner);
    }
    await canarySkus.add(requests.filter((_, index) => results[index] === 'written').map(({ sku }) => sku));
    return results.map((result, index) => (result === 'written' && !isOursStill[index] ? 'doubtful' : result));
  }

  /**
   * Makes one call with what may be written. Permission is requested for each call, because a batch with a bad SKU is
   * split into many calls: Redis may be emptied or this worker suspended between them, and the reads become old.
   */
  async function writeGranted(
    api: StockApi,
    requests: readonly WriteRequest[],
    owner: string,
  ): Promise<(WriteResult | NotYetError)[]> {
    // Only now, for the batch waited for its slot: what the store has shipped meanwhile must not be put back.
    const mustWait = await Promise.all(
      requests.map(async ({ sku, unbooked }) =>
        unbooked === undefined ? undefined : orders?.reasonToWait(sku, unbooked),
      ),
    );
    const requestedAt = Date.now();
    const permissions = await fencing.requestWrites(readsOf(requests), owner, LOCK_MS);
    // A worker that was suspended meanwhile cannot rely on the answer.
    const isLate = Date.now() - requestedAt > LOCK_MS / 3;
    const granted = isLate ? [] : requests.filter((_, index) => permissions[index] === 'granted' && !mustWait[index]);
    if (granted.length > 0) await writeOrResync(api, granted);
    return permissions.map((permission, index) => {
      const wait = mustWait[index];
      if (wait) return wait;
      return permission !== 'granted' ? permission : isLate ? 'locked' : 'written';
    });
  }

  /** A write without an answer may still be carried out after a newer one, so its parts are synced again later. */
  async function writeOrResync(api: StockApi, requests: readonly WriteRequest[]): Promise<void> {
    const sentAt = performance.now();
    const learnSize = () => size.answered(requests.length, performance.now() - sentAt);
    try {
      await api.write(requests);
      learnSize();
    } catch (error) {
      if (mayStillTakeEffect(error as CallError)) {
        learnSize();
        await deps.resyncLater.parts(
          requests.map(({ read }) => read.part),
          'a write got no answer',
        );
      }
      throw error;
    }
  }
}

function readsOf(requests: readonly WriteRequest[]): FencedRead[] {
  return requests.map(({ read }) => read);
}
