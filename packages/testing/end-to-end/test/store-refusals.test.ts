import type { Fault } from '@stock-sync/fakes';
import { startSystem, type System } from '../src';
import { deadLettersOf, hasWaited, messages, redisServer, shown, until } from './support';

/** Refusals that concern one call or one SKU, and must not stop the shop. */

let system: System | undefined;
afterEach(async () => {
  await system?.stop();
  system = undefined;
});

const SKUS = ['A-1', 'A-2', 'A-3', 'A-4', 'A-5', 'A-6'];

/** A shop with some parts that have 5 in stock, and whose products show 9. */
async function start(environment: Record<string, string> = {}, sourceItems = true) {
  system = await startSystem({
    redisServer: redisServer(),
    sends: 'none',
    environment: { SYNC_DELAY_MS: '10', MAX_ATTEMPTS: '2', ...environment },
    magento: { settings: { sourceItems } },
  });
  const { inventree, magento } = system;
  const parts = SKUS.map(name => {
    const part = inventree.shop.addPart({ name }).pk;
    inventree.shop.insertItem({ part, quantity: 5 });
    magento.store.addProduct(name, { quantity: 9 });
    return part;
  });
  return { ...system, parts };
}

const page = (status: number): Fault => ({
  answer: { status, headers: { 'content-type': 'text/html' }, body: '<title>403 Forbidden</title>' },
});
const unauthorized: Fault = {
  answer: {
    status: 401,
    headers: { 'content-type': 'application/json' },
    body: {
      message: "The consumer isn't authorized to access %resources.",
      parameters: { resources: 'Magento_InventoryApi::source' },
    },
  },
};
const problems = (running: System) => messages(running).filter(line => /^(warn|error)/.test(line));

it('a firewall that refuses one SKU stops that SKU alone', async () => {
  const running = await start();
  running.magento.setFault(call =>
    call.method === 'POST' && JSON.stringify(call.body).includes('"A-3"') ? page(403) : undefined,
  );
  await running.send({ event: 'stock_stockitem.saved', parts: running.parts });
  await until('it is a dead letter', async () => (await deadLettersOf(running)).length === 1, 20_000);
  expect(SKUS.map(sku => shown(running, sku))).toEqual([5, 5, 9, 5, 5, 5]);
  expect((await deadLettersOf(running))[0]).toMatchObject({
    sku: 'A-3',
    reason: 'Magento, or a firewall before it, refused /rest/V1/inventory/source-items with 403: 403 Forbidden',
  });
  expect(hasWaited(running, 'Magento')).toBe(false);
}, 40_000);

it('a 401 for a call that passes a moment later is repeated quietly', async () => {
  const running = await start();
  const seen = new Set<string>();
  running.magento.setFault(({ method, url, body }) => {
    const call = `${method} ${url} ${JSON.stringify(body)}`;
    if (seen.has(call)) return undefined;
    seen.add(call);
    return unauthorized;
  });
  for (const part of running.parts) {
    await running.send({ event: 'stock_stockitem.saved', parts: [part] });
    await running.quiet();
  }
  expect(SKUS.map(sku => shown(running, sku))).toEqual([5, 5, 5, 5, 5, 5]);
  expect(problems(running)).toEqual([]);
});

it('a SKU that no signature fits stops nothing, with the older stock API', async () => {
  const running = await start({}, false);
  const { inventree, magento } = running;
  const bad = inventree.shop.addPart({ name: '50%2Foff' }).pk;
  inventree.shop.insertItem({ part: bad, quantity: 5 });
  magento.store.addProduct('50%2Foff', { quantity: 9 });
  const slash = inventree.shop.addPart({ name: "Bob's A/B & C" }).pk;
  inventree.shop.insertItem({ part: slash, quantity: 5 });
  magento.store.addProduct("Bob's A/B & C", { quantity: 9 });
  await running.send({ event: 'stock_stockitem.saved', parts: [bad, ...running.parts, slash] });
  await until('it is a dead letter', async () => (await deadLettersOf(running)).length === 1, 20_000);
  expect([...SKUS, "Bob's A/B & C"].map(sku => magento.store.product(sku)?.qty)).toEqual([5, 5, 5, 5, 5, 5, 5]);
  expect((await deadLettersOf(running))[0]).toMatchObject({ sku: '50%2Foff' });
  expect(hasWaited(running, 'Magento')).toBe(false);
}, 40_000);
