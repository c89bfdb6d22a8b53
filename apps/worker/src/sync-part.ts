import { setTimeout as sleep } from 'node:timers/promises';
import type { PartStock } from '@stock-sync/inventree-client';
import type { Product } from '@stock-sync/magento-client';
import type { KnownPart, KnownParts, Outcome, SyncJob, SyncQueue } from '@stock-sync/queue';
import { RECONCILE } from '@stock-sync/reconcile';
import type { Log } from '@stock-sync/service';
import {
  holdsStock,
  skuKey,
  skuOf,
  stockChanges,
  wantedInWords,
  wantedStock,
  type QuantityRules,
  type ShownStock,
  type SkuField,
  type StockChange,
} from '@stock-sync/sync-core';
import type { BatchLoader } from './batch-loader';
import type { WriteRequest, WriteResult } from './stock-writes';
import type { ProductQuestion, SourceLocationsSince } from '@stock-sync/systems';
import { NEW_PRODUCT } from './new-products';
import { stormOf } from './storm';
import { SWEEP } from './sweep';
import { AmbiguousSkuError, NotYetError, PartFailedError } from './sync-errors';

export type PartJob = Extract<SyncJob, { kind: 'part' }>;

export interface SyncPart {
  /** To be called before a part is read: the ticket holds until the next read of the part begins. */
  startRead: (part: number) => Promise<string>;
  readPart: BatchLoader<number, PartStock | undefined>;
  bearersOf: BatchLoader<{ sku: string; part: number }, number[]>;
  findProduct: BatchLoader<ProductQuestion, Product | undefined>;
  readShown: BatchLoader<string, ShownStock[]>;
  write: BatchLoader<WriteRequest, WriteResult>;
  sourceLocations: SourceLocationsSince;
  knownParts: KnownParts;
  queue: SyncQueue;
  skuField: SkuField;
  rules: QuantityRules;
  /** Why nothing is written, where that is so: DRY_RUN, or ENABLE_SYNC being off. */
  dryRun: 'DRY_RUN' | 'ENABLE_SYNC off' | undefined;
  log: Log;
}

/** How long a job whose SKU another worker is writing waits, in milliseconds. */
const SKU_BUSY_MS = 500;

/** How far the sync of a part has come: for whoever must tell why it failed. */
interface Reached {
  sku: string | undefined;
  wanted: string | undefined;
}

/** What the store shows under the SKU that a part bore before, asked for while the part is read. */
interface ShownEarly {
  sku: string;
  shown: Promise<ShownStock[]>;
}

/** How the sync of a part ended well. */
export interface SyncResult {
  /** `overtaken`: a later read of the part has begun elsewhere, and what it finds counts. */
  outcome: Exclude<Outcome, 'failed'> | 'overtaken';
  part: number;
  sku: string | undefined;
  /** What the store should show, in words; where it is known. */
  wanted?: string;
}

/**
 * Makes the store equal to a part's stock as it is now: read the part, decide SKU and quantity, read what the store
 * shows, write what differs; by calls that are shared with other parts, unless it is to go alone. Rejects with a
 * NotYetError, or a PartFailedError that says how far it came.
 */
