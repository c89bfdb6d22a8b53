import { setTimeout as sleep } from 'node:timers/promises';
import { stockActions } from '@stock-sync/fakes';
import { startSystem, type System, type SystemOptions } from '../src';
import { hasWaited, redisServer, until } from './support';

let system: System | undefined;
afterEach(async () => {
  await system?.stop();
  system = undefined;
});

/** A shop whose webhooks are all lost, with a sweep every second: this many parts with 50 in stock each. */
async function start(parts: number, { environment, ...options }: Partial<SystemOptions> = {}) {
  system = await startSystem({
    redisServer: redisServer(),
    sends: 'none',
    environment: { SWEEP_INTERVAL_SECONDS: '1', SYNC_DELAY_MS: '30', LOG_LEVEL: 'info', ...environment },
    workers: 0,
    ...options,
  });
  const { shop } = system.inventree;
  const items = Array.from({ length: parts }, (_, n) => {
    const part = shop.addPart({ name: `SKU-${n}` });
    system?.magento.store.addProduct(part.name, { quantity: 999 });
    return shop.insertItem({ part: part.pk, quantity: 50 });
  });
  await system.startWorker();
  return { running: system, items };
}

const shown = (running: System, n: number) => running.magento.store.shown(`SKU-${n}`)?.quantity;
const showsAll = (running: System, parts: number, quantity: number) => () =>
  Array.from({ length: parts }, (_, n) => shown(running, n)).every(found => found === quantity);
/** Calls of Magento, except those that each sweep makes to find new documents and products. */
const stockCalls = ({ magento }: System) =>
  magento.calls.filter(({ url }) => !/shipments|creditmemos|fields=items\[sku,quantity\]/.test(url)).length;
const logged = (running: System, text: string) => running.workerLog().filter(line => line.message.includes(text));

describe.each([true, false])('a sweep, InvenTree having our plugin: %s', plugin => {
  it('syncs a new shop, finds changes without events, and then makes no needless calls', async () => {
    const { running, items } = await start(30, { plugin });
    await until('the first sweep is done', showsAll(running, 30, 50));
    const [item] = items;
    if (item) item.quantity = 7;
    await until('the change', () => shown(running, 0) === 7);

    await sleep(1_500);
    const calls = stockCalls(running);
    await sleep(2_500);
    expect(stockCalls(running)).toBe(calls);
    expect(logged(running, 'Sweep: 1 of 30 parts')).toHaveLength(1);
  });
});

it('finds deleted parts and reports them, and syncs the part that shared their SKU', async () => {
  // So that no second attempt corrects it.
  const { running, items } = await start(2, { environment: { MAX_ATTEMPTS: '1' } });
  const { shop } = running.inventree;
  await until('the first sweep is done', showsAll(running, 2, 50));
  const twin = shop.addPart({ name: 'sku-1' });
  const [, item] = items;
  if (item) item.quantity = 7;
  await until('two parts have the SKU', () => logged(running, 'Dead letter: part 2').length > 0);
  expect(shown(running, 1)).toBe(50);

  for (const part of [1, twin.pk]) stockActions.deletePart(shop, part);
  await until('the remaining part is synced', () => shown(running, 1) === 7);
  const reports = () => logged(running, "Part 1 had SKU 'SKU-0' and is no longer in InvenTree");
  await until('it is reported', () => reports().length > 0);
  await sleep(2_500);
  expect(reports()).toHaveLength(1);
});

it('runs in one worker at a time', async () => {
  const { running } = await start(5);
  await Promise.all([running.startWorker(), running.startWorker()]);
  await until('the first sweep is done', showsAll(running, 5, 50));
  const walks = () => running.inventree.calls.filter(call => call.method === 'GET').length;
  await sleep(500);
  const before = walks();
  await sleep(4_000);
  expect(walks() - before).toBeGreaterThanOrEqual(3);
  expect(walks() - before).toBeLessThanOrEqual(5);
});

it('holds back what would empty the store at once, says so once, and syncs the rest', async () => {
  const { running, items } = await start(30);
  await until('the first sweep is done', showsAll(running, 30, 50));
  for (const [n, item] of items.entries()) item.quantity = n < 10 ? 0 : 60;
  await until('the rest', () => shown(running, 29) === 60);
  await sleep(2_500);
  expect(Array.from({ length: 10 }, (_, n) => shown(running, n))).toEqual(Array<number>(10).fill(50));
  expect(logged(running, '10 of 30 SKUs that show stock would fall to zero at once')).toHaveLength(1);

  for (const item of items.slice(0, 4)) item.quantity = 1;
  await until('less than a fifth is left', () => shown(running, 9) === 0);
  expect(logged(running, 'the mass-zero guard holds nothing back any more')).toHaveLength(1);
});

it('syncs for real after a dry run', async () => {
  const { running } = await start(3, { environment: { ENABLE_SYNC: 'false' } });
  await until('it was tried', () => logged(running, '[DRY RUN]').length === 3);
  await sleep(1_500);
  expect(logged(running, '[DRY RUN]')).toHaveLength(3);
  await running.workers[0]?.stop();
  await running.startWorker({ ENABLE_SYNC: 'true' });
  await until('it is written', showsAll(running, 3, 50));
});

it('waits while InvenTree is unreachable, and leaves no dead letter', async () => {
  const { running, items } = await start(3);
  await until('the first sweep is done', showsAll(running, 3, 50));
  running.inventree.setFault(() => ({ answer: { status: 503, body: 'maintenance' } }));
  await until('the outage is logged', () => hasWaited(running, 'InvenTree'));
  for (const item of items) item.quantity = 8;
  running.inventree.setFault(undefined);
  await until('it is over', showsAll(running, 3, 8), 20_000);
  expect(await running.database.redis.keys('?stock-sync?:queue:dead-letters:part-*')).toEqual([]);
});

it('makes no call for parts that are not sold online, once it has seen them', async () => {
  const { running } = await start(2);
  const part = running.inventree.shop.addPart({ name: 'NOT SOLD' });
  running.inventree.shop.insertItem({ part: part.pk, quantity: 5 });
  await until('the first sweep is done', showsAll(running, 2, 50));
  await sleep(2_500);
  const calls = stockCalls(running);
  await sleep(2_500);
  expect(stockCalls(running)).toBe(calls);
  expect(logged(running, 'skipped')).toEqual([]);
});
