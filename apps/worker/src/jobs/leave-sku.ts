import {
  formatStoreStock,
  formatTarget,
  hasOwnStock,
  isEventName,
  isSameSku,
  stockChanges,
  targetQuantities,
  type Offer,
  type StockChange,
} from '@stock-sync/domain';
import type { PartStock } from '@stock-sync/inventree-client';
import type { Log } from '@stock-sync/service';
import {
  isConfirmed,
  skusIn,
  skuStateIn,
  type JobOf,
  type JobQueues,
  type Parts,
  type PartState,
} from '@stock-sync/state';
import type { PartReads } from '../calls/part-reads';
import type { ProductLookups } from '../calls/product-lookups';
import type { StockWrites } from '../calls/stock-writes';
import type { StoreReads } from '../calls/store-reads';
import type { Connections } from '../connections';
import { LOCKED_MS, NotYetError } from './job-errors';
import type { HistoryLine, RecordHistory } from './record-history';
import { ROUTINE_EVENTS } from './routine-events';

/** What happens to a SKU that no part has any more. */
export type OnPartGone = 'zero' | 'keep';

export interface LeaveSkuDeps {
  connections: Pick<Connections, 'offerRules'>;
  partReads: PartReads;
  productLookups: ProductLookups;
  storeReads: StoreReads;
  stockWrites: StockWrites;
  parts: Parts;
  queues: JobQueues;
  recordHistory: RecordHistory;
  onPartGone: OnPartGone;
  /** Whether the store is written. */
  writes: boolean;
  log: Log;
}

/** A part that no longer has a SKU of its last sync. */
export interface LeftSku {
  job: JobOf<'part'>;
  before: PartState;
  /** The SKU that it no longer has. */
  sku: string;
  /** The part as it is now; undefined where InvenTree does not have it. */
  part: PartStock | undefined;
  /** What the store is to show for it now. */
  offer: Offer | undefined;
  /** When the read that found this began, in milliseconds by the clock of Redis. */
  readAt: number;
  /** Its fencing token. */
  token: string;
  alone: boolean;
}

/**
 * InvenTree itself reported the part, or the mass-zero guard let it pass. Anything else (a shipment in Magento, a new
 * product) says nothing about the part, and may come while InvenTree has another database.
 */
function mayZero(event: string): boolean {
  return isEventName(event) || event === ROUTINE_EVENTS.leftSku;
}

/**
 * Handles a part that was deleted or renamed: other parts with its old SKU are synced. Where there is none, the store
 * must not go on selling what nobody has, so the old SKU is taken to zero.
 */
export function createLeaveSku(deps: LeaveSkuDeps) {
  const { connections, parts, queues, log } = deps;

  return {
    /** Resolves with whether it is done: the old SKU is forgotten then. */
    async run(left: LeftSku): Promise<boolean> {
      const { job, before, sku, offer } = left;
      const [withSku = []] = await parts.withSkus([sku]);
      const others = await offering(
        sku,
        withSku.filter(part => part !== job.part),
        left.alone,
      );
      if (others.length === 0 && deps.onPartGone === 'zero' && !mayZero(job.event)) {
        await queues.enqueue([{ kind: 'sweep', everything: true, event: 'a part left its SKU' }]);
        return false;
      }
      const { rest, ...done } =
        others.length > 0
          ? { rest: `part ${others.join(', ')} still has it`, outcome: 'skipped' as const }
          : await zeroOrKeep(left);
      const newSkus = offer && 'skus' in offer ? offer.skus : [];
      const now = whatNow(offer);
      log.warn(`Part ${job.part} had SKU '${sku}' and ${now}: ${rest}`, { part: job.part, sku, newSkus });
      await deps.recordHistory(job, left.readAt, [
        { sku, part: job.part, ...done, note: `part ${job.part} ${now}: ${rest}` },
      ]);
      // Only now: where the write fails, the next attempt must know the SKU.
      if (skusIn(before).length > 1) await parts.forgetSku(job.part, sku);
      else await parts.forget(job.part, before);
      const event = 'another part left its SKU';
      await queues.enqueue(others.map(part => ({ kind: 'part', part, event })));
      return true;
    },
  };

  /** Those of these parts that are sold online under the SKU now. */
  async function offering(sku: string, ids: readonly number[], alone: boolean): Promise<number[]> {
    const found = await Promise.all(
      ids.map(async id => {
        const part = await deps.partReads.load(id, alone);
        const offer = part && (await connections.offerRules.offerOf(part));
        return offer && 'skus' in offer && offer.skus.some(other => isSameSku(other, sku)) ? [id] : [];
      }),
    );
    return found.flat();
  }

  async function zeroOrKeep(left: LeftSku): Promise<WhatHappens> {
    const { before, part, sku, offer } = left;
    const isKnown = isConfirmed(skuStateIn(before, sku) ?? before) && before.target;
    const shows = isKnown ? formatTarget(isKnown) : 'what it shows';
    const keeps = `no part has it now, so the store keeps showing ${shows}`;
    if (deps.onPartGone === 'keep') return kept(`${keeps} (ON_PART_GONE=keep)`);
    if (part && offer?.kind !== 'excluded' && [part.name, part.IPN].some(text => isSameSku(text.trim(), sku))) {
      return kept(`it comes from another field since SKU_FIELD was changed, so the store keeps showing ${shows}`);
    }
    const [product, store] = await Promise.all([
      deps.productLookups.load({ sku, trust: 'recent presence' }, left.alone),
      deps.storeReads.load(sku, left.alone),
    ]);
    if (!product || !hasOwnStock(product.typeId)) return kept('no part has it now, and the store has no stock of it');
    const target = connections.offerRules.nothing;
    const changes = stockChanges(target, store);
    const [from, to] = [formatStoreStock(store), formatTarget(targetQuantities(target))];
    if (changes.length === 0)
      return { outcome: 'unchanged', from, to, rest: `no part has it now, and the store shows ${to}` };
    const zeroed = changes.map(change => change.from).join(', ');
    if (!deps.writes) {
      return {
        outcome: 'dry run',
        from,
        to,
        rest: `no part has it now, so it would be updated from ${zeroed} to 0 ([DRY RUN])`,
      };
    }
    await write(left, product.sku, changes);
    return { outcome: 'updated', from, to, rest: `no part has it now, so it is updated from ${zeroed} to 0` };
  }

  async function write({ job, token, alone }: LeftSku, sku: string, stock: StockChange[]): Promise<void> {
    const read = { part: job.part, sku, token };
    const written = await deps.stockWrites.load({ sku, stock, read, unbooked: undefined, isThrottled: false }, alone);
    if (written === 'locked' || written === 'overtaken') {
      throw new NotYetError(`another worker is writing SKU '${sku}', or read the part again`, LOCKED_MS);
    }
  }
}

/** What happens to a SKU that a part left. `rest` says it for the log. */
type WhatHappens = Pick<HistoryLine, 'outcome' | 'from' | 'to'> & { rest: string };

function kept(rest: string): WhatHappens {
  return { outcome: 'left', rest };
}

function whatNow(offer: Offer | undefined): string {
  if (!offer) return 'is no longer in InvenTree';
  if (!('skus' in offer)) return `now ${offer.reason}`;
  return `now has SKU ${offer.skus.map(sku => `'${sku}'`).join(', ')}`;
}
