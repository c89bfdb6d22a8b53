import { Readable } from 'node:stream';
import type { InvenTreeClient } from '@stock-sync/inventree-client';
import type { SyncQueue } from '@stock-sync/queue';
import type { Log } from '@stock-sync/service';
import { createLookAtEverything } from '../src/look-at-everything';
import { NotYetError } from '../src/sync-errors';

afterEach(() => void jest.useRealTimers());

/** A look at a shop of so many parts; what it enqueued. */
function lookAt(parts: number) {
  const enqueued: number[] = [];
  let locationsVersion = 0;
  let last: { at: number; parts: number } | undefined;
  const look = createLookAtEverything({
    inventree: {
      walkParts: () => Readable.from([Array.from({ length: parts }, (_, n) => n + 1)]),
    } as unknown as InvenTreeClient,
    queue: {
      enqueue: (jobs: unknown[]) => Promise.resolve(enqueued.push(jobs.length)),
    } as unknown as SyncQueue,
    lastLook: { get: () => Promise.resolve(last), set: given => Promise.resolve(void (last = given)) },
    locationsVersion: {
      current: () => Promise.resolve(locationsVersion),
      mayHaveChanged: () => {
        locationsVersion++;
        return Promise.resolve();
      },
    },
    log: { info: () => undefined } as unknown as Log,
  });
  return {
    enqueued,
    treesGone: () => locationsVersion,
    run: () => look({ kind: 'everything', event: 'test', acceptedAt: Date.now() }),
  };
}

it.each([
  [10, 200],
  [2_000, 40_000],
  [500_000, 60_000],
])('of %i parts, a second look waits until %i ms after the first, and is made then', async (parts, restMs) => {
  jest.useFakeTimers({ now: 1_000_000 });
  const { enqueued, treesGone, run } = lookAt(parts);
  expect(await run()).toEqual({ parts });
  const tooSoon = await run().catch((error: unknown) => error);
  expect(tooSoon).toBeInstanceOf(NotYetError);
  expect((tooSoon as NotYetError).until).toBe(1_000_000 + restMs);
  jest.setSystemTime(1_000_000 + restMs);
  expect(await run()).toEqual({ parts });
  expect(enqueued).toEqual([parts, parts]);
  expect(treesGone()).toBe(2);
});
