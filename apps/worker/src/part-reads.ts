import type { InvenTreeClient, PartStock } from '@stock-sync/inventree-client';
import type { CallLimit, KnownParts } from '@stock-sync/queue';
import { parameterOf, type SkuField } from '@stock-sync/sync-core';
import { createBatchLoader, type BatchLoader } from './batch-loader';

/** Parts in one read; our plugin takes no more. */
const MOST_PARTS = 1_000;

/** BullMQ starts the jobs of a burst one after the other, so far apart at the most; what follows they ask together. */
export const JOBS_APART_MS = 8;

/** Reads parts with their stock, many in one call; undefined where InvenTree has no such part. */
export function createPartReads(given: {
  inventree: InvenTreeClient;
  knownParts: KnownParts;
  skuField: SkuField;
  limit: CallLimit;
}): BatchLoader<number, PartStock | undefined> {
  const { inventree, knownParts, skuField, limit } = given;
  const parameter = parameterOf(skuField);

  return createBatchLoader<number, PartStock | undefined>({
    most: MOST_PARTS,
    limit,
    quietMs: JOBS_APART_MS,
    run: async ids => {
      const parts = await inventree.readParts(ids, parameter);
      const items = [...parts.values()].flatMap(part =>
        part instanceof Error ? [] : part.stockItems.map(stockItem => ({ stockItem, part: part.pk })),
      );
      await knownParts.rememberStockItems(items);
      return ids.map(id => parts.get(id));
    },
  });
}
