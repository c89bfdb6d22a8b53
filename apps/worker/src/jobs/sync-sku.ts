import {
  formatStoreStock,
  formatTarget,
  hasOwnStock,
  isUndone,
  partsThatCount,
  sameQuantities,
  sameWrites,
  sellsOut,
  stockChanges,
  sumOfTargets,
  targetQuantities,
  type StockChange,
  type StoreStock,
  type TargetQuantities,
  type TargetStock,
  type Throttle,
  withUnbooked,
  type WrittenDifference,
} from '@stock-sync/domain';
import type { PartStock } from '@stock-sync/inventree-client';
import type { Log } from '@stock-sync/service';
import { skuStateIn, type JobOf, type JobQueues, type Outcome, type PartState, type Unbooked } from '@stock-sync/state';
import type { PartReads } from '../calls/part-reads';
import type { ProductLookups } from '../calls/product-lookups';
import type { SellingRulesLookups } from '../calls/selling-rules';
import type { SkuLookups } from '../calls/sku-lookups';
import type { StockWrites } from '../calls/stock-writes';
import type { StoreReads } from '../calls/store-reads';
import type { Connections } from '../connections';
import { AmbiguousSkuError, LOCKED_MS, NotYetError } from './job-errors';
import type { JobRun } from './job-run';
import { isRoutine } from './routine-events';

/** Why nothing is written. */
export type DryRun = 'DRY_RUN' | 'ENABLE_SYNC off';

export interface SyncSkuDeps {
  partReads: PartReads;
  skuLookups: SkuLookups;
  productLookups: ProductLookups;
  storeReads: StoreReads;
  sellingRules: SellingRulesLookups;
  stockWrites: StockWrites;
  connections: Pick<Connections, 'offerRules' | 'stockApi'>;
  queues: JobQueues;
  dryRun: DryRun | undefined;
  log: Log;
}

/** A SKU of a part that was just read. */
export interface SkuSync {
  job: JobOf<'part'>;
  part: PartStock;
  before: PartState | undefined;
  sku: string;
  /** What the stock of the part itself comes to. */
  own: TargetStock;
  /** What the store had for a SKU, if that was read already. */
  early: { sku: string; store: Promise<StoreStock[]> } | undefined;
  /** What was unbooked before the read; undefined where orders are off. */
  unbooked: Unbooked | undefined;
  /** The fencing token of the read. */
  token: string;
  throttle: Throttle;
  alone: boolean;
  progress: JobRun['progress'];
}

/** How the sync of a SKU ended. */
export interface SkuResult {
  sku: string;
  /** `overtaken`: a later read of the part has begun elsewhere, and its result counts. */
  outcome: Exclude<Outcome, 'failed'> | 'overtaken';
  /** What the store should show. */
  target: TargetQuantities;
  difference: WrittenDifference | undefined;
  /** What the store showed before, for people; undefined where it was not read. */
  from?: string;
  /** Why, where the outcome does not say it. */
  note?: string;
  /** Whether it is worth an entry in the history: most parts of a factory are skipped at every event. */
  isNews: boolean;
}

/** A part that is for sale, with its id and what its own stock comes to. */
interface OfferedPart {
  pk: number;
  active: boolean;
  target: TargetStock;
}

