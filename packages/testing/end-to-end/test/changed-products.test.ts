import { openProducts } from '@stock-sync/state';
import { startSystem, type System } from '../src';
import { messages, redisServer, shown, withConnection } from './support';

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
  await withConnection(running, connection => {
    const products = openProducts({ ...connection, now: () => Date.now() - 11 * MINUTES });
    return products.set([{ sku: SKU, product: { sku: SKU, typeId: 'simple' } }]);
  });
  return { running, change };
}

const asksForProducts = ({ magento }: System) => magento.calls.some(({ path }) => path === '/rest/V1/products');

it.each([
  ['became a configurable one', (product: { typeId: string }) => (product.typeId = 'configurable')],
  ['was spelled in another case', (product: { sku: string }) => (product.sku = 'Widget-123')],
])('writes the row of stock of a product that %s, without asking for the product', async (_, alter) => {
  const { running, change } = await synced();
  const product = running.magento.store.product(SKU);
  if (product) alter(product);
  running.magento.calls.length = 0;
  await change(6);
  expect(running.magento.store.sourceItem(SKU)?.quantity).toBe(6);
  expect(asksForProducts(running)).toBe(false);
});

it('makes no row for a product that was deleted with its row, although the product is remembered', async () => {
  const { running, change } = await synced();
  running.magento.store.products.delete(SKU.toLowerCase());
  running.magento.store.deleteSourceItem(SKU, 'default');
  await change(6);
  expect(running.magento.store.sourceItem(SKU)).toBeUndefined();
  expect(asksForProducts(running)).toBe(true);
  expect(messages(running).some(line => line.includes('Magento has no product with this SKU'))).toBe(true);
});
