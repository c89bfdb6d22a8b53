import { randomUUID } from 'node:crypto';
import { TryLaterError, type CallError } from '@stock-sync/http-client';
import type { SkuChanges, StockAccess } from '@stock-sync/magento-client';
import type { CallPlaces, GoodSkus, ReadPart, WriteGuard } from '@stock-sync/queue';
import { createBatchLoader, type BatchLoader } from './batch-loader';
import type { KnownGood } from './known-good';

/** A write that a job asks for. */
export interface WriteRequest extends SkuChanges {
  read: ReadPart;
  /** Whether the part's events keep coming. */
  inStorm: boolean;
}

/**
 * `written`: the store took it. `doubtful`: it did too, but meanwhile the part was read again or the SKU was no longer
 * ours. `overtaken` and `busy`: nothing was sent (see write-guard).
 */
export type WriteResult = 'written' | 'doubtful' | 'overtaken' | 'busy';

/** SKUs in one write: beyond, a call only gets longer (facts, Cost). */
const MOST_SKUS = 100;
/** Above so many, a write is made in two halves side by side if a second place is free: a stocktake of 100 items is in the store in little more
 * than half the time. In a storm nobody waits for a single number, and fewer calls are better. */
const WORTH_HALVING = 50;
/** How long a SKU is held without renewal, in milliseconds: a worker that died blocks it no longer. */
const HOLD_MS = 10_000;
/** What nginx or Varnish say of a store that they don't hear from. */
const GATEWAY_STATUSES: ReadonlySet<number> = new Set([502, 503, 504]);

/** Writes stock, many SKUs in one call; never two writes of one SKU at the same time, whoever asks. */
export function createStockWrites(given: {
  access: () => Promise<StockAccess>;
  guard: WriteGuard;
  places: CallPlaces;
  knownGood: KnownGood;
  goodSkus: GoodSkus;
  /** Told of parts whose write got no answer of the store's own: it may still do it, whenever it comes to it. */
  onDoubt: (parts: readonly number[]) => Promise<void>;
}): BatchLoader<WriteRequest, WriteResult> {
  const { access, guard, places, knownGood, goodSkus } = given;

  return createBatchLoader({
    most: MOST_SKUS,
    // The batch leaves when a place is free, so that all that comes until then is in it.
    limit: places.within,
    run: async requests => {
      const leave = worthHalving(requests) ? await places.tryEnter() : undefined;
      if (!leave) return writeGuarded(requests);
      const middle = Math.ceil(requests.length / 2);
      const halves = [writeGuarded(requests.slice(0, middle)), writeGuarded(requests.slice(middle)).finally(leave)];
      return (await Promise.all(halves)).flat();
    },
  });

  async function writeGuarded(requests: readonly WriteRequest[]): Promise<(WriteResult | Error)[]> {
    const stock = await access();
    const owner = randomUUID();
    const all = requests.map(({ read }) => read);
    const askedAt = Date.now();
    const permissions = await guard.request(all, owner, HOLD_MS);
    const free = requests.filter((_, index) => permissions[index] === 'free');
    const reads = free.map(({ read }) => read);
    if (free.length === 0) return permissions as WriteResult[];
    // A worker that was stopped while it asked finds an answer that is worth nothing any more.
    if (Date.now() - askedAt > HOLD_MS / 3) {
      await guard.release(reads, owner);
      return permissions.map(permission => (permission === 'free' ? 'busy' : permission));
    }

    const renewal = setInterval(() => {
      guard.renew(reads, owner, HOLD_MS).catch(() => undefined);
    }, HOLD_MS / 3);
    const errors = await stock.write(free).finally(() => clearInterval(renewal));
    const stillOurs = await guard.release(reads, owner);
    await given.onDoubt(reads.filter((_, index) => mayStillBeDone(errors[index])).map(({ part }) => part));
    await goodSkus.add(free.filter((_, index) => !errors[index]).map(({ sku }) => sku));
    const skus = free.map(({ sku }) => sku);
    const outage = await knownGood.outageInstead(skus, errors, 'write');
    return requests.map((request, index) => {
      const permission = permissions[index];
      if (permission !== 'free') return permission ?? 'busy';
      const place = free.indexOf(request);
      return outage ?? errors[place] ?? (stillOurs[place] ? 'written' : 'doubtful');
    });
  }
}

/** Nothing came, or a gateway lost patience: the store behind it may be at the write yet. */
function mayStillBeDone(error: CallError | undefined): boolean {
  return error instanceof TryLaterError && (error.status === undefined || GATEWAY_STATUSES.has(error.status));
}

function worthHalving(requests: readonly WriteRequest[]): boolean {
  return requests.length > WORTH_HALVING && !requests.some(({ inStorm }) => inStorm);
}
