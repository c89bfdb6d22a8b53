import { Readable } from 'node:stream';
import type { InvenTreeClient } from '@stock-sync/inventree-client';
import type { Log } from '@stock-sync/service';
import type { JobQueues, LastSweep, Parts, PartState, SyncJob } from '@stock-sync/state';
import { createSweep, hasChanged, MAX_ENQUEUED } from '../src/jobs/sweep';
import type { WorkerMetrics } from '../src/metrics';
import { offerRulesFor, partStock } from './part-stock';

const state = (more: Partial<PartState> = {}): PartState => ({
  sku: 'A',
  outcome: 'unchanged',
  at: 0,
  target: { default: '50' },
  throttledRuns: 0,
  ...more,
});
const target = (units: number) => ({ default: String(units) });

describe('a part has changed since its last sync', () => {
  it.each<[string, boolean, Parameters<typeof hasChanged>]>([
    ['the same', false, [['A'], target(50), state(), true]],
    ['another quantity', true, [['A'], target(49), state(), true]],
    ['another source', true, [['A'], { west: '50' }, state(), true]],
    ['never synced', true, [['A'], target(0), undefined, true]],
    ['another SKU', true, [['B'], target(50), state(), true]],
    ['the same SKU in another spelling', false, [['a '], target(50), state(), true]],
    ['no SKU any more', true, [[], undefined, state(), true]],
    ['no SKU, and never had one', false, [[], undefined, undefined, true]],
    ['a parameter that is wrong now', true, [['A'], undefined, state(), true]],
    ['a parameter that is still wrong', false, [['A'], undefined, state({ target: undefined }), true]],
    ['one more SKU', true, [['A', 'B'], target(50), state(), true]],
    ['one SKU less', true, [['A'], target(50), state({ others: [{ sku: 'B', outcome: 'unchanged' }] }), true]],
    ['its own share of a sum, the same', false, [['A'], target(20), state({ own: target(20) }), true]],
    ['its own share of a sum, another one', true, [['A'], target(50), state({ own: target(20) }), true]],
    ['not sold online, the same', false, [['A'], target(50), state({ outcome: 'skipped' }), true]],
    ['not sold online, another quantity', true, [['A'], target(5), state({ outcome: 'skipped' }), true]],
    ['a dead letter, the same', false, [['A'], target(50), state({ outcome: 'failed' }), true]],
    ['a dry run, still dry', false, [['A'], target(50), state({ outcome: 'dry run' }), false]],
    ['a dry run, now for real', true, [['A'], target(50), state({ outcome: 'dry run' }), true]],
  ])('%s: %s', (_, expected, args) => {
    expect(hasChanged(...args)).toBe(expected);
  });
});

