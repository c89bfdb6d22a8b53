import type { InvenTreeClient } from '@stock-sync/inventree-client';
import type { KnownParts, SyncJob, SyncQueue } from '@stock-sync/queue';
import type { Log } from '@stock-sync/service';

export type StockItemJob = Extract<SyncJob, { kind: 'stock-item' }>;

/** The parts that an event about a stock item is about. */
export interface ResolvedItem {
  parts: number[];
}

/**
 * For senders that know only a stock item's id: finds whose it is, and was, and enqueues those parts. Of an item that
 * is gone the last known part counts; where none is known, every part may be meant.
 */
export function createResolveStockItem(given: {
  inventree: InvenTreeClient;
  knownParts: KnownParts;
  queue: SyncQueue;
  log: Log;
}): (job: StockItemJob) => Promise<ResolvedItem> {
  const { inventree, knownParts, queue, log } = given;
  return async ({ stockItem, change, event }) => {
    const before = await knownParts.partOfStockItem(stockItem);
    // A deleted item can't be looked up any more [recording stock-item-deleted]: only ask where nothing else is known.
    const ask = change !== 'deleted' || before === undefined;
    const now = ask ? await inventree.partOfStockItem(stockItem) : undefined;
    if (now !== undefined) await knownParts.rememberStockItems([{ stockItem, part: now }]);

    // An item may have been converted to another part since: then both have changed.
    const parts = [...new Set([now, before].filter(part => part !== undefined))];
    const acceptedAt = Date.now();
    if (parts.length === 0) {
      log.warn(`stock item ${stockItem} is gone and its part is not known: comparing both sides (${event})`, {
        stockItem,
      });
      await queue.enqueue([{ kind: 'reconcile', event: `${event} of an unknown stock item`, acceptedAt }]);
    } else {
      await queue.enqueue(parts.map(part => ({ kind: 'part', part, event, acceptedAt })));
    }
    return { parts };
  };
}
