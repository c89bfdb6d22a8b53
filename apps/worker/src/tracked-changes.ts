import type { InvenTreeClient } from '@stock-sync/inventree-client';
import { cursorAt, freshRows, readAfter, type StoredCursor, type SyncQueue } from '@stock-sync/queue';

/**
 * Has parts looked at that InvenTree's tracking tells of: between sweeps that are far apart, because there is no plugin to
 * make them cheap. It does not tell of deletions, sell-outs, edits and allocations (facts, Tracking). Rejects with a CallError.
 */
export function createTrackedChanges(given: {
  inventree: InvenTreeClient;
  queue: SyncQueue;
  cursor: StoredCursor;
}): () => Promise<void> {
  const { inventree, queue, cursor } = given;
  return async () => {
    const before = await cursor.get();
    if (!before) {
      const [newest] = await inventree.trackingAfter(undefined);
      await cursor.set(cursorAt(newest?.id ?? 0));
      return;
    }
    const { fresh, next } = freshRows(await inventree.trackingAfter(readAfter(before)), before);
    if (fresh.length === 0) return;
    const parts = [...new Set(fresh.map(({ part }) => part))].filter(part => part !== null);
    const acceptedAt = Date.now();
    await queue.enqueue(parts.map(part => ({ kind: 'part', part, event: 'tracking', acceptedAt })));
    await cursor.set(next);
  };
}
