import type { Log } from '@stock-sync/service';
import type { JobOf, JobQueues, StockItems } from '@stock-sync/state';
import type { Connections } from '../connections';

/**
 * The handler of `stock-item`, for senders that know only the id of an item: enqueues the part that it belongs to, and
 * the part that it belonged to before. For a deleted item the last known part counts; where none is known, it may be
 * any part.
 */
export function createFindPartOfStockItem(deps: {
  connections: Connections;
  stockItems: StockItems;
  queues: JobQueues;
  log: Log;
}) {
  const { connections, stockItems, queues, log } = deps;
  return {
    async run({ stockItem, change, event, webhook }: JobOf<'stock-item'>): Promise<{ parts: number[] }> {
      const before = await stockItems.partOf(stockItem);
      // A deleted item cannot be looked up: ask only where nothing else is known.
      const mustAsk = change !== 'deleted' || before === undefined;
      const now = mustAsk ? await connections.inventree.partOfStockItem(stockItem) : undefined;
      if (now !== undefined) await stockItems.set([{ stockItem, part: now }]);

      // The item may have been converted to another part: then the stock of both has changed.
      const parts = [...new Set([now, before].filter(part => part !== undefined))];
      if (parts.length === 0) {
        const remedy = 'so all parts are compared with their last sync';
        log.info(`Stock item ${stockItem} is gone and its part is unknown, ${remedy} (${event})`, { stockItem });
        await queues.enqueue([{ kind: 'sweep', everything: true, event: `${event} of an unknown stock item` }]);
      } else {
        await queues.enqueue(parts.map(part => ({ kind: 'part', part, event, webhook })));
      }
      return { parts };
    },
  };
}
