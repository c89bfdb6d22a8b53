import type { InvenTreeClient } from '@stock-sync/inventree-client';
import type { LastLook, LocationsVersion, SyncJob, SyncQueue } from '@stock-sync/queue';
import type { Log } from '@stock-sync/service';
import { NotYetError } from './sync-errors';

export type EverythingJob = Extract<SyncJob, { kind: 'everything' }>;

/** A look at every part costs both systems some milliseconds a part; so much rest a part afterwards, up to the longest. */
const REST_MS_PER_PART = 20;
const LONGEST_REST_MS = 60_000;

/**
 * Enqueues every part that InvenTree has, page by page. Fifty customers deleted one by one ask for it fifty times: what
 * is asked for soon after a look waits, and becomes one. Rejects with a NotYetError then.
 */
export function createLookAtEverything(given: {
  inventree: InvenTreeClient;
  queue: SyncQueue;
  lastLook: LastLook;
  locationsVersion: LocationsVersion;
  log: Log;
}): (job: EverythingJob) => Promise<{ parts: number }> {
  const { inventree, queue, lastLook, log } = given;
  return async ({ event }) => {
    const last = await lastLook.get();
    const rested = last && last.at + Math.min(LONGEST_REST_MS, last.parts * REST_MS_PER_PART);
    if (rested !== undefined && rested > Date.now()) throw new NotYetError('every part was looked at just now', rested);
    // A location that was moved or deleted is told so, too. Before any part is looked at by an old tree.
    await given.locationsVersion.mayHaveChanged();
    let count = 0;
    for await (const parts of inventree.walkParts()) {
      const acceptedAt = Date.now();
      await queue.enqueue(parts.map(part => ({ kind: 'part', part, event, acceptedAt })));
      count += parts.length;
    }
    await lastLook.set({ at: Date.now(), parts: count });
    log.info(`looking at every part: ${count} enqueued (${event})`, { parts: count });
    return { parts: count };
  };
}
