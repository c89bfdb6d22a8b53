import type { InvenTreeClient } from '@stock-sync/inventree-client';
import type { SyncJob, SyncQueue } from '@stock-sync/queue';
import type { Log } from '@stock-sync/service';

export type EverythingJob = Extract<SyncJob, { kind: 'everything' }>;

/** Enqueues every part that InvenTree has, page by page. */
export function createLookAtEverything(given: {
  inventree: InvenTreeClient;
  queue: SyncQueue;
  log: Log;
}): (job: EverythingJob) => Promise<{ parts: number }> {
  const { inventree, queue, log } = given;
  return async ({ event }) => {
    let count = 0;
    for await (const parts of inventree.walkParts()) {
      const acceptedAt = Date.now();
      await queue.enqueue(parts.map(part => ({ kind: 'part', part, event, acceptedAt })));
      count += parts.length;
    }
    log.info(`looking at every part: ${count} enqueued (${event})`, { parts: count });
    return { parts: count };
  };
}
