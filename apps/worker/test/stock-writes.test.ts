import { setTimeout as sleep } from 'node:timers/promises';
import type { UnitsBySource } from '@stock-sync/domain';
import { reserveDatabase, type RedisDatabase } from '@stock-sync/servers';
import { CallError, splitBatch } from '@stock-sync/http-client';
import type { SkuStock, StockApi } from '@stock-sync/magento-client';
import {
  connectToRedis,
  openCanarySkus,
  openFencing,
  openSemaphore,
  type Fencing,
  type RedisConnection,
} from '@stock-sync/state';
import type { Breaker } from '../src/breaker/breaker';
import { createPartJobsUnderWay } from '../src/calls/part-jobs-under-way';
import { createStockWrites, type StockWrites } from '../src/calls/stock-writes';
import type { Connections } from '../src/connections';
import { NotYetError } from '../src/jobs/job-errors';
import type { OrderStock } from '../src/jobs/order-changes';

let database: RedisDatabase;
let connection: RedisConnection;
let fencing: Fencing;
let written: string[][];
/** What happens while the store handles a write that it then refuses. */
let meanwhile: () => Promise<unknown>;
/** How long the store takes for a write, in milliseconds. */
let tookMs: number;
/** Parts that changed again while their job runs. */
let changedAgain: number[];

beforeEach(async () => {
  database = await reserveDatabase(process.env.TEST_REDIS_URL ?? '');
  connection = connectToRedis(database.url, { whileUnreachable: { wait: true } });
  fencing = openFencing(connection);
  written = [];
  meanwhile = () => Promise.resolve();
  tookMs = 0;
  changedAgain = [];
});
afterEach(async () => {
  connection.redis.disconnect();
  await database.release();
});

/** Writes to a store that refuses SKU 'BAD', and so every call that contains it. */
function writesToStore(orders?: Pick<OrderStock, 'reasonToWait'>, atOnce = 1): StockWrites {
  const api: Partial<StockApi> = {
    skusPerCall: 100,
    write: async (changes: readonly SkuStock[]) => {
      const skus = changes.map(({ sku }) => sku);
      await sleep(tookMs);
      if (!skus.includes('BAD')) return void written.push(skus);
      await meanwhile();
      throw new CallError('Magento', 'refused', 'BAD is refused');
    },
  };
  const breaker: Partial<Breaker> = {
    guard: (_name, items, call) => splitBatch(items, call, () => Promise.resolve(true)),
  };
  return createStockWrites({
    connections: { stockApi: { get: () => Promise.resolve(api) } } as unknown as Connections,
    breaker: breaker as Breaker,
    fencing,
    slots: openSemaphore(connection, 'magento', atOnce),
    canarySkus: openCanarySkus(connection),
    resyncLater: { parts: () => Promise.resolve(), skus: () => Promise.resolve() },
    orders,
    jobs: createPartJobsUnderWay(),
    partClaims: { isAnyTold: parts => Promise.resolve(parts.some(({ part }) => changedAgain.includes(part))) },
  });
}

/** Reads two parts, and writes both in one batch. */
async function writeWithBadSku(writes: StockWrites) {
  const results = ['GOOD', 'BAD'].map(async (sku, index) => {
    const part = index + 1;
    const token = await fencing.startRead(part);
    return writes.load({ sku, stock: [], read: { part, sku, token }, unbooked: {}, isThrottled: false });
  });
  return Promise.allSettled(results);
}

it('the others of a refused batch are written', async () => {
  expect(await writeWithBadSku(writesToStore())).toMatchObject([{ value: 'written' }, { status: 'rejected' }]);
  expect(written).toEqual([['GOOD']]);
});

it('an old read is not written after a batch was split, when a later read has begun', async () => {
  meanwhile = () => fencing.startRead(1);
  expect(await writeWithBadSku(writesToStore())).toMatchObject([{ value: 'overtaken' }, { status: 'rejected' }]);
  expect(written).toEqual([]);
});

it('an old read is not written after a batch was split, when Redis was emptied', async () => {
  meanwhile = () => database.empty();
  expect(await writeWithBadSku(writesToStore())).toMatchObject([{ value: 'overtaken' }, { value: 'overtaken' }]);
  expect(written).toEqual([]);
});

it('a SKU that another worker has locked meanwhile is not written', async () => {
  meanwhile = async () => {
    await connection.redis.del(connection.keys.skuLock('good'));
    await fencing.lockSku('GOOD', 'another worker', 10_000);
  };
  expect(await writeWithBadSku(writesToStore())).toMatchObject([{ value: 'locked' }, { status: 'rejected' }]);
  expect(written).toEqual([]);
});

it('a SKU of an order that is not read yet waits when its batch has a slot, and the others are written', async () => {
  const asked: [string, UnitsBySource][] = [];
  const writes = writesToStore({
    reasonToWait: (sku, units) => {
      asked.push([sku, units]);
      return Promise.resolve(sku === 'SOLD' ? new NotYetError('order 1 is not read yet', 300) : undefined);
    },
  });
  const results = ['SOLD', 'GOOD'].map(async (sku, part) => {
    const token = await fencing.startRead(part);
    return writes.load({ sku, stock: [], read: { part, sku, token }, unbooked: { west: part }, isThrottled: false });
  });
  expect(await Promise.allSettled(results)).toMatchObject([
    { reason: { message: 'order 1 is not read yet', waitMs: 300 } },
    { value: 'written' },
  ]);
  expect(asked).toEqual([
    ['SOLD', { west: 0 }],
    ['GOOD', { west: 1 }],
  ]);
  expect(written).toEqual([['GOOD']]);
});

/** Writes 60 parts at the same time, with ids from this one on. */
async function writeMany(writes: StockWrites, from: number, isThrottled = false) {
  const reads = await Promise.all(
    Array.from({ length: 60 }, async (_, n) => {
      return { part: from + n, sku: `SKU-${from + n}`, token: await fencing.startRead(from + n) };
    }),
  );
  await Promise.all(reads.map(read => writes.load({ sku: read.sku, stock: [], read, unbooked: {}, isThrottled })));
}

it('a large write is split in two, unless a series of events needs the second slot', async () => {
  const writes = writesToStore(undefined, 2);
  changedAgain = [230];
  await writeMany(writes, 100);
  await writeMany(writes, 200);
  await writeMany(writes, 300, true);
  expect(written.map(({ length }) => length)).toEqual([30, 30, 60, 60]);
});

it('writes become smaller while the store is slow', async () => {
  const writes = writesToStore();
  tookMs = 1_500;
  await writeMany(writes, 100);
  tookMs = 0;
  await writeMany(writes, 200);
  const [first, second = 60] = written.map(({ length }) => length);
  expect(first).toBe(60);
  expect(second).toBeLessThanOrEqual(30);
});
