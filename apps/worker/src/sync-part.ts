import type { PartStock } from '@stock-sync/inventree-client';
import type { Product, StockAccess } from '@stock-sync/magento-client';
import type { KnownPart, KnownParts, Outcome, SyncJob, SyncQueue } from '@stock-sync/queue';
import type { Log } from '@stock-sync/service';
import {
  holdsStock,
  skuKey,
  skuOf,
  stockChanges,
  textOf,
  wantedStock,
  type QuantityRules,
  type ShownStock,
  type SkuField,
  type SourceLocations,
  type StockChange,
  type WantedStock,
} from '@stock-sync/sync-core';
import type { BatchLoader } from './batch-loader';
import type { ReadOfPart } from './part-reads';
import type { ProductQuestion } from './products';
import type { WriteRequest, WriteResult } from './stock-writes';
import { AmbiguousSkuError, NotYetError } from './sync-errors';

export type PartJob = Extract<SyncJob, { kind: 'part' }>;

export interface SyncPart {
  readPart: BatchLoader<number, ReadOfPart>;
  bearersOf: BatchLoader<{ sku: string; part: number }, number[]>;
  findProduct: BatchLoader<ProductQuestion, Product | undefined>;
  readShown: BatchLoader<string, ShownStock[]>;
  write: BatchLoader<WriteRequest, WriteResult>;
  access: () => Promise<StockAccess>;
  sourceLocations: () => Promise<SourceLocations[] | undefined>;
  knownParts: KnownParts;
  queue: SyncQueue;
  skuField: SkuField;
  rules: QuantityRules;
  /** Why nothing is written, where that is so: DRY_RUN, or ENABLE_SYNC being off. */
  dryRun: 'DRY_RUN' | 'ENABLE_SYNC off' | undefined;
  log: Log;
}

/** How long after a write a part in a storm waits for the next one, in milliseconds. */
const STORM_MS = 1_000;
/** How soon after a write the next event is taken for a storm's, in milliseconds: no user is that quick. */
const RIGHT_BEHIND_MS = 20;
/** How long a job whose SKU another worker is writing waits, in milliseconds. */
const SKU_BUSY_MS = 500;

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
 * shows, write what differs. Rejects with a CallError, an AmbiguousSkuError or a NotYetError.
 */
