import type { InvenTreeClient, PartStock } from '@stock-sync/inventree-client';
import type { CallLimit, KnownParts, WriteGuard } from '@stock-sync/queue';
import type { SkuField } from '@stock-sync/sync-core';
import { createBatchLoader, type BatchLoader } from './batch-loader';

/** A part as InvenTree has it, and the ticket of the read that found it. */
export interface ReadOfPart {
  /** undefined: InvenTree has no such part. */
  part: PartStock | undefined;
  ticket: number;
}

/** Parts in one read; our plugin takes no more. */
const MOST_PARTS = 1_000;

/** BullMQ starts the jobs of a burst one after the other, so far apart at the most; what follows they ask together. */
const JOBS_APART_MS = 8;

/** Reads parts with their stock, many in one call. */
export function createPartReads(given: {
  inventree: InvenTreeClient;
  guard: WriteGuard;
  knownParts: KnownParts;
  skuField: SkuField;
  limit: CallLimit;
}): BatchLoader<number, ReadOfPart> {
  const { inventree, guard, knownParts, skuField, limit } = given;
  const parameter = skuField.kind === 'parameter' ? skuField.template : undefined;

  return createBatchLoader({
    most: MOST_PARTS,
    limit,
    quietMs: JOBS_APART_MS,
    run: async ids => {
      // The ticket first: a read that begins after ours must get a higher one.
      const tickets = await guard.startReads(ids);
      const parts = await inventree.readParts(ids, parameter);
      await knownParts.rememberStockItems(
        [...parts.values()].flatMap(part => part.stockItems.map(stockItem => ({ stockItem, part: part.pk }))),
      );
      return ids.map((id, index) => ({ part: parts.get(id), ticket: tickets[index] ?? 0 }));
    },
  });
}
