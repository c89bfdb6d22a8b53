import { Readable } from 'node:stream';
import type { InvenTreeClient, PartStock } from '@stock-sync/inventree-client';
import type { KnownPart, KnownParts, LastSweep, SyncJob, SyncQueue } from '@stock-sync/queue';
import type { Log } from '@stock-sync/service';
import type { WorkerMetrics } from '../src/metrics';
import { isBraked } from '@stock-sync/sync-core';
import { createSweep, differs, MOST_LOOKED_AT } from '../src/sweep';

const part = (more: Partial<PartStock> = {}): PartStock => ({
  pk: 45,
  name: 'A',
  IPN: '',
  active: true,
  virtual: false,
  parameter: null,
  stock: [],
  stockItems: [],
  ...more,
});
const known = (more: Partial<KnownPart> = {}): KnownPart => ({
  sku: 'A',
  confirmed: '50',
  outcome: 'unchanged',
  at: 0,
  stormRuns: 0,
  seen: '50',
  ...more,
});
const wanted = (units: number) => [{ sourceCode: 'default', quantity: BigInt(units) * 100_000n }];

describe('a part differs from what was seen of it', () => {
  it.each<[string, boolean, Parameters<typeof differs>]>([
    ['as it was', false, [part(), 'A', wanted(50), known(), true]],
    ['another quantity', true, [part(), 'A', wanted(49), known(), true]],
    ['never seen', true, [part(), 'A', wanted(0), undefined, true]],
    ['another SKU', true, [part(), 'B', wanted(50), known(), true]],
    ['the same SKU in another spelling', false, [part(), 'a ', wanted(50), known(), true]],
    ['no SKU any more', true, [part(), undefined, wanted(50), known(), true]],
    ['no SKU, never had one', false, [part(), undefined, wanted(50), undefined, true]],
    ['virtual', false, [part({ virtual: true }), undefined, wanted(0), undefined, true]],
    [
      'not in the store, as before',
      false,
      [part(), 'A', wanted(50), known({ confirmed: '', outcome: 'skipped' }), true],
    ],
    [
      'not in the store, and changed',
      true,
      [part(), 'A', wanted(5), known({ confirmed: '', outcome: 'skipped' }), true],
    ],
    ['a dead letter, as before', false, [part(), 'A', wanted(50), known({ confirmed: '', outcome: 'failed' }), true]],
    ['tried in a dry run, still dry', false, [part(), 'A', wanted(50), known({ outcome: 'dry run' }), false]],
    ['tried in a dry run, for real now', true, [part(), 'A', wanted(50), known({ outcome: 'dry run' }), true]],
  ])('%s: %s', (_, expected, given) => {
    expect(differs(...given)).toBe(expected);
  });
});

describe('the brake', () => {
  it.each([
    [0, 0, 20, false],
    [5, 5, 20, false],
    [6, 6, 20, true],
    [20, 100, 20, false],
    [21, 100, 20, true],
    [100, 100, 100, false],
    [6, 1_000, 0, true],
  ])('%i of %i parts would fall to zero, %i %% allowed: %s', (zeroed, shown, percent, expected) => {
    expect(isBraked(zeroed, shown, percent)).toBe(expected);
  });
});

