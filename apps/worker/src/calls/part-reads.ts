import { PLUGIN_BATCH, type PartStock } from '@stock-sync/inventree-client';
import type { StockItems } from '@stock-sync/state';
import type { Breaker } from '../breaker/breaker';
import type { Connections } from '../connections';
import { BETWEEN_JOBS_MS, createBatchLoader, limitCalls, type BatchLoader } from './batch-loader';

/** Reads parts with their stock; undefined where InvenTree has no such part. */
export type PartReads = BatchLoader<number, PartStock | undefined>;

/** Many parts in one call. */
export function createPartReads(deps: {
  connections: Connections;
  breaker: Breaker;
  stockItems: StockItems;
  callsAtOnce: number;
}): PartReads {
  const { connections, breaker, stockItems } = deps;

  async function read(ids: readonly number[]): Promise<(PartStock | undefined)[]> {
    const parts = await connections.inventree.readParts(ids, connections.offerRules.wanted);
    return ids.map(id => parts.get(id));
  }

  return createBatchLoader<number, PartStock | undefined>({
    maxBatchSize: PLUGIN_BATCH,
    limit: limitCalls(deps.callsAtOnce),
    quietMs: BETWEEN_JOBS_MS,
    run: async ids => {
      const parts = await breaker.guard('inventree-read', ids, read);
      const items = parts.flatMap(part =>
        part && !(part instanceof Error) ? part.stockItems.map(stockItem => ({ stockItem, part: part.pk })) : [],
      );
      await stockItems.set(items);
      return parts;
    },
  });
}
