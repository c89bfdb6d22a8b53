import { startSystem, type System } from '../src';
import { messages, redisServer, shown, until } from './support';

/** Products that change after their parts were synced. */

let system: System | undefined;
afterEach(async () => {
  await system?.stop();
  system = undefined;
});

const SKU = 'WIDGET-123';
const MINUTES = 60_000;

/** A part in sync, whose product was asked for eleven minutes ago. */
async function synced() {
  system = await startSystem({ redisServer: redisServer(), sends: 'none', environment: { SYNC_DELAY_MS: '10' } });
  const running = system;
  const { shop } = running.inventree;
  const part = shop.addPart({ name: SKU }).pk;
  const item = shop.insertItem({ part, quantity: 5 });
  running.magento.store.addProduct(SKU, { quantity: 9 });
  const change = async (quantity: number) => {
    item.quantity = quantity;
    await running.send({ event: 'stock_stockitem.saved', parts: [part] });
    await running.quiet();
  };
  await change(5);
  expect(shown(running)).toBe(5);
  const before = JSON.stringify([[SKU, 'simple'], Date.now() - 11 * MINUTES]);
  await running.database.redis.hset('{stock-sync}:products', SKU.toLowerCase(), before);
  return { running, change };
}

it('does not write to a product that became a configurable one', async () => {
  const { running, change } = await synced();
  const product = running.magento.store.product(SKU);
  if (product) product.typeId = 'configurable';
  await change(6);
  expect(shown(running)).toBe(5);
  expect(messages(running).some(line => line.includes('a configurable product has no stock of its own'))).toBe(true);
});

it('does not write to a product that was deleted, although its row of stock is still there', async () => {
  const { running, change } = await synced();
  running.magento.store.products.delete(SKU.toLowerCase());
  await change(6);
  expect(running.magento.store.sourceItem(SKU)?.quantity).toBe(5);
  expect(messages(running).some(line => line.includes('Magento has no product with this SKU'))).toBe(true);
});

it('writes to a product whose SKU is spelled in another case since, as the store spells it', async () => {
  const { running, change } = await synced();
  const product = running.magento.store.product(SKU);
  if (product) product.sku = 'Widget-123';
  await change(6);
  await until('the store is right', () => shown(running) === 6);
  const bodies = running.magento.calls.map(call => JSON.stringify(call.body ?? ''));
  expect(bodies.some(body => body.includes('"Widget-123"'))).toBe(true);
});
