import { setTimeout as sleep } from 'node:timers/promises';
import {
  formatSkuField,
  formatStoreStock,
  formatTarget,
  hasOwnStock,
  isSameSku,
  isUndone,
  partsThatCount,
  sameQuantities,
  sameWrites,
  sellsOut,
  skuOf,
  stockChanges,
  targetQuantities,
  targetStock,
  throttleRun,
  type SkuField,
  type StockChange,
  type StoreStock,
  type TargetQuantities,
  type WrittenDifference,
} from '@stock-sync/domain';
import type { PartStock } from '@stock-sync/inventree-client';
import type { Log } from '@stock-sync/service';
import { type Fencing, type JobOf, type JobQueues, type Outcome, type Parts } from '@stock-sync/state';
import type { PartReads } from '../calls/part-reads';
import type { ProductLookups } from '../calls/product-lookups';
import type { SellingRulesLookups } from '../calls/selling-rules';
import type { SkuLookups } from '../calls/sku-lookups';
import type { StockWrites } from '../calls/stock-writes';
import type { StoreReads } from '../calls/store-reads';
import type { Connections } from '../connections';
import { AmbiguousSkuError, LOCKED_MS, NotYetError } from './job-errors';
import type { JobRun } from './job-run';
import type { createLeaveSku } from './leave-sku';
import { isRoutine } from './routine-events';

type PartJob = JobOf<'part'>;

/** Why nothing is written. */
export type DryRun = 'DRY_RUN' | 'ENABLE_SYNC off';

export interface SyncPartDeps {
  fencing: Fencing;
  partReads: PartReads;
  skuLookups: SkuLookups;
  productLookups: ProductLookups;
  storeReads: StoreReads;
  sellingRules: SellingRulesLookups;
  stockWrites: StockWrites;
  leaveSku: ReturnType<typeof createLeaveSku>;
  connections: Pick<Connections, 'locationTree' | 'rules'>;
  parts: Parts;
  queues: JobQueues;
  skuField: SkuField;
  dryRun: DryRun | undefined;
  /** The clock of Redis: events and writes of other processes are compared. */
  now: () => number;
  log: Log;
}

/** How the sync of a part ended. */
export interface SyncResult {
  /** `overtaken`: a later read of the part has begun elsewhere, and its result counts. */
  outcome: Exclude<Outcome, 'failed'> | 'overtaken';
  part: number;
  sku: string | undefined;
  /** What the store should show, where that is known. */
  target?: TargetQuantities;
}

const LEFT_TO_SWEEP = 'its part was deleted or renamed, and the sweep that follows decides what the store shows';

/**
 * The handler of `part`: makes the store equal to the part's stock as it is now. It reads the part, decides SKU and
 * target, reads what the store shows, and writes what differs, in calls that are shared with other parts unless the job
 * runs alone.
 */
