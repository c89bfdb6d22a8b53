import {
  chunk,
  isMassZero,
  isSameSku,
  isZero,
  sameQuantities,
  showingRequired,
  targetQuantities,
  type TargetQuantities,
} from '@stock-sync/domain';
import { CallError } from '@stock-sync/http-client';
import { errorMessage, type Log } from '@stock-sync/service';
import {
  hadSku,
  isConfirmed,
  skusIn,
  skuStateIn,
  type JobOf,
  type JobQueues,
  type LastSweep,
  type LocationsVersion,
  type Parts,
  type PartState,
  type RulesInForce,
  type Semaphore,
} from '@stock-sync/state';
import type { StoreReads } from '../calls/store-reads';
import type { Connections } from '../connections';
import type { WorkerMetrics } from '../metrics';
import { createGoneParts } from './gone-parts';
import { NotYetError, WaitError } from './job-errors';
import type { OnPartGone } from './leave-sku';
import { massZeroMessage } from './mass-zero';
import type { NewProducts } from './new-products';
import type { SalesDocuments } from './sales-documents';
import { requireRest } from './rest';
import { ROUTINE_EVENTS } from './routine-events';
import type { TrackedChanges } from './tracked-changes';

export interface SweepDeps {
  connections: Pick<Connections, 'inventree' | 'offerRules'>;
  storeReads: Pick<StoreReads, 'showing' | 'countShowing'>;
  parts: Parts;
  queues: JobQueues;
  lastSweep: LastSweep;
  locationsVersion: Pick<LocationsVersion, 'increase'>;
  rulesInForce: Pick<RulesInForce, 'areOthers'>;
  /** One sweep at a time. */
  lease: Semaphore;
  salesDocuments: SalesDocuments;
  newProducts: NewProducts;
  trackedChanges: TrackedChanges;
  /** Whether the store is written, rather than only compared. */
  writes: boolean;
  /** RECONCILE_MAX_ZEROED_PERCENT. */
  maxZeroedPercent: number;
  onPartGone: OnPartGone;
  /** The clock of Redis. */
  now: () => number;
  metrics: WorkerMetrics;
  log: Log;
}

/** What a sweep found. */
export interface SweepResult {
  parts: number;
  /** Parts that changed since their last sync, and were queued for sync. */
  changed: number;
  /** Parts that would fall to zero, held back by the mass-zero guard. */
  heldBack: number;
}

/** Without our plugin a sweep costs InvenTree seconds, so it takes a tenth of the time at most. */
const REST_PER_PLAIN_SWEEP = 9;
/** How soon a sweep that must not be left out tries again while another one is running, in milliseconds. */
const RETRY_MS = 1_000;
/** Parts in one round trip to Redis. */
const PARTS_PER_CALL = 1_000;
/**
 * Parts that one sweep or reconcile enqueues; the next ones enqueue the rest. A waiting job takes about 1 KiB in Redis.
 */
export const MAX_ENQUEUED = 20_000;

interface ChangedPart {
  part: number;
  sku: string | undefined;
  /** Whether `sku` is the one that the part had, and that falls to zero with it. */
  isLeft?: boolean;
}

/**
 * The handler of `sweep`: finds changes that no event reported. It reads all parts, compares each with its last sync,
 * and enqueues those that differ; a part that was never synced differs, and so does one that is gone. It writes nothing
 * itself: the job reads the part again. While another sweep is running it does nothing, or, where any part may have
 * changed, it waits.
 */
