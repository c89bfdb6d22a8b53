import type { PartStock } from '@stock-sync/inventree-client';
import type { KnownPart, KnownParts, SyncQueue } from '@stock-sync/queue';
import type { Log } from '@stock-sync/service';
import type { ShownStock } from '@stock-sync/sync-core';
import { createSyncPart, type SyncPart } from '../src/sync-part';

const part: PartStock = {
  pk: 45,
  name: 'WIDGET-123',
  IPN: '',
  active: true,
  virtual: false,
  parameter: null,
  stock: [{ location: null, inStock: '5.00000', allocated: '0.00000' }],
  stockItems: [],
};
const known: KnownPart = { sku: 'WIDGET-123', confirmed: '5', outcome: 'unchanged', at: 0, stormRuns: 0, seen: '5' };

/** A sync whose steps write down when they begin and end. */
function syncThatTells(overrides: Partial<SyncPart> = {}) {
  const steps: string[] = [];
  const step = async <T>(name: string, result: T): Promise<T> => {
    steps.push(`${name} begins`);
    await new Promise(resolve => setTimeout(resolve, 5));
    steps.push(`${name} ends`);
    return result;
  };
  const shown: ShownStock[] = [{ sourceCode: 'default', quantity: 5, inStock: true }];
  const knownParts: Partial<KnownParts> = {
    parts: () => step<(KnownPart | undefined)[]>('known', [known]),
    remember: () => Promise.resolve(),
    forget: () => Promise.resolve(),
    forgetProduct: () => Promise.resolve(),
    bearersOf: () => Promise.resolve([[45]]),
  };
  const log = { info: () => undefined, warn: () => undefined } as unknown as Log;
  const sync = createSyncPart({
    startRead: () => step('ticket', 'a'),
    readPart: () => step<PartStock | undefined>('part', part),
    bearersOf: () => step('bearers', [45]),
    findProduct: () => step('product', { sku: 'WIDGET-123', typeId: 'simple' }),
    readShown: sku => step(`shown of ${sku}`, shown),
    write: () => step('write', 'written' as const),
    sourceLocations: () => Promise.resolve(undefined),
    knownParts: knownParts as KnownParts,
    queue: { enqueue: () => Promise.resolve() } as unknown as SyncQueue,
    skuField: { kind: 'name' },
    rules: { stockBasis: 'in_stock', allowDecimals: false, safetyStock: 0n },
    dryRun: undefined,
    log,
    ...overrides,
  });
  return { steps, run: () => sync({ kind: 'part', part: 45, event: 'test', acceptedAt: Date.now() }) };
}

it('both sides are read side by side, and only once the ticket is there', async () => {
  const { steps, run } = syncThatTells();
  expect(await run()).toMatchObject({ outcome: 'unchanged' });
  const begins = (name: string) => steps.indexOf(`${name} begins`);
  expect(begins('part')).toBeGreaterThan(steps.indexOf('ticket ends'));
  expect(begins('shown of WIDGET-123')).toBeGreaterThan(steps.indexOf('ticket ends'));
  expect(begins('shown of WIDGET-123')).toBeLessThan(steps.indexOf('part ends'));
});

it('a part that was renamed: what the store shows under the new name counts', async () => {
  const { steps, run } = syncThatTells({ readPart: () => Promise.resolve({ ...part, name: 'NEW' }) });
  expect(await run()).toMatchObject({ sku: 'NEW', outcome: 'unchanged' });
  expect(steps).toContain('shown of NEW ends');
});

it('a store that does not answer fails the sync, not the process', async () => {
  const { run } = syncThatTells({ readShown: () => Promise.reject(new Error('away')) });
  await expect(run()).rejects.toThrow('away');
  const gone = syncThatTells({
    readShown: () => Promise.reject(new Error('away')),
    readPart: () => Promise.resolve(undefined),
  });
  expect(await gone.run()).toMatchObject({ outcome: 'skipped' });
});