export function createSyncPart(given: SyncPart): (job: PartJob) => Promise<SyncResult> {
  const { knownParts, queue, skuField, rules, dryRun, log } = given;

  return async job => {
    const { part: id } = job;
    const startedAt = Date.now();
    const [known] = await knownParts.parts([id]);
    waitOutStorm(job, known, startedAt);
    const { part, ticket } = await given.readPart(id);
    if (!part) return partIsGone(job, known);
    if (part.virtual) return skipped(job, part.name, 'the part is virtual, it holds no stock in InvenTree');
    const sku = skuOf(part, skuField);
    if (known && (sku === undefined || skuKey(known.sku) !== skuKey(sku))) await partLeftSku(job, known, sku);
    if (sku === undefined) return skipped(job, undefined, `the part has no ${describe(skuField)} that could be a SKU`);

    const bearers = await given.bearersOf({ sku, part: id });
    if (bearers.length > 1) throw new AmbiguousSkuError(sku, bearers);

    const { product, shown } = await productAndShown(sku, startedAt);
    if (!product) return skipped(job, sku, 'Magento has no product with this SKU', known);
    if (!holdsStock(product.typeId))
      return skipped(job, sku, `a ${product.typeId} product has no stock of its own`, known);

    const wanted = await wantedFor(part);
    const result = { part: id, sku, wanted: inWords(wanted) };
    const changes = stockChanges(wanted, shown);
    if (changes.length === 0) {
      await remember('unchanged');
      log.info(`Magento 2 SKU '${sku}' already shows ${result.wanted} (part ${id}, ${job.event})`, details(result));
      return { ...result, outcome: 'unchanged' };
    }
    if (dryRun) {
      for (const change of changes) log.info(dryRunLine(job, sku, change), details(result));
      await remember('dry run');
      return { ...result, outcome: 'dry run' };
    }
    if ((await write(product.sku, changes)) === 'overtaken') {
      log.info(`SKU '${sku}' not written: part ${id} was read again meanwhile (${job.event})`, details(result));
      return { ...result, outcome: 'overtaken' };
    }
    await remember('updated');
    for (const change of changes) log.info(updatedLine(job, sku, change), { ...details(result), ...change });
    return { ...result, outcome: 'updated' };

    async function write(storeSku: string, stock: StockChange[]): Promise<WriteResult> {
      const read = { part: id, sku: storeSku, ticket };
      const written = await given.write({ read, sku: storeSku, changes: stock }).catch(async (error: unknown) => {
        await knownParts.forgetProduct(storeSku);
        throw error;
      });
      if (written === 'busy') {
        throw new NotYetError(`another worker is writing SKU '${storeSku}'`, Date.now() + SKU_BUSY_MS);
      }
      // Somebody read the part after us. Who that was may have died since, so we look once more ourselves.
      if (written === 'overtaken' || written === 'doubtful') await queue.enqueue([again(job, written)]);
      return written;
    }

    async function remember(outcome: Outcome): Promise<void> {
      const confirmed = outcome === 'dry run' ? '' : result.wanted;
      await knownParts.remember(id, { sku: result.sku, confirmed, outcome, at: Date.now() }, known?.sku);
    }
  };

  /** What the store has under a SKU. Without a single row of stock, an old answer that the product exists won't do: it
   * may have been deleted, and a write would leave an orphan. */
  async function productAndShown(sku: string, startedAt: number) {
    const [product, shown] = await Promise.all([given.findProduct({ sku, notBefore: 0 }), given.readShown(sku)]);
    if (!product || shown.length > 0) return { product, shown };
    return { product: await given.findProduct({ sku, notBefore: startedAt }), shown };
  }

  async function wantedFor(part: PartStock): Promise<WantedStock[]> {
    return wantedStock(part.stock, rules, await given.sourceLocations());
  }

  async function partIsGone(job: PartJob, known: KnownPart | undefined): Promise<SyncResult> {
    if (known) {
      await partLeftSku(job, known, undefined);
      await knownParts.forget(job.part, known.sku);
    }
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

  async function skipped(job: PartJob, sku: string | undefined, why: string, known?: KnownPart): Promise<SyncResult> {
    log.warn(`${sku === undefined ? '' : `SKU '${sku}' `}skipped: ${why} (part ${job.part}, ${job.event})`, {
      part: job.part,
      sku,
      outcome: 'skipped',
    });
    if (sku !== undefined && why.startsWith('Magento')) {
      await knownParts.remember(job.part, { sku, confirmed: '', outcome: 'skipped', at: Date.now() }, known?.sku);
    }
    return { outcome: 'skipped', part: job.part, sku };
  }

  function dryRunLine(job: PartJob, sku: string, { from, to }: StockChange): string {
    const line = `[DRY RUN] Would update Magento 2 SKU '${sku}' from ${from} to ${to} (part ${job.part}, ${job.event})`;
    return dryRun === 'DRY_RUN' ? line : `${line}: nothing is written while ENABLE_SYNC is off`;
  }
}

/**
 * An event that came while the part was last written, or right behind, is one of many: then the next run waits, so that a
 * thousand events in a second cost two writes, not one each quarter of it. A single change is never delayed by this.
 */
function waitOutStorm({ part, acceptedAt }: PartJob, known: KnownPart | undefined, now: number): void {
  if (known?.outcome !== 'updated' || acceptedAt > known.at + RIGHT_BEHIND_MS) return;
  const until = known.at + STORM_MS;
  if (now < until) throw new NotYetError(`part ${part} was written a moment ago`, until);
}

function again(job: PartJob, why: string): PartJob {
  return { ...job, event: `${job.event} (${why})`, acceptedAt: Date.now() };
}

function details({ part, sku, wanted }: { part: number; sku: string; wanted: string }) {
  return { part, sku, wanted };
}

function updatedLine(job: PartJob, sku: string, { sourceCode, from, to, inStock }: StockChange): string {
  const where = sourceCode === 'default' ? '' : ` at source ${sourceCode}`;
  const stock = inStock ? 'in stock' : 'out of stock';
  return `Magento 2 SKU '${sku}'${where} updated from ${from} to ${to}, ${stock} (part ${job.part}, ${job.event})`;
}

function inWords(wanted: readonly WantedStock[]): string {
  const [only] = wanted;
  if (only && wanted.length === 1) return textOf(only.quantity);
  return wanted.map(({ sourceCode, quantity }) => `${sourceCode}: ${textOf(quantity)}`).join(', ');
}

function describe(field: SkuField): string {
  return field.kind === 'parameter' ? `parameter '${field.template}'` : field.kind;
}
