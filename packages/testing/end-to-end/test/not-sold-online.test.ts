import { setTimeout as sleep } from 'node:timers/promises';
import { requestReconcile, startSystem, type System, type SystemOptions } from '../src';
import { hasWaited, messages, redisServer, shown, until, widget } from './support';

/** Parts and products that do not match yet, or never will: what every shop meets on its first day. */

let system: System | undefined;
afterEach(async () => {
  await system?.stop();
  system = undefined;
});

async function start(options: Partial<SystemOptions> = {}) {
  system = await startSystem({
    redisServer: redisServer(),
    sends: 'none',
    ...options,
    environment: { SYNC_DELAY_MS: '30', ...options.environment },
  });
  return system;
}

function addPart({ inventree }: System, name: string, quantity: number): number {
  const part = inventree.shop.addPart({ name });
  inventree.shop.insertItem({ part: part.pk, quantity });
  return part.pk;
}

it('syncs the other parts while one part is not sold online', async () => {
  const running = await start();
  const notSold = addPart(running, 'SPARE-PART-9', 7);
  const { part } = widget(running);
  await running.send({ event: 'stock_stockitem.saved', parts: [notSold] });
  await until(
    'the part is skipped',
    () => messages(running).some(line => line.includes("SKU 'SPARE-PART-9' skipped")),
    5_000,
    () => messages(running),
  );
  await running.send({ event: 'stock_stockitem.saved', parts: [part] });
  await until('the other part is in sync', () => shown(running) === 50);
  expect(hasWaited(running, 'Magento')).toBe(false);
});

it('syncs a product that was created after its part as soon as an event names the part', async () => {
  const running = await start();
  const part = addPart(running, 'NEW-1', 7);
  await running.send({ event: 'stock_stockitem.saved', parts: [part] });
  await until('the part is skipped', () => messages(running).some(line => line.includes("SKU 'NEW-1' skipped")));
  running.magento.store.addProduct('NEW-1', { quantity: 0 });
  await running.send({ event: 'stock_stockitem.saved', parts: [part] });
  await until('the product shows its stock', () => shown(running, 'NEW-1') === 7, 5_000);
});

it('finds a product that was created after its part within one sweep, without any event', async () => {
  const running = await start({ environment: { SWEEP_INTERVAL_SECONDS: '1', RECONCILE_INTERVAL_MINUTES: '30' } });
  addPart(running, 'NEW-1', 7);
  widget(running);
  await until('the first sweep is done', () => shown(running) === 50);
  await until('the reconcile is done', () => messages(running).some(line => line.includes('Reconcile (start-up)')));
  await sleep(2_500);
  running.magento.store.addProduct('NEW-1', { quantity: 0 });
  await until('the product shows its stock', () => shown(running, 'NEW-1') === 7, 5_000);
});

it('finds a new product at reconcile although Magento had none with its SKU at the last one', async () => {
  const running = await start();
  addPart(running, 'NEW-1', 7);
  const reconcile = () => requestReconcile(running.database.url);
  const reconciled = () => messages(running).filter(line => line.includes('Reconcile (test)')).length;
  await reconcile();
  await until('the first reconcile is done', () => reconciled() === 1);
  running.magento.store.addProduct('NEW-1', { quantity: 0 });
  await reconcile();
  await until('the product shows its stock', () => shown(running, 'NEW-1') === 7, 5_000);
});
