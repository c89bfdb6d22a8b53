import {
  moveEarlierParts,
  openParts,
  openProducts,
  openStockItems,
  type PartState,
  type RedisConnection,
} from '../src';
import { bucketOfSku } from '../src/bucketed-hash';
import { connection, database } from './own-database';

const DAY_MS = 24 * 60 * 60 * 1000;

function stateOf(sku: string, more: Partial<PartState> = {}): PartState {
  return { sku, outcome: 'unchanged', at: 1_764_486_000_000, target: { default: '5' }, throttledRuns: 0, ...more };
}

/** The same Redis, later. */
const later = (ms: number): RedisConnection => ({ ...connection, now: () => connection.now() + ms });

async function allOf(parts: ReturnType<typeof openParts>) {
  const all = [];
  for await (const some of parts.all()) all.push(...some);
  return all.sort((a, b) => a.part - b.part);
}

const areAll = async (parts: ReturnType<typeof openParts>, skus: string[]) =>
  (await parts.known(skus)).map(found => found.areAll);

describe('the last sync of each part', () => {
  it('is remembered and forgotten, with its SKU and the product of its SKU', async () => {
    const parts = openParts(connection);
    const products = openProducts(connection);
    const several = stateOf('TWO', { others: [{ sku: 'Zwei', outcome: 'failed' }], own: { default: '2' } });
    await Promise.all([parts.set(1, stateOf('ONE'), undefined), parts.set(2, several, undefined)]);
    await products.set([{ sku: 'ONE', product: { sku: 'One', typeId: 'simple' } }]);
    expect(await parts.get([2, 3, 1])).toEqual([several, undefined, stateOf('ONE')]);
    expect(await parts.get([])).toEqual([]);
    expect(await allOf(parts)).toEqual([
      { part: 1, state: stateOf('ONE') },
      { part: 2, state: several },
    ]);
    expect(await parts.count()).toBe(2);
    expect(await parts.withSkus(['one', 'zwei', 'three'])).toEqual([[1], [2], []]);

    await parts.forget(1, stateOf('ONE'));
    expect(await parts.get([1])).toEqual([undefined]);
    expect(await parts.withSkus(['ONE'])).toEqual([[]]);
    expect(await products.get(['ONE'])).toEqual([undefined]);
    expect(await parts.count()).toBe(1);
    await parts.forget(2, several);
    expect(await database.redis.keys('{stock-sync}:*')).toEqual(['{stock-sync}:part-buckets']);
  });

  it('of a part with another SKU than before replaces the SKU', async () => {
    const parts = openParts(connection);
    await parts.set(1, stateOf('OLD'), undefined);
    await parts.set(1, stateOf('NEW'), stateOf('OLD'));
    expect(await parts.withSkus(['OLD', 'NEW'])).toEqual([[], [1]]);
  });
});

describe('the parts of a SKU', () => {
  it('are each listed once, in the order of their ids, however many come together', async () => {
    const parts = openParts(connection);
    await Promise.all([12, 1, 2, 112, 12, 2].map(part => parts.addSkus([{ sku: 'SHARED', part }])));
    expect(await parts.withSkus(['shared'])).toEqual([[1, 2, 12, 112]]);
    await parts.forgetSku(2, 'SHARED');
    await parts.forgetSku(7, 'SHARED');
    expect(await parts.withSkus(['shared'])).toEqual([[1, 12, 112]]);
  });

  it('are known to be all of them for a day after InvenTree was asked, whatever comes and goes', async () => {
    const parts = openParts(connection);
    await parts.addSkus([{ sku: 'A', part: 1 }]);
    expect(await areAll(parts, ['A', 'B'])).toEqual([false, false]);
    await parts.markSkusChecked(['A']);
    await parts.addSkus([{ sku: 'A', part: 2 }]);
    await parts.forgetSku(1, 'A');
    expect(await parts.withSkus(['A'])).toEqual([[2]]);
    expect(await areAll(parts, ['a', 'B'])).toEqual([true, false]);
    expect(await areAll(openParts(later(DAY_MS - 5_000)), ['A'])).toEqual([true]);
    expect(await areAll(openParts(later(DAY_MS + 5_000)), ['A'])).toEqual([false]);
    await openParts(later(DAY_MS)).markSkusChecked(['A']);
    expect(await areAll(openParts(later(DAY_MS + 5_000)), ['A'])).toEqual([true]);
    expect(await parts.withSkus(['A'])).toEqual([[2]]);
  });

  it('are those that InvenTree names when it is asked, and no others', async () => {
    const parts = openParts(connection);
    await parts.addSkus([{ sku: 'A', part: 1 }]);
    await parts.setPartsWithSkus([
      { sku: 'A', parts: [3, 2] },
      { sku: 'B', parts: [] },
    ]);
    expect(await parts.withSkus(['A', 'B'])).toEqual([[2, 3], []]);
    expect(await areAll(parts, ['A', 'B'])).toEqual([true, true]);
  });

  it('may have any text as their SKU', async () => {
    const parts = openParts(connection);
    const skus = ['a@b', '1,2', '@', 'Größe "M"', '日本', '0', ' leading', '%d+'];
    await parts.addSkus(skus.map((sku, n) => ({ sku, part: n + 1 })));
    await parts.markSkusChecked(skus);
    expect(await parts.withSkus(skus)).toEqual(skus.map((_, n) => [n + 1]));
    expect(await areAll(parts, skus)).toEqual(skus.map(() => true));
  });
});