export function createSyncPart(deps: SyncPartDeps) {
  const { parts, queues, skuField, dryRun, log } = deps;

  return {
    async run(job: PartJob, { alone, progress }: JobRun): Promise<SyncResult> {
      const { part: id } = job;
      const [before] = await parts.get([id]);
      const throttle = throttleRun(job.acceptedAt, before?.outcome === 'updated' ? before : undefined, deps.now());
      if (throttle.waitUntil !== undefined) {
        throw new NotYetError(`part ${id} was written a moment ago`, throttle.waitUntil - deps.now());
      }
      await sleep(Math.max(0, throttle.gatherUntil - deps.now()));

      // The token first: a write that it does not stop has reached the store before any of our reads.
      const token = await deps.fencing.startRead(id);
      const early = before && { sku: before.sku, store: deps.storeReads.load(before.sku, alone) };
      // Its failure matters only where its result is used.
      early?.store.catch(() => undefined);
      const part = await deps.partReads.load(id, alone);
      if (!part) {
        const isDone = !before || (await deps.leaveSku.run({ job, before, part, newSku: undefined, token, alone }));
        if (!isDone) return skipped(job, before.sku, LEFT_TO_SWEEP);
        return skipped(job, before?.sku, 'InvenTree has no such part');
      }
      if (part.virtual) return skipped(job, part.name, 'the part is virtual, so it holds no stock in InvenTree');
      const sku = skuOf(part, skuField);
      if (before && (sku === undefined || !isSameSku(before.sku, sku))) {
        const isDone = await deps.leaveSku.run({ job, before, part, newSku: sku, token, alone });
        if (!isDone) return skipped(job, before.sku, LEFT_TO_SWEEP);
      }
      if (sku === undefined)
        return skipped(job, undefined, `the part has no ${formatSkuField(skuField)} that could be a SKU`);
      progress.sku = sku;

      const target = targetStock(part.stock, deps.connections.rules, await deps.connections.locationTree.sources());
      const quantities = targetQuantities(target);
      progress.target = quantities;
      const result = { part: id, sku, target: quantities };
      const isSameTarget =
        before !== undefined && isSameSku(before.sku, sku) && sameQuantities(before.target, quantities);
      const [partsWithSku, { product, store }] = await Promise.all([
        deps.skuLookups.load({ sku, part: id }, alone),
        readStore(sku, early, alone),
      ]);
      const counting = await countingParts(partsWithSku, part, alone);
      if (counting.length > 1) throw new AmbiguousSkuError(sku, counting);
      if (!counting.includes(id)) {
        await remember('skipped');
        const reason = `the part is inactive, and part ${counting.join()} with the same SKU is active`;
        return skipped(job, sku, reason, before?.outcome === 'skipped');
      }
      if (!product || !hasOwnStock(product.typeId)) {
        await remember('skipped');
        const reason = product
          ? `a ${product.typeId} product has no stock of its own`
          : 'Magento has no product with this SKU';
        return skipped(job, sku, reason, before?.outcome === 'skipped');
      }

      let changes = stockChanges(target, store);
      const shows = formatStoreStock(store);
      progress.shows = shows;
      const writes = changes.length > 0 ? sameWrites(isSameTarget ? before.difference : undefined, shows) : 0;
      if (sellsOut(changes) || isUndone(writes)) {
        const rules = await deps.sellingRules.load(product.sku);
        if (!rules.managesStock) {
          return left('Magento does not manage the stock of this product');
        }
        changes = stockChanges(target, store, rules);
        if (changes.length > 0 && isUndone(writes)) {
          return left(
            `it shows ${shows} again after ${writes} writes of ${formatTarget(quantities)}, so something in the ` +
              'store undoes them. It is left until its stock or the store changes, or until: ' +
              'npm run reconcile -- --force',
          );
        }
      }
      if (changes.length === 0) {
        await remember('unchanged');
        log[levelOf(job)](
          `Magento 2 SKU '${sku}' already shows ${formatTarget(quantities)} (part ${id}, ${job.event})`,
          result,
        );
        return { ...result, outcome: 'unchanged' };
      }
      if (dryRun) {
        await remember('dry run');
        for (const change of changes) log.info(dryRunLine(job, sku, change), result);
        return { ...result, outcome: 'dry run' };
      }
      const written = await deps.stockWrites.load(
        {
          sku: product.sku,
          stock: changes,
          read: { part: id, sku: product.sku, token },
          isThrottled: throttle.throttledRuns > 0,
        },
        alone,
      );
      if (written === 'locked') throw new NotYetError(`another worker is writing SKU '${sku}'`, LOCKED_MS);
      // Another job read the part after this one, and its worker may have died since: sync it once more.
      if (written !== 'written') await queues.enqueue([job]);
      if (written === 'overtaken') {
        log.info(`SKU '${sku}' not written: part ${id} was read again meanwhile (${job.event})`, result);
        return { ...result, outcome: 'overtaken' };
      }
      await remember('updated', throttle.throttledRuns, { shows, writes: writes + 1 });
      for (const change of changes) log.info(updatedLine(job, sku, change), { ...result, ...change });
      return { ...result, outcome: 'updated' };

      function remember(outcome: Outcome, throttledRuns = 0, written?: WrittenDifference): Promise<void> {
        const difference = written ?? (isSameTarget ? before.difference : undefined);
        const state = { sku: result.sku, outcome, at: deps.now(), target: quantities, throttledRuns, difference };
        return parts.set(id, state, before?.sku);
      }

      /** The store is not written, which is said once. */
      async function left(reason: string): Promise<SyncResult> {
        const isKnown = isSameTarget && before.outcome === 'left' && before.difference?.shows === shows;
        await remember('left', 0, { shows, writes });
        log[isKnown ? 'debug' : 'warn'](`SKU '${result.sku}' is not written: ${reason} (part ${id}, ${job.event})`, {
          ...result,
          outcome: 'left',
        });
        return { ...result, outcome: 'left' };
      }
    },
  };

  /** The parts whose stock counts for the SKU that all of them have. */
  async function countingParts(ids: readonly number[], part: PartStock, alone: boolean): Promise<number[]> {
    if (ids.length === 1) return [...ids];
    const all = await Promise.all(ids.map(async id => (id === part.pk ? part : deps.partReads.load(id, alone))));
    return partsThatCount(all.filter(found => found !== undefined));
  }

  /**
   * What the store has for a SKU. Without a row of stock, a remembered product is not good enough: it may have been
   * deleted, and a write would leave a source item without a product.
   */
  async function readStore(
    sku: string,
    early: { sku: string; store: Promise<StoreStock[]> } | undefined,
    alone: boolean,
  ) {
    const [product, store] = await Promise.all([
      deps.productLookups.load({ sku, trust: 'recent presence' }, alone),
      early?.sku === sku ? early.store : deps.storeReads.load(sku, alone),
    ]);
    if (!product || store.length > 0) return { product, store };
    return { product: await deps.productLookups.load({ sku, trust: 'nothing' }, alone), store };
  }

  /** `isKnown`: the log said so before. Most parts of a factory are never sold online. */
  function skipped(job: PartJob, sku: string | undefined, reason: string, isKnown = false): SyncResult {
    const subject = sku === undefined ? `Part ${job.part}` : `SKU '${sku}'`;
    const fields = { part: job.part, sku, outcome: 'skipped' };
    log[isKnown ? 'debug' : levelOf(job)](`${subject} skipped: ${reason} (part ${job.part}, ${job.event})`, fields);
    return { outcome: 'skipped', part: job.part, sku };
  }

  function dryRunLine(job: PartJob, sku: string, { from, to }: StockChange): string {
    const line = `[DRY RUN] Would update Magento 2 SKU '${sku}' from ${from} to ${to} (part ${job.part}, ${job.event})`;
    return dryRun === 'DRY_RUN' ? line : `${line}: nothing is written while ENABLE_SYNC is off`;
  }
}

function levelOf({ event }: PartJob): 'debug' | 'info' {
  return isRoutine(event) ? 'debug' : 'info';
}

function updatedLine(job: PartJob, sku: string, { sourceCode, from, to, inStock }: StockChange): string {
  const where = sourceCode === 'default' ? '' : ` at source ${sourceCode}`;
  const stock = inStock ? 'in stock' : 'out of stock';
  return `Magento 2 SKU '${sku}'${where} updated from ${from} to ${to}, ${stock} (part ${job.part}, ${job.event})`;
}
