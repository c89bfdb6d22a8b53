import { orderActions, stockActions, type FakeOrder, type Fault, type SalesOrder } from '@stock-sync/fakes';
import { runStockSync, startSystem, type System } from '../src';
import { deadLettersOf, faultOnce, messages, ordersSettled, redisServer, shown, until } from './support';

let system: System;

afterEach(() => system.stop());

async function startShop(environment: Record<string, string> = {}): Promise<void> {
  system = await startSystem({
    redisServer: redisServer(),
    workers: 0,
    environment: {
      ORDERS: 'both',
      ORDERS_SINCE: '2026-01-01',
      ORDERS_INTERVAL_SECONDS: '1',
      INVENTREE_TOKEN: 'inv-orders',
      RECONCILE_INTERVAL_MINUTES: '0',
      TIMEOUT: '1',
      ...environment,
    },
  });
}

/** A part that is sold, with these quantities as stock items. */
function addPart(name: string, ...quantities: number[]): number {
  const { pk: part } = system.inventree.shop.addPart({ name });
  const total = quantities.reduce((sum, quantity) => sum + quantity, 0);
  system.magento.store.addProduct(name, { quantity: total });
  for (const quantity of quantities) system.inventree.shop.insertItem({ part, quantity });
  return part;
}

const numberOf = ({ entity_id }: FakeOrder) => String(entity_id).padStart(9, '0');
const salesOrderOf = (order: FakeOrder): SalesOrder | undefined =>
  [...system.inventree.shop.salesOrders.values()].find(one => one.customerReference === numberOf(order));

/** By stock item, what is allocated to an order and not sent. */
function allocatedTo(order: FakeOrder): [item: number, quantity: number][] {
  const id = salesOrderOf(order)?.pk;
  return system.inventree.shop.salesAllocations
    .filter(one => one.order === id)
    .map(({ item, quantity }) => [item, quantity]);
}

const sum = (order: FakeOrder) => allocatedTo(order).reduce((total, [, quantity]) => total + quantity, 0);

async function allocated(order: FakeOrder, quantity: number): Promise<void> {
  await until(
    `${quantity} are allocated to order ${order.entity_id}`,
    () => sum(order) === quantity,
    20_000,
    () => messages(system),
  );
}

/** Sends the open shipment of an order, as a user of InvenTree does. */
async function send(order: FakeOrder): Promise<void> {
  const { shop } = system.inventree;
  const id = salesOrderOf(order)?.pk;
  const open = [...shop.shipments.values()].find(one => one.order === id && one.sentOn === null);
  orderActions.ship(shop, open?.pk ?? 0);
  await shop.idle();
}

const settled = () => ordersSettled(system);

const everyEvent = (part: number) => system.send({ event: 'part_part.saved', id: part, part });

it('allocates what expires first to an order, in a shipment that has only to be sent', async () => {
  await startShop();
  const part = addPart('WIDGET', 50);
  const soon = system.inventree.shop.insertItem({ part, quantity: 2, expiryDate: '2030-01-01' });
  await system.startWorker();
  const order = system.magento.store.placeOrder('WIDGET', 5);
  await allocated(order, 5);
  expect(allocatedTo(order)).toEqual([
    [soon.pk, 2],
    [1, 3],
  ]);
  await everyEvent(part);
  await settled();
  // What is allocated is on the shelves, and Magento itself reserves it.
  expect([shown(system, 'WIDGET'), system.magento.store.salable('WIDGET')]).toEqual([52, 47]);

  await send(order);
  await until('it is shipped in Magento', () => system.magento.store.shipments.length === 1);
  await settled();
  expect(system.inventree.shop.inStock(part)).toBe(47);
  expect([shown(system, 'WIDGET'), system.magento.store.salable('WIDGET')]).toEqual([47, 47]);
  expect(system.inventree.shop.shipments.size).toBe(1);
});

it('allocates what is missing when stock comes, to the first order first', async () => {
  await startShop();
  const part = addPart('WIDGET', 4);
  await system.startWorker();
  const first = system.magento.store.placeOrder('WIDGET', 6);
  await allocated(first, 4);
  const second = system.magento.store.placeOrder('WIDGET', 3);
  await until('it has a sales order', () => salesOrderOf(second) !== undefined);
  await settled();
  expect(sum(second)).toBe(0);
  const { out } = await runStockSync(system.environment, ['orders', 'list']);
  expect(out).toContain("waits for stock in InvenTree: 2 of 'WIDGET'");
  // The second order is ready to take the stock before the first one is.
  const late = faultOnce({ answerAfterMs: 900 }, ({ path }) => path === `/api/order/so/${salesOrderOf(first)?.pk}/`);
  system.inventree.setFault(late.of);
  stockActions.create(system.inventree.shop, { part, quantity: 3, location: null });
  await allocated(first, 6);
  await allocated(second, 1);
  expect(late.metAt()).toBeGreaterThan(0);
  await send(first);
  stockActions.create(system.inventree.shop, { part, quantity: 9, location: null });
  await allocated(second, 3);
  await settled();
  const shipments = [...system.inventree.shop.shipments.values()];
  expect(shipments.map(({ reference, sentOn }) => [reference, sentOn !== null])).toEqual([
    ['1', true],
    ['1', false],
  ]);
});

