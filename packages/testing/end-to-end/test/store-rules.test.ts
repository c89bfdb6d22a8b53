import { requestReconcile, startSystem, type System, type SystemOptions } from '../src';
import { deadLettersOf, isWrite, jsonError, messages, redisServer, shown, until } from './support';

/** What a shop's own settings and modules do to stock: backorders, thresholds, products without managed stock. */

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
    environment: { SYNC_DELAY_MS: '10', ...options.environment },
  });
  return system;
}

const SKU = 'WIDGET-123';
type Sold = Parameters<System['magento']['store']['addProduct']>[1];

/** A part, and its product. */
function widget({ inventree, magento }: System, quantity: number, sold: Sold) {
  const part = inventree.shop.addPart({ name: SKU }).pk;
  const item = quantity > 0 ? inventree.shop.insertItem({ part, quantity }) : undefined;
  magento.store.addProduct(SKU, sold);
  return { part, item };
}

const syncs = (running: System, what: string) => messages(running).filter(line => line.includes(what)).length;

/** Requests a sync of the part, and resolves when it has ended. */
async function synced(running: System, part: number): Promise<void> {
  await running.send({ event: 'stock_stockitem.saved', parts: [part] });
  await running.quiet();
}

/** Requests a reconcile, and resolves when the parts that it enqueued are in sync. */
async function reconciled(running: System): Promise<void> {
  const before = syncs(running, 'Reconcile (');
  await requestReconcile(running.database.url);
  await until(
    'the reconcile is done',
    () => syncs(running, 'Reconcile (') > before,
    10_000,
    () => messages(running),
  );
  await running.quiet();
}

const calls = (running: System, path: string) =>
  running.magento.calls.filter(call => call.path.startsWith(path) && !call.path.includes('health-probe')).length;
const writes = (running: System) => running.magento.calls.filter(isWrite).length;

it('keeps a product on backorder for sale at quantity 0', async () => {
  const running = await start();
  const { part } = widget(running, 0, { quantity: 7, backorders: 1 });
  await synced(running, part);
  expect(running.magento.store.sourceItem(SKU)).toMatchObject({ quantity: 0, status: 1 });
  await reconciled(running);
  expect(writes(running)).toBe(1);
});

it('ends the sale of any other product at quantity 0, and asks for its rules only then', async () => {
  const running = await start();
  const { part, item } = widget(running, 5, { quantity: 7 });
  await synced(running, part);
  expect(calls(running, '/rest/V1/stockItems/')).toBe(0);
  if (item) item.quantity = 0;
  await synced(running, part);
  expect(running.magento.store.sourceItem(SKU)).toMatchObject({ quantity: 0, status: 0 });
  expect(calls(running, '/rest/V1/stockItems/')).toBe(1);
});

it('never takes a product whose stock Magento does not manage to zero, and says so once', async () => {
  const running = await start();
  const { part } = widget(running, 0, { quantity: 7, managesStock: false });
  await synced(running, part);
  await synced(running, part);
  await reconciled(running);
  expect(shown(running)).toBe(7);
  expect(messages(running).filter(line => line.includes('does not manage the stock'))).toEqual([
    `warn SKU '${SKU}' is not written: Magento does not manage the stock of this product ` +
      `(part ${part}, stock_stockitem.saved)`,
  ]);
});

it('leaves a quantity alone that the store changes back after three writes, until something changes', async () => {
  const running = await start();
  const { part, item } = widget(running, 5, { quantity: 999 });
  const { store } = running.magento;
  for (let write = 1; write <= 3; write++) {
    await synced(running, part);
    expect([write, shown(running)]).toEqual([write, 5]);
    store.writeSourceItem(SKU, 'default', 999, 1);
  }
  await synced(running, part);
  await synced(running, part);
  await reconciled(running);
  expect(shown(running)).toBe(999);
  expect(messages(running).filter(line => line.includes('shows 999 again after 3 writes of 5'))).toHaveLength(1);

  if (item) item.quantity = 6;
  await synced(running, part);
  expect(shown(running)).toBe(6);
  store.writeSourceItem(SKU, 'default', 998, 1);
  await reconciled(running);
  expect(shown(running)).toBe(6);
}, 60_000);

it('does not create a row of 0 at a source that never had the product', async () => {
  const running = await start();
  const { part } = widget(running, 0, { quantity: null });
  await synced(running, part);
  await reconciled(running);
  expect(running.magento.store.sourceItem(SKU)).toBeUndefined();
  running.inventree.shop.insertItem({ part, quantity: 4 });
  await synced(running, part);
  expect(shown(running)).toBe(4);
});

it('says once that a part is not sold online', async () => {
  const running = await start();
  const part = running.inventree.shop.addPart({ name: 'SPARE-9' }).pk;
  running.inventree.shop.insertItem({ part, quantity: 4 });
  for (let event = 1; event <= 3; event++) await synced(running, part);
  expect(messages(running).filter(line => line.includes("SKU 'SPARE-9' skipped"))).toEqual([
    `info SKU 'SPARE-9' skipped: Magento has no product with this SKU (part ${part}, stock_stockitem.saved)`,
  ]);
});

describe('with the older stock API', () => {
  const legacy = { magento: { settings: { sourceItems: false } } };

  it('agrees with a product below its out-of-stock threshold', async () => {
    const running = await start(legacy);
    const { part } = widget(running, 4, { quantity: 9, minQuantity: 5 });
    await synced(running, part);
    await synced(running, part);
    await reconciled(running);
    expect(running.magento.store.product(SKU)).toMatchObject({ qty: 4, isInStock: false });
    expect(calls(running, `/rest/V1/products/${SKU}/stockItems`)).toBe(1);
  });

  it('keeps a product on backorder for sale at quantity 0', async () => {
    const running = await start(legacy);
    const { part } = widget(running, 0, { quantity: 7, backorders: 1 });
    await synced(running, part);
    expect(running.magento.store.product(SKU)).toMatchObject({ qty: 0, isInStock: true });
  });

  it('gives a product its first stock, whose quantity is null until then', async () => {
    const running = await start(legacy);
    const { part } = widget(running, 3, { quantity: null });
    await synced(running, part);
    expect(running.magento.store.product(SKU)).toMatchObject({ qty: 3, isInStock: true });
  });
});

describe('a part that was given up', () => {
  const given = { environment: { MAX_ATTEMPTS: '1' } };

  async function givenUp() {
    const running = await start(given);
    const { part } = widget(running, 5, { quantity: 7 });
    running.magento.setFault(call =>
      call.method === 'POST' && JSON.stringify(call.body).includes(SKU) ? jsonError(400, 'Could not save') : undefined,
    );
    await synced(running, part);
    await until('the dead letter is there', async () => (await deadLettersOf(running)).length === 1);
    return running;
  }

  it('is not tried again at reconcile, until the store shows something else', async () => {
    const running = await givenUp();
    const before = writes(running);
    await reconciled(running);
    expect(writes(running)).toBe(before);
    running.magento.store.writeSourceItem(SKU, 'default', 8, 1);
    await reconciled(running);
    expect(writes(running)).toBeGreaterThan(before);
  });

  it('is tried again when a worker starts with other settings', async () => {
    const running = await givenUp();
    running.magento.setFault(undefined);
    await running.startWorker();
    await running.quiet();
    expect(shown(running)).toBe(7);
    await running.startWorker({ TIMEOUT: '6' });
    await until(
      'the part is in sync',
      () => shown(running) === 5,
      10_000,
      () => messages(running),
    );
    await until('its dead letter is removed', async () => (await deadLettersOf(running)).length === 0);
  });
});
