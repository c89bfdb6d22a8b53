import type { InvenTreeClient } from '@stock-sync/inventree-client';
import { cursorAt, newRows, readAfter, type JobQueues, type StoredCursor } from '@stock-sync/state';

/** Finds changes in InvenTree's stock tracking, between sweeps that are far apart because there is no plugin. */
export interface TrackedChanges {
  /** Enqueues the parts of new tracking entries. Deletions, sell-outs and edits have none. */
  check(): Promise<void>;
}

/** Reads new entries by a cursor. */
export function createTrackedChanges(deps: {
  inventree: InvenTreeClient;
  queues: JobQueues;
  cursor: StoredCursor;
}): TrackedChanges {
  const { inventree, queues, cursor } = deps;
  return {
    async check() {
      const before = await cursor.get();
      if (!before) {
        const [newest] = await inventree.trackingAfter(undefined);
        await cursor.set(cursorAt(newest?.id ?? 0));
        return;
      }
      const { fresh, next } = newRows(await inventree.trackingAfter(readAfter(before)), before);
      if (fresh.length === 0) return;
      const changed = [...new Set(fresh.map(({ part }) => part))].filter(part => part !== null);
      await queues.enqueue(changed.map(part => ({ kind: 'part', part, event: 'tracking' })));
      await cursor.set(next);
    },
  };
}
