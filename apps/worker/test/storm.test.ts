import type { KnownPart } from '@stock-sync/queue';
import { stormOf } from '../src/storm';

const written = (at: number, stormRuns = 0): KnownPart => ({
  sku: 'A',
  confirmed: '1',
  outcome: 'updated',
  at,
  stormRuns,
  seen: '1',
});

describe('a storm', () => {
  it.each<[string, ReturnType<typeof stormOf>, object]>([
    ['is not a part that was never seen', stormOf(100, undefined, 200), { waitUntil: undefined, runs: 0 }],
    [
      'is not an event some time after the write',
      stormOf(10_150, written(10_100), 10_400),
      { waitUntil: undefined, runs: 0 },
    ],
    [
      'is not an event after a sync that wrote nothing',
      stormOf(10_000, { ...written(10_100), outcome: 'unchanged' }, 10_400),
      { waitUntil: undefined, runs: 0 },
    ],
    [
      'is an event during the write: wait a second, and for the clock to strike',
      stormOf(10_090, written(10_100), 10_400),
      { waitUntil: 12_000, runs: 1 },
    ],
    ['is an event right behind it', stormOf(10_115, written(10_100), 10_400), { waitUntil: 12_000, runs: 1 }],
    [
      'lets a run go on when its time has come',
      stormOf(10_090, written(10_100), 12_001),
      { waitUntil: undefined, gatherUntil: 12_100, runs: 1 },
    ],
    ['that goes on waits longer', stormOf(12_090, written(12_100, 1), 12_400), { waitUntil: 16_000, runs: 2 }],
    [
      'never waits for longer than two beats of four seconds',
      stormOf(20_100, written(20_100, 40), 20_400),
      { waitUntil: 28_000, runs: 41 },
    ],
  ])('%s', (_, storm, expected) => expect(storm).toMatchObject(expected));
});