it('keeps nothing for an order that is on hold, gone or a dead letter', async () => {
  await startShop({ MAX_ATTEMPTS: '1' });
  const part = addPart('WIDGET', 4);
  await system.startWorker();
  const { store } = system.magento;
  const onHold = store.placeOrder('WIDGET', 5);
  await allocated(onHold, 4);
  const [gone, broken, last] = [6, 7, 8].map(quantity => store.placeOrder('WIDGET', quantity));
  if (!gone || !broken || !last) throw new Error('not placed');
  await until('it has a sales order', () => salesOrderOf(last) !== undefined);
  await settled();
  store.changeOrder(onHold, { state: 'holded' });
  store.orders.splice(store.orders.indexOf(gone), 1);
  await settled();
  system.inventree.setFault(({ path }) =>
    path === `/api/order/so/${salesOrderOf(broken)?.pk}/` ? { answer: { status: 400, body: {} } } : undefined,
  );
  await runStockSync(system.environment, ['orders', 'replay', numberOf(broken)]);
  await until('it is a dead letter', async () => (await deadLettersOf(system)).length === 1);
  stockActions.create(system.inventree.shop, { part, quantity: 8, location: null });
  await allocated(last, 8);
  expect([onHold, gone, broken].map(sum)).toEqual([4, 0, 0]);

  store.changeOrder(onHold, { state: undefined });
  stockActions.create(system.inventree.shop, { part, quantity: 1, location: null });
  await allocated(onHold, 5);
});

it('allocates nothing more to a sales order that somebody has cancelled or deleted', async () => {
  await startShop();
  const part = addPart('WIDGET', 4);
  await system.startWorker();
  const order = system.magento.store.placeOrder('WIDGET', 6);
  await allocated(order, 4);
  const salesOrder = salesOrderOf(order);
  if (!salesOrder) throw new Error('no sales order');
  salesOrder.status = 40;
  stockActions.create(system.inventree.shop, { part, quantity: 5, location: null });
  await settled();
  expect(sum(order)).toBe(4);
  expect(messages(system).filter(text => text.includes('dead letter'))).toEqual([]);
  // Nobody waits for stock any more.
  expect(await system.database.redis.exists('{stock-sync}:short-orders')).toBe(0);

  const second = system.magento.store.placeOrder('WIDGET', 9);
  await allocated(second, 5);
  await until(
    'it waits for stock',
    async () => (await system.database.redis.exists('{stock-sync}:short-orders')) === 1,
  );
  system.inventree.shop.salesOrders.delete(salesOrderOf(second)?.pk ?? 0);
  system.magento.store.changeOrder(second, { canceled: 1 });
  // It may be seen at the second look: Magento counts in seconds.
  await until(
    'nobody waits for stock any more',
    async () => (await system.database.redis.exists('{stock-sync}:short-orders')) === 0,
  );
  await settled();
  expect(await system.database.redis.exists('{stock-sync}:short-orders')).toBe(0);
});

it('gives what a cancelled order had to one that waits for it', async () => {
  await startShop();
  addPart('WIDGET', 4);
  await system.startWorker();
  const first = system.magento.store.placeOrder('WIDGET', 4);
  await allocated(first, 4);
  const second = system.magento.store.placeOrder('WIDGET', 3);
  await settled();
  expect(sum(second)).toBe(0);
  system.magento.store.changeOrder(first, { state: 'canceled' });
  await allocated(second, 3);
  expect(sum(first)).toBe(0);
});

it.each<[string, RegExp, Fault]>([
  ['the shipment did not arrive', /\/so\/shipment\/$/, { reset: 'before' }],
  ['the answer to the shipment got lost', /\/so\/shipment\/$/, { reset: 'after' }],
  ['the allocation did not arrive', /\/allocate\/$/, { reset: 'before' }],
  ['the answer to the allocation got lost', /\/allocate\/$/, { reset: 'after' }],
  // Later than the next attempt.
  ['the allocation is carried out late', /\/allocate\/$/, { beginAfterMs: 5_500 }],
  [
    'somebody has taken the stock meanwhile',
    /\/allocate\/$/,
    { answer: { status: 400, body: { items: [{ quantity: ['Available quantity (3) exceeded'] }] } } },
  ],
])('allocates once, also where a call has no answer: %s', async (_, path, fault) => {
  await startShop({ MAX_ATTEMPTS: '6', ...('beginAfterMs' in fault && { TIMEOUT: '3' }) });
  addPart('WIDGET', 50);
  await system.startWorker();
  const broken = faultOnce(fault, call => call.method === 'POST' && path.test(call.path));
  system.inventree.setFault(broken.of);
  const order = system.magento.store.placeOrder('WIDGET', 5);
  await allocated(order, 5);
  await broken.carriedOut();
  // Longer than anything may be carried out late, and looked at once more.
  order.updatedAt = '2030-01-01 00:00:00';
  await settled();
  await settled();
  expect(broken.metAt()).toBeGreaterThan(0);
  expect(sum(order)).toBe(5);
  expect(system.inventree.shop.shipments.size).toBe(1);
});