export function createSweep(deps: SweepDeps) {
  const { connections, parts, queues, lastSweep, metrics, log } = deps;
  let heldBackBefore = 0;

  return {
    async run({ everything = false }: Pick<JobOf<'sweep'>, 'everything'> = {}): Promise<SweepResult | undefined> {
      if (everything) requireRest(await lastSweep.get(), deps.now(), 'all parts were compared just now');
      const release = await deps.lease.tryAcquire();
      if (!release && everything) throw new NotYetError('another sweep is running', RETRY_MS);
      if (!release) return undefined;
      try {
        // A reconcile says first what they change.
        if (await deps.rulesInForce.areOthers()) {
          await queues.enqueue([{ kind: 'reconcile', event: 'other rules', retriesFailed: true }]);
          if (everything) throw new NotYetError('the rules were changed, and a reconcile comes first', RETRY_MS);
          return undefined;
        }
        // A location that was moved or deleted may be the reason: no part may be synced by the old tree.
        if (everything) await deps.locationsVersion.increase();
        if (everything) return await sweep();
        const [result] = await Promise.all([sweepOrRest(), deps.salesDocuments.check(), deps.newProducts.check()]);
        return result;
      } finally {
        await release();
      }
    },
  };

  async function sweepOrRest(): Promise<SweepResult | undefined> {
    const last = await lastSweep.get();
    if (!last || last.byPlugin || deps.now() >= last.at + REST_PER_PLAIN_SWEEP * last.tookMs) return sweep();
    await deps.trackedChanges.check();
    return undefined;
  }

  async function sweep(): Promise<SweepResult> {
    const startedAt = Date.now();
    const offers = await connections.offerRules.offers(startedAt);
    const changed: ChangedPart[] = [];
    const empty: (ChangedPart & { sku: string })[] = [];
    const leave = (part: number, sku: string) =>
      (deps.onPartGone === 'zero' ? empty : changed).push({ part, sku, isLeft: true });
    const gone = createGoneParts(parts);
    let [count, remembersStock, byPlugin] = [0, 0, true];

    for await (const page of connections.inventree.walkStock(connections.offerRules.wanted)) {
      byPlugin = page.byPlugin;
      count += page.parts.length;
      const ids = page.parts.map(part => part.pk);
      const remembered = await parts.get(ids);
      gone.saw(ids, remembered);
      const newSkus: { sku: string; part: number }[] = [];
      for (const [index, part] of page.parts.entries()) {
        const before = remembered[index];
        // A category or a location that was created since the setup was read: the next sweep knows it.
        if (offers.isAhead(part)) continue;
        const offer = offers.of(part);
        const skus = 'skus' in offer ? offer.skus : [];
        const target = offer.kind === 'offered' ? offer.stock.target : undefined;
        if (before && showedStock(before)) remembersStock++;
        newSkus.push(...skus.filter(sku => !hadSku(before, sku)).map(sku => ({ sku, part: part.pk })));
        if (!hasChanged(skus, target && targetQuantities(target), before, deps.writes)) continue;
        const [sku] = skus;
        const [left] = skusIn(before).filter(old => !skus.some(now => isSameSku(old, now)));
        // Its old SKU falls to zero with it, unless another part has it.
        if (left !== undefined) leave(part.pk, left);
        else if (sku !== undefined && target && isZero(target)) empty.push({ part: part.pk, sku });
        else changed.push({ part: part.pk, sku });
      }
      // When the walk is over, all parts of a SKU are known, so that a first sync need not ask for each SKU.
      await parts.addSkus(newSkus);
    }
    // The sync of a part that is gone takes its SKU to zero, or syncs the parts that still have it.
    for (const { part, sku } of await gone.find()) leave(part, sku);

    const { allowed, heldBack, showing } = await guardMassZero(empty.slice(0, MAX_ENQUEUED), remembersStock);
    const enqueued = [...changed, ...allowed];
    await enqueue(enqueued.slice(0, MAX_ENQUEUED));
    const tookMs = Date.now() - startedAt;
    await lastSweep.set({ at: deps.now(), tookMs, byPlugin, heldBack });
    const result = { parts: count, changed: enqueued.length, heldBack };
    report(result, showing, tookMs);
    return result;
  }

  /**
   * Of the parts without stock, those that may be written: the guard counts from what the store shows, so that it also
   * works while nothing is remembered. If the store cannot be read now, the next sweep finds them again.
   */
  async function guardMassZero<Part extends { sku: string }>(
    empty: readonly Part[],
    remembersStock: number,
  ): Promise<{ allowed: Part[]; heldBack: number; showing: number }> {
    if (empty.length === 0) return { allowed: [], heldBack: 0, showing: 0 };
    try {
      const falling = await deps.storeReads.showing(empty.map(({ sku }) => sku));
      const required = showingRequired(falling.size, deps.maxZeroedPercent);
      const showing =
        required === 0
          ? falling.size
          : ((await deps.storeReads.countShowing(required)) ?? Math.max(falling.size, remembersStock));
      if (!isMassZero(falling.size, showing, deps.maxZeroedPercent)) {
        return { allowed: [...empty], heldBack: 0, showing };
      }
      return { allowed: empty.filter(({ sku }) => !falling.has(sku)), heldBack: falling.size, showing };
    } catch (error) {
      if (!(error instanceof CallError || error instanceof WaitError)) throw error;
      log.debug(`Sweep: ${empty.length} parts have no stock, and the store cannot be read: ${errorMessage(error)}`);
      return { allowed: [], heldBack: heldBackBefore, showing: 0 };
    }
  }

  async function enqueue(changed: readonly ChangedPart[]): Promise<void> {
    for (const some of chunk(changed, PARTS_PER_CALL)) {
      await parts.markSkusChecked(some.flatMap(({ sku }) => sku ?? []));
      await queues.enqueue(
        some.map(({ part, isLeft = false }) => {
          const event = isLeft ? ROUTINE_EVENTS.leftSku : ROUTINE_EVENTS.sweep;
          return { kind: 'part', part, event } as const;
        }),
      );
    }
  }

  function report({ parts: count, changed, heldBack }: SweepResult, showing: number, tookMs: number): void {
    metrics.sweepSeconds.set(tookMs / 1000);
    metrics.sweptParts.set({ result: 'all' }, count);
    metrics.sweptParts.set({ result: 'differ' }, changed);
    metrics.sweptParts.set({ result: 'held back' }, heldBack);
    const line = `Sweep: ${changed} of ${count} parts changed since their last sync (${(tookMs / 1000).toFixed(1)} s)`;
    const which = changed > MAX_ENQUEUED ? `, the first ${MAX_ENQUEUED} are queued` : ', they are queued for sync';
    if (changed > 0) log.info(`${line}${which}`, { parts: count, changed });
    else log.debug(line, { parts: count, changed });
    if (heldBack > 0 && heldBack !== heldBackBefore) {
      log.error(`Sweep: ${massZeroMessage(heldBack, showing, deps.maxZeroedPercent)}`, { heldBack, showing });
    }
    if (heldBack === 0 && heldBackBefore > 0) log.info('Sweep: the mass-zero guard holds nothing back any more');
    heldBackBefore = heldBack;
  }
}

/**
 * Whether a part must be synced: its SKUs or its target are not those of its last sync.
 * @param target undefined where the part is not offered, or a parameter of it is wrong
 */
export function hasChanged(
  skus: readonly string[],
  target: TargetQuantities | undefined,
  before: PartState | undefined,
  writes: boolean,
): boolean {
  const had = skusIn(before);
  // A part without a SKU is in no store; if it had one, its sync reports that.
  if (!before) return skus.length > 0;
  if (had.length !== skus.length || !skus.every(sku => hadSku(before, sku))) return true;
  // A dry run is still to be done.
  if (writes && skus.some(sku => skuStateIn(before, sku)?.outcome === 'dry run')) return true;
  return !sameQuantities(before.own ?? before.target, target);
}

function showedStock(state: PartState): boolean {
  return isConfirmed(state) && Object.values(state.target ?? {}).some(quantity => quantity !== '0');
}
