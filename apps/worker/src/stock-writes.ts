import { randomUUID } from 'node:crypto';
import type { SkuChanges, StockAccess } from '@stock-sync/magento-client';
import type { CallLimit, ReadPart, WriteGuard } from '@stock-sync/queue';
import { createBatchLoader, type BatchLoader } from './batch-loader';

/** A write that a job asks for. */
export interface WriteRequest extends SkuChanges {
  read: ReadPart;
}

/**
 * `written`: the store took it. `doubtful`: it did too, but meanwhile the part was read again or the SKU was no longer
 * ours. `overtaken` and `busy`: nothing was sent (see write-guard).
 */
export type WriteResult = 'written' | 'doubtful' | 'overtaken' | 'busy';

/** SKUs in one write: beyond, a call only gets longer (facts, Cost). */
const MOST_SKUS = 100;
/** How long a SKU is held without renewal, in milliseconds: a worker that died blocks it no longer. */
const HOLD_MS = 10_000;

/** Writes stock, many SKUs in one call; never two writes of one SKU at the same time, whoever asks. */
export function createStockWrites(given: {
  access: () => Promise<StockAccess>;
  guard: WriteGuard;
  limit: CallLimit;
}): BatchLoader<WriteRequest, WriteResult> {
  const { access, guard, limit } = given;
  return createBatchLoader({
    most: MOST_SKUS,
    limit,
    run: async requests => {
      const stock = await access();
      const owner = randomUUID();
      const permissions = await guard.request(
        requests.map(({ read }) => read),
        owner,
        HOLD_MS,
      );
      const free = requests.filter((_, index) => permissions[index] === 'free');
      const reads = free.map(({ read }) => read);
      if (free.length === 0) return permissions as WriteResult[];

      const renewal = setInterval(() => {
        guard.renew(reads, owner, HOLD_MS).catch(() => undefined);
      }, HOLD_MS / 3);
      const errors = await stock.write(free).finally(() => clearInterval(renewal));
      const stillOurs = await guard.release(reads, owner);
      return requests.map((request, index): WriteResult | Error => {
        const permission = permissions[index];
        if (permission !== 'free') return permission ?? 'busy';
        const place = free.indexOf(request);
        return errors[place] ?? (stillOurs[place] ? 'written' : 'doubtful');
      });
    },
  });
}
