import { setTimeout as sleep } from 'node:timers/promises';
import { startSystem, type System } from '../src';
import { messages, redisServer, shown, until } from './support';

/** An InvenTree that is wrong (another database, a backup restored by half) must not empty the store. */

let system: System | undefined;
afterEach(async () => {
  await system?.stop();
  system = undefined;
});

/** A store that shows 50 of each of 30 SKUs, and an InvenTree that has none of the first `empty` of them. */
async function start(empty: number, environment: Record<string, string> = {}) {
  system = await startSystem({
    redisServer: redisServer(),
    sends: 'none',
    workers: 0,
    environment: { SYNC_DELAY_MS: '30', SWEEP_INTERVAL_SECONDS: '1', ...environment },
  });
  for (let n = 0; n < 30; n++) {
    const part = system.inventree.shop.addPart({ name: `SKU-${n}` });
    system.magento.store.addProduct(part.name, { quantity: 50 });
    if (n >= empty) system.inventree.shop.insertItem({ part: part.pk, quantity: 60 });
  }
  return system;
}

const quantities = (running: System, count: number) =>
  Array.from({ length: count }, (_, n) => shown(running, `SKU-${n}`));
const refused = (running: System) =>
  messages(running).filter(line => line.startsWith('error') && line.includes('would fall to zero at once'));

it('holds back what would empty the store although Redis remembers nothing', async () => {
  const running = await start(30);
  await running.startWorker();
  await until(
    'the guard says so',
    () => refused(running).length > 0,
    6_000,
    () => messages(running),
  );
  await sleep(1_500);
  expect(quantities(running, 30)).toEqual(Array<number>(30).fill(50));
  expect(refused(running)).toHaveLength(1);
  expect(refused(running)[0]).toContain('30 of');
});

it('holds it back after a dry run, too, and syncs the rest', async () => {
  const running = await start(10);
  await running.startWorker({ ENABLE_SYNC: 'false' });
  await until('the dry run is done', () => messages(running).filter(line => line.includes('[DRY RUN]')).length >= 20);
  await sleep(1_200);
  await running.workers[0]?.stop();
  await running.startWorker();
  await until('the rest is in sync', () => shown(running, 'SKU-29') === 60);
  await sleep(1_500);
  expect(quantities(running, 10)).toEqual(Array<number>(10).fill(50));
});

it('lets a few SKUs fall to zero at once', async () => {
  const running = await start(4);
  await running.startWorker();
  await until('they are empty', () => quantities(running, 4).every(quantity => quantity === 0), 6_000);
});

it('asks for nothing more than Magento shows where the parts are not sold online', async () => {
  const running = await start(0);
  for (let n = 0; n < 30; n++) running.inventree.shop.addPart({ name: `NOT-SOLD-${n}` });
  await running.startWorker();
  await until('the first sweep is done', () => shown(running, 'SKU-29') === 60);
  expect(refused(running)).toEqual([]);
});
