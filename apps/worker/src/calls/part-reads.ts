import { CallError } from '@stock-sync/http-client';
import type { PartStock } from '@stock-sync/inventree-client';
import type { StockItems } from '@stock-sync/state';
import type { Breaker } from '../breaker/breaker';
import type { Connections } from '../connections';
import { createBatchLoader, limitCalls, type BatchLoader } from './batch-loader';
import type { PartJobsUnderWay } from './part-jobs-under-way';

/**
 * Reads parts with their stock; undefined where InvenTree has no such part. What one answer leaves out may be there all
 * the same, so that takes a second, independent reading: InvenTree is asked for the part by its own address.
 */
export type PartReads = BatchLoader<number, PartStock | undefined>;

/** Parts in one call: larger ones are no faster, and the first parts would wait for the last. */
const PARTS_PER_CALL = 200;

/** Many parts in one call. */
export function createPartReads(deps: {
  connections: Connections;
  breaker: Breaker;
  stockItems: StockItems;
  callsAtOnce: number;
  jobs: PartJobsUnderWay;
}): PartReads {
  const { connections, breaker, stockItems } = deps;

  async function read(ids: readonly number[]): Promise<(PartStock | undefined)[]> {
    const parts = await connections.inventree.readParts(ids, connections.offerRules.wanted);
    return ids.map(id => parts.get(id));
  }

  const loader = createBatchLoader<number, PartStock | undefined>({
    maxBatchSize: () => PARTS_PER_CALL,
    limit: limitCalls(deps.callsAtOnce),
    quietMs: deps.jobs.quietMs,
    run: async ids => {
      const parts = await breaker.guard('inventree-read', ids, read);
      const items = parts.flatMap(part =>
        part && !(part instanceof Error) ? part.stockItems.map(stockItem => ({ stockItem, part: part.pk })) : [],
      );
      await stockItems.set(items);
      return parts;
    },
  });

  async function requireGone(id: number): Promise<void> {
    if (!(await connections.inventree.hasPart(id))) return;
    const message = `InvenTree answered the stock of parts without part ${id}, although it has this part`;
    throw new CallError('InvenTree', 'unavailable', message);
  }

  return {
    async load(id, alone) {
      const part = await loader.load(id, alone);
      if (!part) await requireGone(id);
      return part;
    },
  };
}
