import { openHistory, type HistoryEntry } from '@stock-sync/state';
import { runStockSync, startSystem, type System } from '../src';
import { isWrite, jsonError, messages, redisServer, shown, until, widget, withConnection } from './support';

/** What the history says about the life of a SKU. */

let system: System | undefined;
afterEach(async () => {
  await system?.stop();
  system = undefined;
});

const start = async (environment: Record<string, string> = {}) => {
  system = await startSystem({
    redisServer: redisServer(),
    sends: 'none',
    environment: { SYNC_DELAY_MS: '10', ...environment },
  });
  return system;
};

const run = (running: System, ...args: string[]) => runStockSync({ REDIS_URL: running.database.url }, args);

/** The history of a SKU, the latest first. */
function historyOf(running: System, sku: string): Promise<HistoryEntry[]> {
  return withConnection(running, async connection => (await openHistory(connection).page({ sku }, 100)).entries);
}

it('has each write: cause, old and new quantity, times, worker, and the webhook that the log names', async () => {
  const running = await start();
  const item = widget(running);
  await running.send({ event: 'stock_stockitem.saved', part: item.part }, 'msg_first');
  await until('the store is right', () => shown(running) === 50);
  await running.quiet();
  item.quantity = 30;
  await running.send({ event: 'stockitem.counted', part: item.part }, 'msg_second');
  await until('the store is right', () => shown(running) === 30);
  await running.quiet();

  const [second, first] = await historyOf(running, 'WIDGET-123');
  const common = { sku: 'WIDGET-123', part: item.part, outcome: 'updated', note: null };
  expect(first).toMatchObject({
    ...common,
    cause: 'stock_stockitem.saved',
    from: '999',
    to: '50',
    webhook: 'msg_first',
  });
  expect(second).toMatchObject({ ...common, cause: 'stockitem.counted', from: '50', to: '30', webhook: 'msg_second' });
  expect(second?.worker).toMatch(/:\d+$/);
  expect(second?.waitedMs).toBeGreaterThanOrEqual(0);
  expect(second?.waitedMs).toBeLessThan(5_000);
  expect(second?.tookMs).toBeLessThan(5_000);
  const line = running.workerLog().find(({ message }) => message.includes('updated from 50 to 30'));
  expect(line).toMatchObject({ webhook: 'msg_second' });
});

it('says once why a SKU is skipped, and each failure of one that the store refuses', async () => {
  const running = await start({ MAX_ATTEMPTS: '2' });
  const lonely = running.inventree.shop.addPart({ name: 'NOT-SOLD' });
  const bad = widget(running, 'BAD');
  running.magento.setFault(call =>
    isWrite(call) && JSON.stringify(call.body).includes('BAD') ? jsonError(400, 'no') : undefined,
  );
  for (let n = 0; n < 2; n++) {
    await running.send({ event: 'part_part.saved', part: lonely.pk });
    await running.quiet();
  }
  await running.send({ event: 'stockitem.counted', part: bad.part });
  await until('it is given up', () => messages(running).some(line => line.includes('Dead letter')), 15_000);
  await running.quiet();
  expect(await historyOf(running, 'NOT-SOLD')).toMatchObject([
    { outcome: 'skipped', note: 'Magento has no product with this SKU' },
  ]);
  const failures = await historyOf(running, 'BAD');
  expect(failures.map(({ outcome, from, to }) => [outcome, from, to])).toEqual([
    ['dead letter', '999', '50'],
    ['tried again', '999', '50'],
  ]);
  expect(failures[0]?.note).toContain('400');
});

it('says what happened to the SKU of a renamed and of a deleted part', async () => {
  const running = await start();
  const item = widget(running);
  await running.send({ event: 'stockitem.counted', part: item.part });
  await until('the store is right', () => shown(running) === 50);
  await running.quiet();
  const part = running.inventree.shop.parts.get(item.part);
  if (!part) throw new Error('no part');
  part.name = 'OTHER-NAME';
  await running.send({ event: 'part_part.saved', part: item.part });
  await until('the old SKU is empty', () => shown(running) === 0);
  await running.quiet();
  const [left] = await historyOf(running, 'WIDGET-123');
  expect(left).toMatchObject({ outcome: 'updated', from: '50', to: '0' });
  expect(left?.note).toContain("now has SKU 'OTHER-NAME'");
});

it('is printed by `stock-sync history`', async () => {
  const running = await start();
  const item = widget(running);
  await running.send({ event: 'stockitem.counted', part: item.part });
  await until('the store is right', () => shown(running) === 50);
  await running.quiet();
  expect((await run(running, 'history', 'WIDGET-123')).out).toMatch(
    /^\d{4}-\d\d-\d\dT[\d:]{8}Z {2}WIDGET-123 +updated +999 → 50 +stockitem.counted, \d+ ms after the event\n$/,
  );
  expect(JSON.parse((await run(running, 'history', '--json')).out)).toMatchObject([{ sku: 'WIDGET-123', to: '50' }]);
  expect((await run(running, 'history', 'NOBODY')).out).toBe("The history has no entry of SKU 'NOBODY'.\n");
  expect(await run(running, 'history', '--outcome', 'wrong')).toMatchObject({
    code: 2,
    out: expect.stringContaining('--outcome: expected one of updated, unchanged') as string,
  });
});
