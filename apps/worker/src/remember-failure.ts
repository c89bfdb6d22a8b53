import type { KnownParts } from '@stock-sync/queue';
import type { PartFailedError } from './sync-errors';

/**
 * Remembers that a part could not be synced, and what the store should have shown: sweep and reconcile look at it again only once
 * that changes. Else a SKU that the store never answers for would bring everything to a stop each minute.
 */
export function createRememberFailure(
  knownParts: KnownParts,
): (part: number, failure: PartFailedError) => Promise<void> {
  return async (part, { sku, wanted }) => {
    if (sku === undefined) return;
    const [before] = await knownParts.parts([part]);
    const failed = { sku, seen: wanted ?? '', confirmed: '', outcome: 'failed', at: Date.now(), stormRuns: 0 } as const;
    await knownParts.remember(part, failed, before?.sku);
    // That the store refused it may mean that its product is gone, or another now.
    await knownParts.forgetProduct(sku);
  };
}
