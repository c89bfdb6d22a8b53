import type { InvenTreeClient } from '@stock-sync/inventree-client';
import type { CallLimit, SyncJob, SyncQueue } from '@stock-sync/queue';
import type { Log } from '@stock-sync/service';

export type EverythingJob = Extract<SyncJob, { kind: 'everything' }>;

/** Enqueues every part that InvenTree has, page by page. */
export function createLookAtEverything(given: {
  inventree: InvenTreeClient;
  queue: SyncQueue;
  limit: CallLimit;
  log: Log;
}): (job: EverythingJob) => Promise<{ parts: number }> {
  const { inventree, queue, limit, log } = given;
  return async ({ event }) => {
    let count = 0;
    const pages = inventree.walkParts();
    for (;;) {
      const page = await limit(() => pages.next());
      if (page.done) break;
      const acceptedAt = Date.now();
      await queue.enqueue(page.value.map(part => ({ kind: 'part', part, event, acceptedAt })));
      count += page.value.length;
    }
    log.info(`looking at every part: ${count} enqueued (${event})`, { parts: count });
    return { parts: count };
  };
}
