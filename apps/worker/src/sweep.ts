import { CallError } from '@stock-sync/http-client';
import type { InvenTreeClient, PartStock } from '@stock-sync/inventree-client';
import {
  bears,
  type CallPlaces,
  type KnownPart,
  type KnownParts,
  type LastSweep,
  type SyncQueue,
} from '@stock-sync/queue';
import { createGoneParts, heldBackInWords } from '@stock-sync/reconcile';
import type { Log } from '@stock-sync/service';
import {
  isBraked,
  isNothing,
  showingNeeded,
  parameterOf,
  skuOf,
  wantedInWords,
  wantedStock,
  type QuantityRules,
  type SkuField,
  type WantedStock,
} from '@stock-sync/sync-core';
import type { SourceLocationsSince } from '@stock-sync/systems';
import type { WorkerMetrics } from './metrics';
import type { StoreStock } from './store-stock';

/** What the jobs that a sweep enqueues are asked by. */
export const SWEEP = 'sweep';

export interface Sweep {
  inventree: InvenTreeClient;
  sourceLocations: SourceLocationsSince;
  knownParts: KnownParts;
  queue: SyncQueue;
  lastSweep: LastSweep;
  /** One place: for the one sweep that is under way. */
  turn: CallPlaces;
  /** Has parts looked at whose stock Magento changed by itself. */
  lookAtDeductions: () => Promise<void>;
  /** Has parts looked at whose product was created in Magento since. */
  lookAtNewProducts: () => Promise<void>;
  /** Has parts looked at that InvenTree's tracking tells of. */
  lookAtTracked: () => Promise<void>;
  skuField: SkuField;
  rules: QuantityRules;
  /** What the store shows, for the brake. */
  storeStock: StoreStock;
  /** Whether the store is written, rather than only looked at. */
  writes: boolean;
  /** RECONCILE_MAX_ZEROED_PERCENT. */
  mostZeroedPercent: number;
  metrics: WorkerMetrics;
  log: Log;
}

/** What a sweep found. */
export interface SweepResult {
  parts: number;
  /** Parts that are not as they were last seen, and are looked at. */
  differ: number;
  /** Parts that would fall to zero and are held back by the brake. */
  heldBack: number;
}

/** Without our plugin a sweep costs InvenTree seconds: it then takes at most a tenth of its time. */
const REST_PER_PLAIN_SWEEP = 9;
/** Parts in one round trip to the queue. */
const MOST_JOBS = 1_000;
/** Parts that one sweep enqueues; the rest is left to the next ones. A job takes about a KiB of Redis. */
export const MOST_LOOKED_AT = 20_000;

/**
 * Finds what no event told: walks all parts as InvenTree has them now, compares each with what was last seen of it, and
 * enqueues those that differ; a part that was never seen differs, and so does one that is gone. It writes nothing itself: whoever does the job reads the
 * part anew. Does nothing while another sweep is under way.
 */
