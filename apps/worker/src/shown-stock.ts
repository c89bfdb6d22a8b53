import { WrongItemError } from '@stock-sync/http-client';
import type { StockAccess } from '@stock-sync/magento-client';
import { skuKey, type ShownStock } from '@stock-sync/sync-core';
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
      const refusals = new Map(
        skus.flatMap((sku, index) => {
          const answer = answers[index];
          return answer instanceof WrongItemError ? [[skuKey(sku), answer] as const] : [];
        }),
      );
      if (refusals.size < new Set(skus.map(skuKey)).size) return answers;
      const outage = await given.knownGood.outageInstead(refusals, 'read');
      if (outage) throw outage;
      return answers;
    },
  });
}