describe('a sweep', () => {
  type Last = Awaited<ReturnType<LastSweep['get']>>;

  /** A sweep of so many parts, none of them seen before unless something else is said. */
  function sweepOf(
    parts: number,
    {
      last,
      isFree = true,
      before,
      gone = [],
    }: { last?: Last; isFree?: boolean; before?: KnownPart; gone?: number[] } = {},
  ) {
    const enqueued: SyncJob[] = [];
    const bearers: string[] = [];
    const tracked: number[] = [];
    const all = Array.from({ length: parts }, (_, n) => part({ pk: n + 1, name: `SKU-${n}` }));
    const knownParts: Partial<KnownParts> = {
      parts: ids => Promise.resolve(ids.map(() => before)),
      count: () => Promise.resolve((before ? parts : 0) + gone.length),
      ids: () => Readable.from([gone]),
      addBearers: found => Promise.resolve(void bearers.push(...found.map(({ sku }) => sku))),
      bearersAreKnown: () => Promise.resolve(),
    };
    const gauge = { set: () => undefined };
    const run = createSweep({
      inventree: {
        walkStock: () => Readable.from([{ parts: all, byPlugin: true }]),
      } as unknown as InvenTreeClient,
      sourceLocations: () => Promise.resolve(undefined),
      knownParts: knownParts as KnownParts,
      queue: { enqueue: (jobs: SyncJob[]) => Promise.resolve(void enqueued.push(...jobs)) } as unknown as SyncQueue,
      lastSweep: { get: () => Promise.resolve(last), set: () => Promise.resolve() },
      turn: {
        within: work => work(),
        tryEnter: () => Promise.resolve(isFree ? () => Promise.resolve() : undefined),
      },
      lookAtDeductions: () => Promise.resolve(),
      lookAtNewProducts: () => Promise.resolve(),
      storeStock: { showing: () => Promise.resolve(new Set()), count: () => Promise.resolve(undefined) },
      lookAtTracked: () => Promise.resolve(void tracked.push(1)),
      skuField: { kind: 'name' },
      rules: { stockBasis: 'in_stock', allowDecimals: false, safetyStock: 0n },
      writes: true,
      mostZeroedPercent: 20,
      metrics: { sweepSeconds: gauge, sweptParts: gauge } as unknown as WorkerMetrics,
      log: { info: () => undefined, debug: () => undefined } as unknown as Log,
    });
    return { enqueued, bearers, tracked, run };
  }

  it('enqueues no more than Redis should hold, and leaves the rest to the next one', async () => {
    const { enqueued, bearers, run } = sweepOf(MOST_LOOKED_AT + 1);
    expect(await run()).toMatchObject({ parts: MOST_LOOKED_AT + 1 });
    expect(enqueued).toHaveLength(MOST_LOOKED_AT);
    expect(bearers).toHaveLength(MOST_LOOKED_AT + 1);
  });

  it('says who bears a SKU before it says that all are known: also of parts that were renamed', async () => {
    const renamed = sweepOf(1, { before: known({ sku: 'OLD' }) });
    await renamed.run();
    expect([renamed.bearers, renamed.enqueued.length]).toEqual([['SKU-0'], 1]);
    const asBefore = sweepOf(1, { before: known({ sku: 'sku-0', confirmed: '0', seen: '0' }) });
    await asBefore.run();
    expect([asBefore.bearers, asBefore.enqueued]).toEqual([[], []]);
  });

  it('has parts looked at that are remembered and gone', async () => {
    const { enqueued, run } = sweepOf(1, { before: known({ sku: 'sku-0', confirmed: '0', seen: '0' }), gone: [7] });
    await run();
    expect(enqueued).toMatchObject([{ kind: 'part', part: 7 }]);
  });

  it('is not made while another is under way', async () => {
    const { enqueued, run } = sweepOf(1, { isFree: false });
    expect(await run()).toBeUndefined();
    expect(enqueued).toEqual([]);
  });

  it('takes a tenth of the time at the most where our plugin does not answer', async () => {
    const now = Date.now();
    const rested = { at: now - 91_000, tookMs: 10_000, byPlugin: false };
    const resting = sweepOf(1, { last: { ...rested, at: now - 80_000 } });
    expect([await resting.run(), resting.tracked]).toEqual([undefined, [1]]);
    expect(await sweepOf(1, { last: rested }).run()).toMatchObject({ parts: 1 });
    expect(await sweepOf(1, { last: { ...rested, at: now, byPlugin: true } }).run()).toMatchObject({ parts: 1 });
  });
});
