import { createPostgresDatabase, type PostgresDatabase } from '@stock-sync/servers';
import { openHistoryDatabase, withOlderHistory, type HistoryDatabase, type HistoryEntry } from '../src';

let postgres: PostgresDatabase;
let database: HistoryDatabase;
beforeEach(async () => {
  postgres = await createPostgresDatabase(process.env.TEST_POSTGRES_URL ?? '');
  database = openHistoryDatabase(postgres.url, 'shop-1');
});
afterEach(async () => {
  await database.close();
  await postgres.drop();
});

const START = Date.parse('2026-11-24T08:00:00.123Z');

const entry = (number: number, more: Partial<HistoryEntry> = {}): HistoryEntry => ({
  id: `${START + number}-0`,
  at: START + number,
  sku: 'WIDGET-123',
  part: 45,
  outcome: 'updated',
  cause: 'stock_stockitem.saved',
  from: '12',
  to: String(number),
  note: null,
  waitedMs: 210,
  tookMs: 90,
  worker: 'shop:17',
  webhook: 'msg_1',
  ...more,
});

const without = { sku: null, part: null, from: null, to: null, waitedMs: null, tookMs: null, webhook: null };

it('returns what was stored, whoever created the table first', async () => {
  await Promise.all([database.prepare(), openHistoryDatabase(postgres.url, 'shop-2').prepare(), database.prepare()]);
  expect(await database.latestId()).toBe('0-0');
  const stored = [entry(1, { ...without, note: 'it\'s \\ "odd" ½' }), entry(2), entry(3, { id: `${START + 3}-7` })];
  await database.store(stored);
  expect((await database.page({}, 10)).entries).toEqual(stored.reverse());
  expect(await database.latestId()).toBe(`${START + 3}-7`);
});

it('can be checked without a trace', async () => {
  await database.tryToPrepare();
  expect(await postgres.query("SELECT to_regclass('stock_sync_history') AS found")).toEqual([{ found: null }]);
});

it('stores an entry once, however often it is copied', async () => {
  await database.prepare();
  await database.store([entry(1), entry(2)]);
  await database.store([entry(2, { to: 'changed' }), entry(3)]);
  expect((await database.page({}, 10)).entries.map(({ to }) => to)).toEqual(['3', '2', '1']);
});

it('keeps shops apart', async () => {
  await database.prepare();
  const other = openHistoryDatabase(postgres.url, 'shop-2');
  await other.store([entry(1), entry(2)]);
  expect((await database.page({}, 10)).entries).toEqual([]);
  expect(await database.latestId()).toBe('0-0');
  await database.deleteBefore(START + 10);
  expect((await other.page({}, 10)).entries).toHaveLength(2);
  await other.close();
});

it('filters as the history in Redis does, in pages', async () => {
  await database.prepare();
  await database.store([
    entry(1),
    entry(2, { sku: 'Other' }),
    entry(3, { part: 46 }),
    entry(4, { outcome: 'left' }),
    entry(5, { cause: 'Reconcile 100%' }),
  ]);
  const found = async (filter: Parameters<typeof database.page>[0]) =>
    (await database.page(filter, 10)).entries.map(({ to }) => to);
  expect(await found({ sku: 'widget-123' })).toEqual(['5', '4', '3', '1']);
  expect(await found({ part: 46 })).toEqual(['3']);
  expect(await found({ outcome: 'left', sku: 'WIDGET-123' })).toEqual(['4']);
  expect(await found({ cause: 'reconcile 100%' })).toEqual(['5']);
  expect(await found({ cause: '%' })).toEqual(['5']);
  expect(await found({ since: START + 4 })).toEqual(['5', '4']);
  expect(await found({ until: START + 2 })).toEqual(['2', '1']);
  const first = await database.page({}, 3);
  expect(first.entries.map(({ to }) => to)).toEqual(['5', '4', '3']);
  const second = await database.page({}, 3, first.next);
  expect([second.entries.map(({ to }) => to), second.next]).toEqual([['2', '1'], undefined]);
});

it('deletes what is too old', async () => {
  await database.prepare();
  await database.store([entry(1), entry(2), entry(3)]);
  expect(await database.deleteBefore(START + 3)).toBe(2);
  expect((await database.page({}, 10)).entries.map(({ to }) => to)).toEqual(['3']);
});

it('continues where the recent history ends, without a gap or an entry twice', async () => {
  await database.prepare();
  const all = Array.from({ length: 10 }, (_, number) => entry(number));
  await database.store(all.slice(0, 8));
  // The recent history has the last five, of which three are copied already.
  const kept = all.slice(5).reverse();
  const recent = {
    page: (_: object, limit: number, before?: string) => {
      const from = before === undefined ? 0 : kept.findIndex(({ id }) => id === before) + 1;
      const entries = before !== undefined && from === 0 ? [] : kept.slice(from, from + limit);
      return Promise.resolve({ entries, next: entries.length === limit ? entries.at(-1)?.id : undefined });
    },
  };
  const history = withOlderHistory(recent, database);
  const read: (string | null)[] = [];
  for (let before: string | undefined, page = 0; page < 5; page++) {
    const { entries, next } = await history.page({}, 3, before);
    read.push(...entries.map(({ to }) => to));
    if (next === undefined) break;
    before = next;
  }
  expect(read).toEqual(['9', '8', '7', '6', '5', '4', '3', '2', '1', '0']);
});

it('says what is missing while PostgreSQL cannot be read', async () => {
  const recent = { page: () => Promise.resolve({ entries: [entry(9)], next: undefined }) };
  const gone = openHistoryDatabase('postgresql://nobody@127.0.0.1:1/none', 'shop-1');
  const page = await withOlderHistory(recent, gone).page({}, 10);
  expect(page).toMatchObject({ entries: [{ to: '9' }], next: undefined });
  expect(page.missing).toMatch(/^PostgreSQL cannot be read \(connect ECONNREFUSED.*\): older entries are missing$/);
  await gone.close();
});
