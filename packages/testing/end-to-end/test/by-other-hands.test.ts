import { setTimeout as sleep } from 'node:timers/promises';
import { startSystem, type System, type SystemOptions } from '../src';
import { hasWaited, redisServer, shown, until } from './support';

/** Changes without an event of InvenTree: Magento's own documents, and an InvenTree without our plugin. */

let system: System | undefined;
afterEach(async () => {
  await system?.stop();
  system = undefined;
});

async function start(options: Partial<SystemOptions> = {}) {
  system = await startSystem({
    redisServer: redisServer(),
    sends: 'none',
    workers: 0,
    ...options,
    environment: { SWEEP_INTERVAL_SECONDS: '1', SYNC_DELAY_MS: '30', ...options.environment },
  });
  const part = system.inventree.shop.addPart({ name: 'WIDGET-123' });
  system.magento.store.addProduct('WIDGET-123', { quantity: 999 });
  const item = system.inventree.shop.insertItem({ part: part.pk, quantity: 50 });
  await system.startWorker();
  return { running: system, item, store: system.magento.store };
}

const logged = (running: System, text: string) => running.workerLog().filter(line => line.message.includes(text));
const cursors = async (running: System) => (await running.database.redis.keys('{stock-sync}:cursor:*')).length;

it('corrects what a shipment and a credit memo in Magento changed, within the interval of a sweep', async () => {
  const { running, store } = await start();
  await until('the first sweep is done', () => shown(running) === 50);
  await until('the cursors exist', async () => (await cursors(running)) === 3);
  const order = store.placeOrder('WIDGET-123', 3);
  store.ship(order);
  expect(shown(running)).toBe(47);
  await until('the store is right again', () => shown(running) === 50);
  store.refund(order);
  expect(shown(running)).toBe(53);
  await until('the store is right again', () => shown(running) === 50);
  expect(logged(running, "Magento's shipments").length).toBe(1);
});

it('corrects the parts of a bundle, which its shipment does not list', async () => {
  const { running, store } = await start();
  await until('the first sweep is done', () => shown(running) === 50);
  await until('the cursors exist', async () => (await cursors(running)) === 3);
  store.addProduct('BUNDLE-1', { typeId: 'bundle' });
  store.ship(store.placeOrder('BUNDLE-1', 2, [{ sku: 'WIDGET-123', quantity: 3 }]));
  expect(shown(running)).toBe(44);
  await until('the store is right again', () => shown(running) === 50);
  const orders = running.magento.calls.filter(({ path }) => path.startsWith('/rest/V1/orders/'));
  expect(orders).toHaveLength(1);
});

it('says once that it lacks the right to read them, and continues', async () => {
  const resources = new Set([
    'Magento_Catalog::products',
    'Magento_InventoryApi::source',
    'Magento_InventoryApi::stock_source_item_assign',
  ]);
  const { running } = await start({ magento: { integration: { resources } } });
  await until('the first sweep is done', () => shown(running) === 50);
  await sleep(2_500);
  expect(logged(running, 'does not show its').map(line => line.message.slice(0, 40))).toEqual([
    'Magento does not show its shipments to t',
    'Magento does not show its creditmemos to',
  ]);
  expect(hasWaited(running, 'Magento')).toBe(false);
});

it('finds tracked changes between sweeps that are far apart, without the plugin', async () => {
  const { running, item } = await start({ plugin: false });
  await until('the first sweep is done', () => shown(running) === 50);
  // As if the last sweep had taken a minute, so that the next one is due in nine. A sweep that is running would change
  // that.
  const { redis } = running.database;
  await until('the cursor exists', async () => {
    const last = { at: Date.now(), tookMs: 60_000, byPlugin: false };
    await redis.set('{stock-sync}:last-sweep', JSON.stringify(last));
    return (await redis.exists('{stock-sync}:cursor:tracking')) === 1;
  });
  const { shop } = running.inventree;
  shop.transaction(() => shop.setQuantity(item, 42, 'Stock counted', 10));
  await until('the store is right', () => shown(running) === 42);
  await until('the tracking caused it', () => logged(running, 'tracking').length > 0);
});