export function createSyncPart(given: SyncPart): (job: PartJob, alone?: boolean) => Promise<SyncResult> {
  const { knownParts, queue, skuField, rules, dryRun, log } = given;

  return async (job, alone = false) => {
    const reached: Reached = { sku: undefined, wanted: undefined };
    try {
      return await sync(job, alone, reached);
    } catch (error) {
      if (error instanceof NotYetError) throw error;
      throw new PartFailedError(error, reached.sku, reached.wanted);
    }
  };

  async function sync(job: PartJob, alone: boolean, reached: Reached): Promise<SyncResult> {
    const { part: id } = job;
    const startedAt = Date.now();
    const [known] = await knownParts.parts([id]);
    const storm = stormOf(job.acceptedAt, known, startedAt);
    if (storm.waitUntil !== undefined) throw new NotYetError(`part ${id} was written a moment ago`, storm.waitUntil);
    if (storm.gatherUntil > startedAt) await sleep(storm.gatherUntil - startedAt);
    // The ticket first: a write that it does not stop has landed before any of our reads.
    const ticket = await given.startRead(id);
    const shownEarly = known && { sku: known.sku, shown: given.readShown(known.sku, alone) };
    // Whether it failed is told where it is needed.
    shownEarly?.shown.catch(() => undefined);
    const part = await given.readPart(id, alone);
    if (!part) return partIsGone(job, known);
    if (part.virtual) return skipped(job, part.name, 'the part is virtual, it holds no stock in InvenTree');
    const sku = skuOf(part, skuField);
    if (known && (sku === undefined || skuKey(known.sku) !== skuKey(sku))) await partLeftSku(job, known, sku);
    if (sku === undefined) return skipped(job, undefined, `the part has no ${describe(skuField)} that could be a SKU`);
    reached.sku = sku;

    const wanted = wantedStock(part.stock, rules, await given.sourceLocations());
    const result = { part: id, sku, wanted: wantedInWords(wanted) };
    reached.wanted = result.wanted;
    const [bearers, { product, shown }] = await Promise.all([
      given.bearersOf({ sku, part: id }, alone),
      productAndShown({ sku, alone }, shownEarly),
    ]);
    if (bearers.length > 1) throw new AmbiguousSkuError(sku, bearers);
    if (!product || !holdsStock(product.typeId)) {
      await remember(id, { sku, outcome: 'skipped', seen: result.wanted }, known);
      const why = product
        ? `a ${product.typeId} product has no stock of its own`
        : 'Magento has no product with this SKU';
      return skipped(job, sku, why);
    }

    const changes = stockChanges(wanted, shown);
    if (changes.length === 0) {
      await remember(id, { sku, outcome: 'unchanged', seen: result.wanted }, known);
      log[levelOf(job)](`Magento 2 SKU '${sku}' already shows ${result.wanted} (part ${id}, ${job.event})`, result);
      return { ...result, outcome: 'unchanged' };
    }
    if (dryRun) {
      await remember(id, { sku, outcome: 'dry run', seen: result.wanted }, known);
      for (const change of changes) log.info(dryRunLine(job, sku, change), result);
      return { ...result, outcome: 'dry run' };
    }
    const read = { part: id, sku: product.sku, ticket };
    const written = await given.write({ read, sku: product.sku, changes, inStorm: storm.runs > 0 }, alone);
    if (written === 'busy') {
      throw new NotYetError(`another worker is writing SKU '${sku}'`, Date.now() + SKU_BUSY_MS);
    }
    // Somebody read the part after us. Who that was may have died since, so we look once more ourselves.
    if (written === 'overtaken' || written === 'doubtful') await queue.enqueue([again(job, written)]);
    if (written === 'overtaken') {
      log.info(`SKU '${sku}' not written: part ${id} was read again meanwhile (${job.event})`, result);
      return { ...result, outcome: 'overtaken' };
    }
    await remember(id, { sku, outcome: 'updated', seen: result.wanted }, known, storm.runs);
    for (const change of changes) log.info(updatedLine(job, sku, change), { ...result, ...change });
    return { ...result, outcome: 'updated' };
  }

  /** What the store should have shown is what it does show where that was written, or was found to be so. */
  function remember(
    part: number,
    now: Pick<KnownPart, 'sku' | 'outcome' | 'seen'>,
    before: KnownPart | undefined,
    stormRuns = 0,
  ): Promise<void> {
    const isShown = now.outcome === 'updated' || now.outcome === 'unchanged';
    const confirmed = isShown ? now.seen : '';
    return knownParts.remember(part, { ...now, confirmed, at: Date.now(), stormRuns }, before?.sku);
  }

  /** What the store has under a SKU. Without a single row of stock, an old answer that the product exists won't do: it
   * may have been deleted, and a write would leave an orphan. */
  async function productAndShown({ sku, alone }: { sku: string; alone: boolean }, early: ShownEarly | undefined) {
    const [product, shown] = await Promise.all([
      given.findProduct({ sku, trust: 'presence' }, alone),
      early?.sku === sku ? early.shown : given.readShown(sku, alone),
    ]);
    if (!product || shown.length > 0) return { product, shown };
    return { product: await given.findProduct({ sku, trust: 'nothing' }, alone), shown };
  }

  async function partIsGone(job: PartJob, known: KnownPart | undefined): Promise<SyncResult> {
    if (known) await partLeftSku(job, known, undefined);
    return skipped(job, known?.sku, 'InvenTree has no such part (any more)');
  }

  /** Reports the SKU that a part bore before, and looks again at others that may have shared it. */
  async function partLeftSku(job: PartJob, known: KnownPart, sku: string | undefined): Promise<void> {
    const [bearers = []] = await knownParts.bearersOf([known.sku]);
    const others = bearers.filter(part => part !== job.part);
    const now = sku === undefined ? 'bears no SKU any more' : `is now '${sku}'`;
    const rest =
      others.length > 0
        ? `part ${others.join(', ')} still bears it`
        : `no part bears it now, the store keeps showing ${known.confirmed || 'what it shows'}`;
    log.warn(`part ${job.part} was SKU '${known.sku}' and ${now}: ${rest}`, {
      part: job.part,
      sku: known.sku,
      newSku: sku,
    });
    await knownParts.forget(job.part, known.sku);
    await queue.enqueue(
      others.map(part => ({ kind: 'part', part, event: 'another part left its SKU', acceptedAt: Date.now() })),
    );
  }

  function skipped(job: PartJob, sku: string | undefined, why: string): SyncResult {
    log[levelOf(job, 'warn')](
      `${sku === undefined ? '' : `SKU '${sku}' `}skipped: ${why} (part ${job.part}, ${job.event})`,
      {
        part: job.part,
        sku,
        outcome: 'skipped',
      },
    );
    return { outcome: 'skipped', part: job.part, sku };
  }

  function dryRunLine(job: PartJob, sku: string, { from, to }: StockChange): string {
    const line = `[DRY RUN] Would update Magento 2 SKU '${sku}' from ${from} to ${to} (part ${job.part}, ${job.event})`;
    return dryRun === 'DRY_RUN' ? line : `${line}: nothing is written while ENABLE_SYNC is off`;
  }
}

/** A first sweep looks at thousands of parts that are right, or not sold online: that is no news to whoever is on call. */
function levelOf({ event }: PartJob, level: 'info' | 'warn' = 'info'): 'debug' | 'info' | 'warn' {
  return event === SWEEP || event === RECONCILE || event === NEW_PRODUCT ? 'debug' : level;
}

function again(job: PartJob, why: string): PartJob {
  return { ...job, event: `${job.event} (${why})`, acceptedAt: Date.now() };
}

function updatedLine(job: PartJob, sku: string, { sourceCode, from, to, inStock }: StockChange): string {
  const where = sourceCode === 'default' ? '' : ` at source ${sourceCode}`;
  const stock = inStock ? 'in stock' : 'out of stock';
  return `Magento 2 SKU '${sku}'${where} updated from ${from} to ${to}, ${stock} (part ${job.part}, ${job.event})`;
}

function describe(field: SkuField): string {
  return field.kind === 'parameter' ? `parameter '${field.template}'` : field.kind;
}
