import { CallError, CredentialsError } from '@stock-sync/http-client';
import { DEDUCTIONS, type DeductionKind, type MagentoClient } from '@stock-sync/magento-client';
import { cursorAt, freshRows, readAfter, type KnownParts, type StoredCursor, type SyncQueue } from '@stock-sync/queue';
import type { Log } from '@stock-sync/service';

/** How long Magento is not asked again after it refused to tell, in milliseconds. */
const REFUSED_MS = 60 * 60 * 1000;

/**
 * Has parts looked at whose stock Magento changed by itself: a shipment there deducts the source a second time, and no event
 * of InvenTree's tells [recordings order-*]. Never rejects for Magento's sake: what is missed is found by the next reconcile.
 */
export function createStoreDeductions(given: {
  magento: MagentoClient;
  knownParts: KnownParts;
  queue: SyncQueue;
  /** Then it need not be asked. */
  isMagentoAway: () => boolean;
  cursors: Record<DeductionKind, StoredCursor>;
  log: Log;
}): () => Promise<void> {
  const { magento, knownParts, queue, cursors, log } = given;
  const refusedUntil: Record<DeductionKind, number> = { shipments: 0, creditmemos: 0 };

  async function look(kind: DeductionKind): Promise<void> {
    const cursor = await cursors[kind].get();
    if (!cursor) {
      const latest = await magento.latestDeduction(kind);
      await cursors[kind].set(cursorAt(latest));
      return;
    }
    const { fresh, next } = freshRows(await magento.deductionsAfter(kind, readAfter(cursor)), cursor);
    if (fresh.length === 0) return;
    const skus = [...new Set(fresh.flatMap(row => row.skus))];
    const parts = [...new Set((await knownParts.bearersOf(skus)).flat())];
    const acceptedAt = Date.now();
    await queue.enqueue(parts.map(part => ({ kind: 'part', part, event: `Magento's ${kind}`, acceptedAt })));
    // Only now: a worker that dies in between has them looked at twice, not never.
    await cursors[kind].set(next);
  }

  return async () => {
    for (const kind of DEDUCTIONS) {
      if (given.isMagentoAway() || Date.now() < refusedUntil[kind]) continue;
      try {
        await look(kind);
        refusedUntil[kind] = 0;
      } catch (error) {
        if (!(error instanceof CallError)) throw error;
        if (!(error instanceof CredentialsError)) {
          log.debug(`Magento's ${kind} could not be read: ${error.message}`);
          continue;
        }
        const isNew = refusedUntil[kind] === 0;
        refusedUntil[kind] = Date.now() + REFUSED_MS;
        if (isNew) {
          log.warn(
            `Magento does not show its ${kind} to this integration: what they change in the store's stock is found by the next ` +
              'reconcile. To have it at once, allow Sales > Operations > Shipments and Credit Memos (README, step 1)',
          );
        }
      }
    }
  };
}
