import type { StockAccess } from '@stock-sync/magento-client';
import type { ShownStock } from '@stock-sync/sync-core';
import { createBatchLoader, type BatchLoader } from './batch-loader';
import type { KnownGood } from './known-good';
import { JOBS_APART_MS } from './part-reads';

/** SKUs in one read. */
const MOST_SKUS = 100;

/** Reads what the store shows for SKUs, many in one call; an empty list where it has no row. */
export function createShownStock(given: {
  access: () => Promise<StockAccess>;
  knownGood: KnownGood;
}): BatchLoader<string, ShownStock[]> {
  return createBatchLoader<string, ShownStock[]>({
    most: MOST_SKUS,
    quietMs: JOBS_APART_MS,
    run: async skus => {
      const answers = await (await given.access()).read(skus);
      const outage = await given.knownGood.outageInstead(skus, answers, 'read');
      if (outage) throw outage;
      return answers;
    },
  });
}
