import { openHistory, type NewHistoryEntry } from '../src';
import { connection } from './own-database';

const entry = (more: Partial<NewHistoryEntry>): NewHistoryEntry => ({
  sku: 'WIDGET-123',
  part: 45,
  outcome: 'updated',
  cause: 'stock_stockitem.saved',
  from: '12',
  to: '50',
  note: null,
  waitedMs: 210,
  tookMs: 90,
  worker: 'shop:17',
  webhook: 'msg_1',
  ...more,
});
const BOUNDS = { days: 30, entries: 1_000 };

it('returns what was recorded, the latest first', async () => {
  const history = openHistory(connection, BOUNDS);
  await history.record([entry({}), entry({ sku: null, part: 46, outcome: 'skipped', from: null, note: 'inactive' })]);
  const { entries, next } = await history.page({}, 10);
  expect(entries).toMatchObject([
    entry({ sku: null, part: 46, outcome: 'skipped', from: null, note: 'inactive' }),
    entry({}),
  ]);
  expect(next).toBeUndefined();
  expect(Math.abs((entries[0]?.at ?? 0) - Date.now())).toBeLessThan(60_000);
});

it('has the whole history of one SKU, in pages, however many entries of others are between', async () => {
  const history = openHistory(connection, { days: 30, entries: 1_000_000 });
  for (let n = 1; n <= 5; n++) {
    await history.record([entry({ to: String(n) })]);
    for (let other = 0; other < 20; other++) {
      await history.record(Array.from({ length: 100 }, (_, sku) => entry({ sku: `OTHER-${sku}`, to: '0' })));
    }
  }
  expect(await history.count()).toBe(10_005);
  const first = await history.page({ sku: 'widget-123' }, 3);
  expect(first.entries.map(({ to }) => to)).toEqual(['5', '4', '3']);
  const second = await history.page({ sku: 'WIDGET-123' }, 3, first.next);
  expect(second.entries.map(({ to }) => to)).toEqual(['2', '1']);
  expect(second.next).toBeUndefined();
});

it('filters by part, outcome, cause and time', async () => {
  const history = openHistory(connection, BOUNDS);
  await history.record([entry({ to: '1' }), entry({ part: 46, to: '2' }), entry({ outcome: 'left', to: '3' })]);
  await history.record([entry({ cause: 'Reconcile', to: '4' })]);
  const found = async (filter: Parameters<typeof history.page>[0]) =>
    (await history.page(filter, 10)).entries.map(({ to }) => to);
  expect(await found({ part: 46 })).toEqual(['2']);
  expect(await found({ outcome: 'left' })).toEqual(['3']);
  expect(await found({ cause: 'reconcile' })).toEqual(['4']);
  expect(await found({ sku: 'WIDGET-123', outcome: 'updated' })).toEqual(['4', '2', '1']);
  const [latest] = (await history.page({}, 1)).entries;
  expect(await found({ since: (latest?.at ?? 0) + 1 })).toEqual([]);
  expect(await found({ until: (latest?.at ?? 0) + 1 })).toEqual(['4', '3', '2', '1']);
});

it('keeps no more entries than its bound, and none that are too old', async () => {
  const history = openHistory(connection, BOUNDS);
  for (let n = 0; n < 50; n++) await history.record(Array.from({ length: 100 }, () => entry({ to: String(n) })));
  // Redis trims whole blocks of entries.
  expect(await history.count()).toBeLessThan(1_200);
  expect((await history.page({ sku: 'WIDGET-123' }, 5_000)).entries.length).toBe(await history.count());

  const old = `${Date.now() - 31 * 24 * 60 * 60 * 1000}-`;
  await connection.redis.del(connection.keys.history);
  for (let n = 0; n < 500; n++) await connection.redis.xadd(connection.keys.history, `${old}${n}`, 'sku', 'OLD');
  await history.record([entry({})]);
  expect(await history.count()).toBeLessThan(200);
});

it('records nothing where its bound is 0', async () => {
  const history = openHistory(connection, { days: 30, entries: 0 });
  await history.record([entry({})]);
  expect(await history.count()).toBe(0);
});