describe('a sweep', () => {
  type Last = Awaited<ReturnType<LastSweep['get']>>;

  /** A sweep over this many parts, none of which was synced before unless `before` says so. */
  function sweepOf(
    count: number,
    {
      last,
      isFree = true,
      before,
      gone = [],
      areRulesNew = false,
    }: { last?: Last; isFree?: boolean; before?: PartState; gone?: number[]; areRulesNew?: boolean } = {},
  ) {
    const enqueued: SyncJob[] = [];
    const skus: string[] = [];
    let trackingChecks = 0;
    const all = Array.from({ length: count }, (_, n) => partStock({ pk: n + 1, name: `SKU-${n}` }));
    const parts: Partial<Parts> = {
      get: ids => Promise.resolve(ids.map(() => before)),
      count: () => Promise.resolve((before ? count : 0) + gone.length),
      all: () => Readable.from([gone.map(part => ({ part, state: state() }))]),
      addSkus: found => Promise.resolve(void skus.push(...found.map(({ sku }) => sku))),
      markSkusChecked: () => Promise.resolve(),
    };
    const gauge = { set: () => undefined };
    const sweep = createSweep({
      connections: {
        inventree: {
          walkStock: () => Readable.from([{ parts: all, byPlugin: true, heldBack: 0 }]),
        } as unknown as InvenTreeClient,
        offerRules: offerRulesFor(),
      },
      storeReads: { showing: () => Promise.resolve(new Set()), countShowing: () => Promise.resolve(undefined) },
      parts: parts as Parts,
      queues: { enqueue: (jobs: SyncJob[]) => Promise.resolve(void enqueued.push(...jobs)) } as unknown as JobQueues,
      lastSweep: { get: () => Promise.resolve(last), set: () => Promise.resolve() },
      locationsVersion: { increase: () => Promise.resolve() },
      rulesInForce: { areOthers: () => Promise.resolve(areRulesNew) },
      lease: {
        within: work => work(),
        tryAcquire: () => Promise.resolve(isFree ? () => Promise.resolve() : undefined),
      },
      salesDocuments: { check: () => Promise.resolve() },
      newProducts: { check: () => Promise.resolve() },
      trackedChanges: {
        check: () => {
          trackingChecks++;
          return Promise.resolve();
        },
      },
      writes: true,
      maxZeroedPercent: 20,
      now: Date.now,
      onPartGone: 'zero',
      metrics: { sweepSeconds: gauge, sweptParts: gauge } as unknown as WorkerMetrics,
      log: { info: () => undefined, debug: () => undefined } as unknown as Log,
    });
    return { enqueued, skus, trackingChecks: () => trackingChecks, run: sweep.run };
  }

  it('enqueues no more than Redis should hold, and leaves the rest to the next one', async () => {
    const { enqueued, skus, run } = sweepOf(MAX_ENQUEUED + 1);
    expect(await run()).toMatchObject({ parts: MAX_ENQUEUED + 1 });
    expect(enqueued).toHaveLength(MAX_ENQUEUED);
    expect(skus).toHaveLength(MAX_ENQUEUED + 1);
  });

  it('stores the SKU of each part before it marks all as known, also of renamed parts', async () => {
    const renamed = sweepOf(1, { before: state({ sku: 'OLD' }) });
    await renamed.run();
    expect([renamed.skus, renamed.enqueued.length]).toEqual([['SKU-0'], 1]);
    const same = sweepOf(1, { before: state({ sku: 'sku-0', target: { default: '0' } }) });
    await same.run();
    expect([same.skus, same.enqueued]).toEqual([[], []]);
  });

  it('enqueues parts that are remembered and gone', async () => {
    const { enqueued, run } = sweepOf(1, { before: state({ sku: 'sku-0', target: { default: '0' } }), gone: [7] });
    await run();
    expect(enqueued).toMatchObject([{ kind: 'part', part: 7 }]);
  });

  it('does nothing while another one is running', async () => {
    const { enqueued, run } = sweepOf(1, { isFree: false });
    expect(await run()).toBeUndefined();
    expect(enqueued).toEqual([]);
  });

  it('waits for its turn, and is never left out, where any part may have changed', async () => {
    const everything = { everything: true } as const;
    await expect(sweepOf(1, { isFree: false }).run(everything)).rejects.toMatchObject({ waitMs: 1_000 });
    const plain = { at: Date.now() - 80_000, tookMs: 10_000, byPlugin: false, heldBack: 0 };
    const { trackingChecks, run } = sweepOf(1, { last: plain });
    expect([await run(everything), trackingChecks()]).toEqual([expect.objectContaining({ parts: 1 }), 0]);
    const justNow = sweepOf(1, { last: { ...plain, at: Date.now(), tookMs: 500 } });
    await expect(justNow.run(everything)).rejects.toThrow('all parts were compared just now');
  });

  it('leaves other rules to the reconcile that says what they change', async () => {
    const { enqueued, run } = sweepOf(1, { areRulesNew: true });
    expect(await run()).toBeUndefined();
    await expect(run({ everything: true })).rejects.toThrow('a reconcile comes first');
    expect(enqueued).toMatchObject([{ kind: 'reconcile' }, { kind: 'reconcile' }]);
  });

  it('takes a tenth of the time at most without our plugin, and checks the tracking meanwhile', async () => {
    const now = Date.now();
    const last = { at: now - 91_000, tookMs: 10_000, byPlugin: false, heldBack: 0 };
    const resting = sweepOf(1, { last: { ...last, at: now - 80_000 } });
    expect([await resting.run(), resting.trackingChecks()]).toEqual([undefined, 1]);
    expect(await sweepOf(1, { last }).run()).toMatchObject({ parts: 1 });
    expect(await sweepOf(1, { last: { ...last, at: now, byPlugin: true, heldBack: 0 } }).run()).toMatchObject({
      parts: 1,
    });
  });
});