it('100,000 numbered SKUs are spread evenly over the buckets', () => {
  for (const prefix of ['', 'WIDGET-', 'widget-100-']) {
    const sizes = new Map<number, number>();
    for (let n = 0; n < 100_000; n++) {
      const bucket = bucketOfSku(`${prefix}${String(n).padStart(6, '0')}`);
      sizes.set(bucket, (sizes.get(bucket) ?? 0) + 1);
    }
    expect(Math.max(...sizes.values())).toBeLessThan(1.5 * (100_000 / 1_024));
  }
});

it('10,000 parts take less than 120 bytes of Redis each, with their SKUs and stock items', async () => {
  const parts = openParts(connection);
  const items = openStockItems(connection);
  const ids = Array.from({ length: 10_000 }, (_, n) => n + 1);
  await Promise.all(ids.map(id => parts.set(id, stateOf(`WIDGET-${id}`), undefined)));
  await parts.markSkusChecked(ids.map(id => `WIDGET-${id}`));
  await items.set(ids.map(id => ({ stockItem: id + 7_000, part: id })));
  const keys = await database.redis.keys('{stock-sync}:*');
  const sizes = await Promise.all(keys.map(async key => Number(await database.redis.call('MEMORY', 'USAGE', key))));
  expect(sizes.reduce((total, size) => total + size) / ids.length).toBeLessThan(120);
});

describe('the part of a stock item', () => {
  it('is remembered for 90 days, and a change names the part before', async () => {
    const items = openStockItems(connection);
    const some = [99, 100, 101, 199].map(stockItem => ({ stockItem, part: stockItem * 10 }));
    expect(await items.set(some)).toEqual([undefined, undefined, undefined, undefined]);
    expect(await items.set([{ stockItem: 100, part: 5 }, ...some.slice(2)])).toEqual([1_000, undefined, undefined]);
    expect(await Promise.all([99, 100, 101, 199, 0].map(items.partOf))).toEqual([990, 5, 1_010, 1_990, undefined]);
    const keys = await database.redis.keys('{stock-sync}:*');
    expect(keys).toHaveLength(2);
    for (const key of keys) expect(await database.redis.ttl(key)).toBeGreaterThan(89 * 24 * 60 * 60);
  });
});

describe('what an earlier version remembered', () => {
  const line = (sku: string) => JSON.stringify([sku, 1, 1_764_486_000_000, '5']);
  const seed = async () => {
    const { redis } = database;
    const many = Object.fromEntries(Array.from({ length: 3_000 }, (_, n) => [String(n + 1), line(`SKU-${n + 1}`)]));
    await redis.hset('{stock-sync}:parts', many);
    await redis.sadd('{stock-sync}:sku:sku-1', 1, 70_000);
    await redis.sadd('{stock-sync}:sku:never-synced', 9);
    await redis.hset('{stock-sync}:products', 'sku-1', JSON.stringify([['SKU-1', 'simple'], 1]));
  };

  it('is moved, without what is newer, and its keys are deleted, those of SKUs after a day', async () => {
    await seed();
    const parts = openParts(connection);
    await parts.set(2, stateOf('RENAMED'), undefined);
    expect(await moveEarlierParts(connection)).toBe(2_999);
    expect(await parts.count()).toBe(3_000);
    expect(await parts.get([1, 2])).toEqual([stateOf('SKU-1'), stateOf('RENAMED')]);
    expect(await parts.withSkus(['SKU-3000', 'SKU-2', 'RENAMED'])).toEqual([[3_000], [], [2]]);
    const left = (await database.redis.keys('{stock-sync}:*')).filter(
      key => !/:(parts|skus):\d+$|:part-buckets$/.test(key),
    );
    expect(left.sort()).toEqual(['{stock-sync}:sku:never-synced', '{stock-sync}:sku:sku-1']);
    for (const key of left) expect(await database.redis.ttl(key)).toBeGreaterThan(0);
    expect(await moveEarlierParts(connection)).toBe(0);
  });

  it('is moved by several workers at once', async () => {
    await seed();
    await Promise.all([moveEarlierParts(connection), moveEarlierParts(connection)]);
    expect(await openParts(connection).count()).toBe(3_000);
    expect(await database.redis.exists('{stock-sync}:parts')).toBe(0);
  });
});
