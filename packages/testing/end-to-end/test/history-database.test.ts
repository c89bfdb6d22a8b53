import { createPostgresDatabase, startTcpProxy, type PostgresDatabase, type TcpProxy } from '@stock-sync/servers';
import { runStockSync, startSystem, type System } from '../src';
import { messages, redisServer, shown, until, widget } from './support';

/** The history in PostgreSQL, which outlives the one in Redis. */

let system: System | undefined;
let postgres: PostgresDatabase | undefined;
let proxy: TcpProxy | undefined;
afterEach(async () => {
  await system?.stop();
  await proxy?.close();
  await postgres?.drop();
  system = proxy = postgres = undefined;
});

async function start() {
  postgres = await createPostgresDatabase(process.env.TEST_POSTGRES_URL ?? '');
  const url = new URL(postgres.url);
  proxy = await startTcpProxy(url.hostname, Number(url.port));
  url.port = String(proxy.port);
  system = await startSystem({
    redisServer: redisServer(),
    sends: 'none',
    workers: 2,
    environment: { SYNC_DELAY_MS: '10', HISTORY_DATABASE_URL: url.toString() },
  });
  return { running: system, database: postgres, proxy };
}

async function count(running: System, part: number, quantity: number): Promise<void> {
  await running.send({ event: 'stockitem.counted', part });
  await until(`the store shows ${quantity}`, () => shown(running) === quantity);
  await running.quiet();
}

it('has every entry once, though two workers copy, PostgreSQL is down for a while, and Redis is emptied', async () => {
  const { running, database, proxy } = await start();
  const item = widget(running);
  const copied = async () =>
    (await database.query('SELECT "to" FROM stock_sync_history ORDER BY at, number')).map(({ to }) => to);
  await count(running, item.part, 50);
  await until('it is copied', async () => (await copied().catch(() => [])).length === 1);

  proxy.cut();
  for (const quantity of [30, 20]) {
    item.quantity = quantity;
    await count(running, item.part, quantity);
  }
  await until('somebody is told', () => messages(running).some(line => line.includes('The history waits in Redis')));
  expect(await copied()).toEqual(['50']);
  proxy.restore();
  await until('the rest is copied', async () => (await copied()).length === 3);
  expect(await copied()).toEqual(['50', '30', '20']);
  await until('that is told', () => messages(running).includes('info The history is copied to PostgreSQL again'));

  await running.database.empty();
  item.quantity = 10;
  await count(running, item.part, 10);
  const history = () => runStockSync(running.environment, ['history', 'WIDGET-123', '--json']);
  const entries = JSON.parse((await history()).out) as { to: string }[];
  expect(entries.map(({ to }) => to)).toEqual(['50', '30', '20', '10']);
  proxy.cut();
  const { out } = await runStockSync(running.environment, ['history', 'WIDGET-123']);
  expect(out).toContain('PostgreSQL cannot be read');
  expect(out).toMatch(/WIDGET-123 +updated +20 → 10/);
});
