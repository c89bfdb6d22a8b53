import type { StoreStock } from '@stock-sync/domain';
import type { PartStock } from '@stock-sync/inventree-client';
import type { StockApi } from '@stock-sync/magento-client';
import type { Log } from '@stock-sync/service';
import type { Fencing, JobQueues, Parts, PartState } from '@stock-sync/state';
import type { PartReads } from '../src/calls/part-reads';
import type { StoreReads } from '../src/calls/store-reads';
import { createPartJobsUnderWay } from '../src/calls/part-jobs-under-way';
import { createSyncPart, type SyncPartDeps } from '../src/jobs/sync-part';
import { createSyncSku } from '../src/jobs/sync-sku';
import { FIVE_UNITS, offerRulesFor, partStock } from './part-stock';

const part = partStock({ name: 'WIDGET-123', stock: FIVE_UNITS });
const before: PartState = {
  sku: 'WIDGET-123',
  outcome: 'unchanged',
  at: 0,
  target: { default: '5' },
  throttledRuns: 0,
};

/** A sync that records when its steps begin and end. */
function recordedSync(overrides: { partReads?: PartReads['load']; storeReads?: StoreReads['load'] } = {}) {
  const steps: string[] = [];
  const step = async <T>(name: string, result: T): Promise<T> => {
    steps.push(`${name} begins`);
    await new Promise(resolve => setTimeout(resolve, 5));
    steps.push(`${name} ends`);
    return result;
  };
  const store: StoreStock[] = [{ sourceCode: 'default', quantity: 5, inStock: true }];
  const parts: Partial<Parts> = {
    get: () => step<(PartState | undefined)[]>('remembered', [before]),
    set: () => Promise.resolve(),
    forget: () => Promise.resolve(),
    withSkus: () => Promise.resolve([[45]]),
  };
  const fencing: Partial<Fencing> = { startRead: () => step('token', 'a') };
  const common = {
    partReads: { load: overrides.partReads ?? (() => step<PartStock | undefined>('part', part)) },
    storeReads: { load: overrides.storeReads ?? (sku => step(`store of ${sku}`, store)) } as StoreReads,
    connections: {
      offerRules: offerRulesFor(),
      stockApi: { get: () => Promise.resolve({ kind: 'source-items' } as StockApi), forget: () => undefined },
    },
    queues: { enqueue: () => Promise.resolve() } as unknown as JobQueues,
    orders: undefined,
    enqueueShortOrders: undefined,
    log: { info: () => undefined, warn: () => undefined } as unknown as Log,
  };
  const deps: SyncPartDeps = {
    ...common,
    fencing: fencing as Fencing,
    jobs: createPartJobsUnderWay(),
    syncSku: createSyncSku({
      ...common,
      skuLookups: { load: () => step('parts with SKU', [45]), find: () => Promise.resolve([45]) },
      productLookups: { load: () => step('product', { sku: 'WIDGET-123', typeId: 'simple' }) } as never,
      sellingRules: { load: () => step('selling rules', { managesStock: true, backorders: false }) },
      stockWrites: { load: () => step('write', 'written' as const) },
      dryRun: undefined,
    }),
    parts: parts as Parts,
    recordHistory: () => Promise.resolve(),
    rulesInForce: { wereOurs: () => Promise.resolve(true) },
    leaveSku: { run: () => step('leave SKU', true) },
    now: Date.now,
  };
  const job = { kind: 'part', part: 45, event: 'test', acceptedAt: Date.now() } as const;
  return { steps, run: () => createSyncPart(deps).run(job, { alone: false, progress: {} }) };
}

it('reads both systems side by side, and only once it has the fencing token', async () => {
  const { steps, run } = recordedSync();
  expect(await run()).toMatchObject({ outcome: 'unchanged' });
  const begins = (name: string) => steps.indexOf(`${name} begins`);
  expect(begins('part')).toBeGreaterThan(steps.indexOf('token ends'));
  expect(begins('store of WIDGET-123')).toBeGreaterThan(steps.indexOf('token ends'));
  expect(begins('store of WIDGET-123')).toBeLessThan(steps.indexOf('part ends'));
});

it('reads the store under the new SKU where the part was renamed', async () => {
  const { steps, run } = recordedSync({ partReads: () => Promise.resolve({ ...part, name: 'NEW' }) });
  expect(await run()).toMatchObject({ sku: 'NEW', outcome: 'unchanged' });
  expect(steps).toContain('store of NEW ends');
});

it('fails the sync, and not the process, where the store does not answer', async () => {
  const storeReads = () => Promise.reject(new Error('unreachable'));
  await expect(recordedSync({ storeReads }).run()).rejects.toThrow('unreachable');
  const gone = recordedSync({ storeReads, partReads: () => Promise.resolve(undefined) });
  expect(await gone.run()).toMatchObject({ outcome: 'skipped' });
});