/** Makes the store equal to what one SKU should show: reads the store, and writes what differs. */
export function createSyncSku(deps: SyncSkuDeps) {
  const { queues, dryRun, log } = deps;
  const { offerRules } = deps.connections;

  return async ({ job, part, before, sku, early, unbooked, own, token, throttle, alone, progress }: SkuSync) => {
    const id = part.pk;
    progress.sku = sku;
    progress.target = targetQuantities(own);
    const known = skuStateIn(before, sku);
    const [partsWithSku, { store, refusal }] = await Promise.all([
      deps.skuLookups.load({ sku, part: id }, alone),
      readStore(sku, early, alone),
    ]);
    const counting = await countingParts(partsWithSku, { pk: id, active: part.active, target: own }, alone);
    const isSummed = offerRules.rules.sharedSku === 'sum';
    if (counting.length > 1 && !isSummed)
      throw new AmbiguousSkuError(
        sku,
        counting.map(({ pk }) => pk),
      );
    const [first] = counting;
    const forSale = first?.pk === id ? sumOfTargets(counting.map(one => one.target)) : own;
    const units = unbooked?.of(sku) ?? {};
    const target = withUnbooked(forSale, units);
    const quantities = targetQuantities(target);
    progress.target = quantities;
    if (counting.length > 1 || Object.keys(units).length > 0) progress.own = targetQuantities(own);
    const result = { part: id, sku, target: quantities, webhook: job.webhook };
    const isSameTarget = known !== undefined && sameQuantities(before?.target, quantities);
    const lastDifference = isSameTarget ? known.difference : undefined;

    if (!counting.some(({ pk }) => pk === id)) {
      const active = counting.map(({ pk }) => pk).join();
      return skipped(`the part is inactive, and part ${active} with the same SKU is active`);
    }
    if (first && first.pk !== id) {
      // One part's job writes the sum, so that no other one can write an older sum after it.
      await queues.enqueue([{ kind: 'part', part: first.pk, event: job.event }]);
      return skipped(`its stock is part of the sum that part ${first.pk} syncs`);
    }
    if (refusal !== undefined) return skipped(refusal);

    let changes = stockChanges(target, store);
    const shows = formatStoreStock(store);
    progress.shows = shows;
    const writes = changes.length > 0 ? sameWrites(lastDifference, shows) : 0;
    if (sellsOut(changes) || isUndone(writes)) {
      const rules = await deps.sellingRules.load(sku);
      if (!rules.managesStock) return left('Magento does not manage the stock of this product');
      changes = stockChanges(target, store, rules);
      if (changes.length > 0 && isUndone(writes)) {
        return left(
          `it shows ${shows} again after ${writes} writes of ${formatTarget(quantities)}, so something in the ` +
            'store undoes them. It is left until its stock or the store changes, or until: ' +
            'stock-sync reconcile --force',
        );
      }
    }
    if (changes.length === 0) {
      log[levelOf(job)](
        `Magento 2 SKU '${sku}' already shows ${formatTarget(quantities)} (part ${id}, ${job.event})`,
        result,
      );
      return ended('unchanged', lastDifference, { isNews: !isRoutine(job.event) });
    }
    if (dryRun) {
      for (const change of changes) log.info(dryRunLine(job, sku, change), result);
      return ended('dry run', lastDifference);
    }
    const written = await deps.stockWrites.load(
      {
        sku,
        stock: changes,
        read: { part: id, sku, token },
        unbooked: units,
        isThrottled: throttle.throttledRuns > 0,
      },
      alone,
    );
    if (written === 'locked') throw new NotYetError(`another worker is writing SKU '${sku}'`, LOCKED_MS);
    // Another job read the part after this one, and its worker may have died since: sync it once more.
    if (written !== 'written') await queues.enqueue([job]);
    if (written === 'overtaken') {
      log.info(`SKU '${sku}' not written: part ${id} was read again meanwhile (${job.event})`, result);
      return ended('overtaken', lastDifference);
    }
    for (const change of changes) log.info(updatedLine(job, sku, change), { ...result, ...change });
    return ended('updated', { shows, writes: writes + 1 });

    function ended(
      outcome: SkuResult['outcome'],
      difference: WrittenDifference | undefined,
      { note, isNews = true }: { note?: string; isNews?: boolean } = {},
    ): SkuResult {
      const from = progress.shows;
      const told = { ...(from !== undefined && { from }), ...(note !== undefined && { note }) };
      return { sku, outcome, target: quantities, difference, isNews, ...told };
    }

    /** Most parts of a factory are never sold online, so that is said once. */
    function skipped(reason: string): SkuResult {
      const level = known?.outcome === 'skipped' ? 'debug' : levelOf(job);
      log[level](`SKU '${sku}' skipped: ${reason} (part ${id}, ${job.event})`, { ...result, outcome: 'skipped' });
      return ended('skipped', lastDifference, { note: reason, isNews: known?.outcome !== 'skipped' });
    }

    /** The store is not written, which is said once. */
    function left(reason: string): SkuResult {
      const isKnown = isSameTarget && known.outcome === 'left' && known.difference?.shows === shows;
      log[isKnown ? 'debug' : 'warn'](`SKU '${sku}' is not written: ${reason} (part ${id}, ${job.event})`, {
        ...result,
        outcome: 'left',
      });
      return ended('left', { shows, writes }, { note: reason, isNews: !isKnown });
    }
  };

  /** The parts whose stock counts for the SKU that all of them have, by id, with what each of them has for sale. */
  async function countingParts(ids: readonly number[], own: OfferedPart, alone: boolean): Promise<OfferedPart[]> {
    const offered = await Promise.all(ids.map(async id => (id === own.pk ? own : offeredPart(id, alone))));
    return partsThatCount(offered.flatMap(part => part ?? []));
  }

  async function offeredPart(id: number, alone: boolean): Promise<OfferedPart | undefined> {
    const part = await deps.partReads.load(id, alone);
    const offer = part && (await offerRules.offerOf(part));
    return part && offer?.kind === 'offered' ? { pk: id, active: part.active, target: offer.stock.target } : undefined;
  }

  /**
   * What the store has for a SKU, and why it can have no stock of it. A source item proves that it can, whatever the
   * case of its letters (docs/facts/magento.md, "SKUs"). Without one the store is asked for the product: a
   * remembered one may have been deleted, and a write would leave a source item without a product.
   */
  async function readStore(
    sku: string,
    early: SkuSync['early'],
    alone: boolean,
  ): Promise<{ store: StoreStock[]; refusal?: string }> {
    const [{ kind }, store] = await Promise.all([
      deps.connections.stockApi.get(),
      early?.sku === sku ? early.store : deps.storeReads.load(sku, alone),
    ]);
    const hasSourceItem = kind === 'source-items' && store.length > 0;
    if (hasSourceItem) return { store };
    const trust = store.length > 0 ? 'recent presence' : 'nothing';
    const product = await deps.productLookups.load({ sku, trust }, alone);
    if (!product) return { store, refusal: 'Magento has no product with this SKU' };
    if (!hasOwnStock(product.typeId)) return { store, refusal: `a ${product.typeId} product has no stock of its own` };
    return { store };
  }

  function dryRunLine(job: JobOf<'part'>, sku: string, { from, to }: StockChange): string {
    const line = `[DRY RUN] Would update Magento 2 SKU '${sku}' from ${from} to ${to} (part ${job.part}, ${job.event})`;
    return dryRun === 'DRY_RUN' ? line : `${line}: nothing is written while ENABLE_SYNC is off`;
  }
}

/** Routine is not news. */
export function levelOf({ event }: JobOf<'part'>): 'debug' | 'info' {
  return isRoutine(event) ? 'debug' : 'info';
}

function updatedLine(job: JobOf<'part'>, sku: string, { sourceCode, from, to, inStock }: StockChange): string {
  const where = sourceCode === 'default' ? '' : ` at source ${sourceCode}`;
  const stock = inStock ? 'in stock' : 'out of stock';
  return `Magento 2 SKU '${sku}'${where} updated from ${from} to ${to}, ${stock} (part ${job.part}, ${job.event})`;
}
