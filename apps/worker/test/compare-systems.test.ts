import { Readable } from 'node:stream';
import type { NewJob } from '@stock-sync/state';
import { compareSystems, type CompareSystemsDeps } from '../src/jobs/compare-systems';
import { MAX_ENQUEUED } from '../src/jobs/sweep';
import { FIVE_UNITS, offerRulesFor, partStock } from './part-stock';

const part = (pk: number) => partStock({ pk, name: `SKU-${pk}`, stock: FIVE_UNITS });

/** A comparison of parts with 5 in stock, of which the store shows 9. */
async function compared(count: number) {
  const enqueued: NewJob[] = [];
  const progress: number[] = [];
  const deps = {
    connections: {
      inventree: {
        walkStock: () =>
          Readable.from([{ parts: Array.from({ length: count }, (_, n) => part(n + 1)), byPlugin: true }]),
      },
      magento: {},
      stockApi: { get: () => Promise.resolve({ kind: 'stock-items' }) },
      offerRules: offerRulesFor(),
    },
    breaker: { require: () => undefined },
    storeReads: {
      readAll: (skus: string[]) =>
        Promise.resolve(skus.map(() => [{ sourceCode: 'default', quantity: 9, inStock: true }])),
      showing: () => Promise.resolve(new Set()),
    },
    productLookups: {
      findAll: (lookups: { sku: string }[]) => Promise.resolve(lookups.map(({ sku }) => ({ sku, typeId: 'simple' }))),
    },
    parts: {
      get: (ids: number[]) => Promise.resolve(ids.map(() => undefined)),
      count: () => Promise.resolve(0),
      addSkus: () => Promise.resolve(),
      withSkus: (skus: string[]) => Promise.resolve(skus.map(() => [])),
    },
    queues: { enqueue: (jobs: NewJob[]) => Promise.resolve(void enqueued.push(...jobs)) },
    writes: true,
    maxZeroedPercent: 20,
    onPartGone: 'zero',
    now: Date.now,
  } as unknown as CompareSystemsDeps;
  const report = await compareSystems(deps, {
    event: 'test',
    dryRun: false,
    force: false,
    retriesFailed: false,
    onProgress: parts => progress.push(parts),
    onFinding: () => undefined,
  });
  return { report, enqueued, progress };
}

it('enqueues no more than Redis should hold, and says how many are left to the next reconcile', async () => {
  const { report, enqueued } = await compared(MAX_ENQUEUED + 7);
  expect(enqueued).toHaveLength(MAX_ENQUEUED);
  expect(report).toMatchObject({ enqueued: MAX_ENQUEUED, left: 7, parts: MAX_ENQUEUED + 7 });
  expect(report.counts.drifted).toBe(MAX_ENQUEUED + 7);
});

it('reports its progress', async () => {
  const { progress } = await compared(2_500);
  expect(progress).toEqual([1_000, 2_000, 2_500]);
});