export function createSweep(given: Sweep): () => Promise<SweepResult | undefined> {
  const { inventree, knownParts, queue, lastSweep, skuField, rules, metrics, log } = given;
  let heldBackBefore = 0;

  return async () => {
    const leave = await given.turn.tryEnter();
    if (!leave) return undefined;
    try {
      const [result] = await Promise.all([sweepOrRest(), given.lookAtDeductions(), given.lookAtNewProducts()]);
      return result;
    } finally {
      await leave();
    }
  };

  async function sweepOrRest(): Promise<SweepResult | undefined> {
    const last = await lastSweep.get();
    if (!last || last.byPlugin || Date.now() >= last.at + REST_PER_PLAIN_SWEEP * last.tookMs) return sweep();
    await given.lookAtTracked();
    return undefined;
  }

  async function sweep(): Promise<SweepResult> {
    const startedAt = Date.now();
    const sources = await given.sourceLocations(startedAt);
    const parameter = parameterOf(skuField);
    const differing: { part: number; sku: string | undefined }[] = [];
    const empty: { part: number; sku: string }[] = [];
    const goneParts = createGoneParts(knownParts);
    let [parts, shown, byPlugin] = [0, 0, true];

    for await (const page of inventree.walkStock(parameter)) {
      byPlugin = page.byPlugin;
      parts += page.parts.length;
      const ids = page.parts.map(part => part.pk);
      const known = await knownParts.parts(ids);
      goneParts.cameBy(ids, known);
      const bearers: { sku: string; part: number }[] = [];
      for (const [index, part] of page.parts.entries()) {
        const before = known[index];
        const sku = part.virtual ? undefined : skuOf(part, skuField);
        const wanted = wantedStock(part.stock, rules, sources);
        if (before && showsStock(before)) shown++;
        if (sku !== undefined && !bears(before, sku)) bearers.push({ sku, part: part.pk });
        if (!differs(part, sku, wanted, before, given.writes)) continue;
        if (sku !== undefined && isNothing(wanted)) empty.push({ part: part.pk, sku });
        else differing.push({ part: part.pk, sku });
      }
      // Who bears a SKU is known for all of them once the walk is over: so a first sweep need not ask for each.
      await knownParts.addBearers(bearers);
    }
    // Whoever looks at one says so, and looks at those that bear its SKU still.
    for (const part of await goneParts.found()) differing.push({ part, sku: undefined });

    const { allowed, heldBack, showing } = await braked(empty.slice(0, MOST_LOOKED_AT), shown);
    const looked = [...differing, ...allowed];
    await enqueue(looked.slice(0, MOST_LOOKED_AT));
    const tookMs = Date.now() - startedAt;
    await lastSweep.set({ at: Date.now(), tookMs, byPlugin });
    tellOf({ parts, differ: looked.length, heldBack }, showing, tookMs);
    return { parts, differ: looked.length, heldBack };
  }

  /**
   * Of the parts that have nothing left, those that may be looked at. The rest would empty much of the store at once; or the
   * store can't be read just now, and the next sweep finds them again.
   */
  async function braked(
    empty: readonly { part: number; sku: string }[],
    remembered: number,
  ): Promise<{ allowed: { part: number; sku: string }[]; heldBack: number; showing: number }> {
    if (empty.length === 0) return { allowed: [], heldBack: 0, showing: remembered };
    try {
      const falling = await given.storeStock.showing(empty.map(({ sku }) => sku));
      const needed = showingNeeded(falling.size, given.mostZeroedPercent);
      const showing = needed === 0 ? 0 : ((await given.storeStock.count(needed)) ?? Math.max(falling.size, remembered));
      const isHeldBack = isBraked(falling.size, showing, given.mostZeroedPercent);
      const allowed = isHeldBack ? empty.filter(({ sku }) => !falling.has(sku)) : [...empty];
      return { allowed, heldBack: isHeldBack ? falling.size : 0, showing };
    } catch (error) {
      if (!(error instanceof CallError)) throw error;
      log.debug(`sweep: ${empty.length} parts have nothing left, and the store can't be read: ${error.message}`);
      return { allowed: [], heldBack: 0, showing: remembered };
    }
  }

  async function enqueue(looked: readonly { part: number; sku: string | undefined }[]): Promise<void> {
    for (let start = 0; start < looked.length; start += MOST_JOBS) {
      const some = looked.slice(start, start + MOST_JOBS);
      await knownParts.bearersAreKnown(some.flatMap(({ sku }) => sku ?? []));
      const acceptedAt = Date.now();
      await queue.enqueue(some.map(({ part }) => ({ kind: 'part', part, event: SWEEP, acceptedAt })));
    }
  }

  function tellOf({ parts, differ, heldBack }: SweepResult, shown: number, tookMs: number): void {
    metrics.sweepSeconds.set(tookMs / 1000);
    metrics.sweptParts.set({ result: 'all' }, parts);
    metrics.sweptParts.set({ result: 'differ' }, differ);
    metrics.sweptParts.set({ result: 'held back' }, heldBack);
    const line = `sweep: ${differ} of ${parts} parts are not as they were last seen (${(tookMs / 1000).toFixed(1)} s)`;
    const which = differ > MOST_LOOKED_AT ? `the first ${MOST_LOOKED_AT} of them` : 'them';
    if (differ > 0) log.info(`${line}: looking at ${which}`, { parts, differ });
    else log.debug(line, { parts, differ });
    if (heldBack > 0 && heldBack !== heldBackBefore) {
      log.error(`sweep: ${heldBackInWords(heldBack, `${shown} SKUs`, given.mostZeroedPercent)}`, { heldBack, shown });
    }
    if (heldBack === 0 && heldBackBefore > 0) log.info('sweep: nothing is held back any more');
    heldBackBefore = heldBack;
  }
}

/** Whether a part is to be looked at: its SKU or what the store should show is not what was last seen of it. */
export function differs(
  part: PartStock,
  sku: string | undefined,
  wanted: readonly WantedStock[],
  before: KnownPart | undefined,
  writes: boolean,
): boolean {
  // Without a SKU it is of no store; but where it had one, whoever looks at it says so.
  if (sku === undefined) return before !== undefined && !part.virtual;
  if (!before || !bears(before, sku)) return true;
  // What was only tried in a dry run is still to be done.
  if (writes && before.outcome === 'dry run') return true;
  return before.seen !== wantedInWords(wanted);
}

function showsStock({ confirmed }: KnownPart): boolean {
  return /[1-9]/.test(confirmed.replace(/\S+: /g, ''));
}