it('says where more is allocated than is left of the order, and goes on when it is removed', async () => {
  await startShop({ MAX_ATTEMPTS: '1' });
  addPart('WIDGET', 50);
  await system.startWorker();
  const order = system.magento.store.placeOrder('WIDGET', 5);
  await allocated(order, 5);
  system.magento.store.changeOrder(order, { canceled: 2 });
  await until('there is a dead letter', () =>
    messages(system).some(text => text.includes("InvenTree has more of 'WIDGET' allocated to SO-0001 than is left")),
  );
  // Its second look, which would remove the dead letter by itself.
  await settled();
  await settled();
  const salesOrder = salesOrderOf(order);
  expect(salesOrder?.lines.map(({ quantity }) => quantity)).toEqual([3]);
  orderActions.freeAllocations(system.inventree.shop, salesOrder?.pk ?? 0);
  const { code } = await runStockSync(system.environment, ['dead-letters', 'replay', 'order-1']);
  expect(code).toBe(0);
  await allocated(order, 3);
});

describe('with two sources', () => {
  let places: Record<'default' | 'west', number>;

  /** A shop with 10 of a widget and 9 cables at the first source, and 20 and 5 at the other one. */
  async function startTwoSources(environment: Record<string, string> = {}): Promise<void> {
    await startShop(environment);
    const { shop } = system.inventree;
    system.magento.store.sources.set('west', { name: 'West', enabled: true, postcode: '1' });
    places = { default: shop.addLocation('Here').pk, west: shop.addLocation('There').pk };
    for (const [name, here, there] of [
      ['WIDGET', 10, 20],
      ['CABLE', 9, 5],
    ] as const) {
      const { pk: part } = shop.addPart({ name });
      shop.insertItem({ part, quantity: here, location: places.default });
      shop.insertItem({ part, quantity: there, location: places.west });
      system.magento.store.addProduct(name, { quantity: here });
      system.magento.store.writeSourceItem(name, 'west', there, 1);
    }
    const SOURCE_MAP = JSON.stringify({ default: [places.default], west: [places.west] });
    await system.startWorker({ SOURCE_MAP });
  }

  const atSources = (sku = 'WIDGET') =>
    ['default', 'west'].map(source => system.magento.store.sourceItem(sku, source)?.quantity);

  it('takes all lines from one source where one has them', async () => {
    await startTwoSources();
    const order = system.magento.store.placeOrderOf(
      { product_type: 'simple', sku: 'WIDGET', qty_ordered: 11 },
      { product_type: 'simple', sku: 'CABLE', qty_ordered: 2 },
    );
    await allocated(order, 13);
    const { shop } = system.inventree;
    expect(allocatedTo(order).map(([item]) => shop.items.get(item)?.location)).toEqual([places.west, places.west]);
  });

  it('ships from where the stock was, also where another source has enough', async () => {
    await startTwoSources();
    const order = system.magento.store.placeOrder('WIDGET', 12);
    await allocated(order, 12);
    system.magento.store.writeSourceItem('WIDGET', 'default', 30, 1);
    await send(order);
    await until(
      'it is shipped in Magento',
      () => system.magento.store.shipments.length === 1,
      20_000,
      () => messages(system),
    );
    await settled();
    expect(system.magento.store.shipments).toMatchObject([{ source: 'west' }]);
    expect(atSources()).toEqual([10, 8]);
  });

  it('shows what only one of the systems has shipped at the source that shipped it', async () => {
    await startTwoSources({ ORDERS: 'import' });
    const order = system.magento.store.placeOrder('WIDGET', 12);
    await allocated(order, 12);
    await send(order);
    await settled();
    // InvenTree has 10 and 8 left, and Magento still reserves the 12.
    expect(atSources()).toEqual([10, 20]);
    system.magento.store.ship(order, undefined, { source: 'west' });
    await settled();
    expect(atSources()).toEqual([10, 8]);

    const second = system.magento.store.placeOrder('WIDGET', 3);
    await allocated(second, 3);
    system.magento.store.ship(second, undefined, { source: 'west' });
    const { part = 0 } = system.inventree.shop.items.get(1) ?? {};
    await everyEvent(part);
    await settled();
    expect(atSources()).toEqual([10, 5]);
    const { out } = await runStockSync(system.environment, ['explain', 'WIDGET']);
    expect(out).toContain('3 shipped in Magento and not yet in InvenTree, so Magento shows 3 less at west');
  });
});
