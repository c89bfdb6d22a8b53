import {
  orderActions,
  stockActions,
  type FakeCall,
  type FakeOrder,
  type Fault,
  type SalesOrder,
  type StockItem,
} from '@stock-sync/fakes';
import { runStockSync, startSystem, type System } from '../src';
import { faultOnce, jsonError, messages, ordersSettled, redisServer, shown, until } from './support';

let system: System;
let item: StockItem;

afterEach(() => system.stop());

/** A shop with 50 of a widget, on its shelves and in its store. */
async function startShop(environment: Record<string, string> = {}, workers = 1): Promise<void> {
  system = await startSystem({
    redisServer: redisServer(),
    workers: 0,
    environment: {
      ORDERS: 'import',
      ORDERS_SINCE: '2026-01-01',
      ORDERS_INTERVAL_SECONDS: '1',
      INVENTREE_TOKEN: 'inv-orders',
      RECONCILE_INTERVAL_MINUTES: '0',
      // Here people pick the stock that they ship.
      ORDERS_ALLOCATE: 'false',
      ...environment,
    },
  });
  item = addStock('WIDGET', 50);
  for (let n = 0; n < workers; n++) await system.startWorker();
}

function addStock(name: string, quantity: number): StockItem {
  const { pk: part } = system.inventree.shop.addPart({ name });
  system.magento.store.addProduct(name, { quantity });
  return system.inventree.shop.insertItem({ part, quantity });
}

const inStore = () => shown(system, 'WIDGET');
const salable = () => system.magento.store.salable('WIDGET');
const shelves = () => system.inventree.shop.inStock(item.part);

/** The sales order of an order, once it is issued. */
async function salesOrderOf({ entity_id }: FakeOrder): Promise<SalesOrder> {
  const number = String(entity_id).padStart(9, '0');
  const find = () =>
    [...system.inventree.shop.salesOrders.values()].find(
      ({ customerReference, status }) => customerReference === number && status === 15,
    );
  await until(
    `order ${number} is imported`,
    () => find() !== undefined,
    15_000,
    () => messages(system),
  );
  const found = find();
  if (!found) throw new Error('it is gone');
  return found;
}

/** Sends some of each line, as a user of InvenTree does. */
async function shipInInvenTree(order: SalesOrder, quantities: number[], tracking = ''): Promise<void> {
  const { shop } = system.inventree;
  const reference = String(1 + [...shop.shipments.values()].filter(one => one.order === order.pk).length);
  const shipment = shop.insertShipment(order.pk, reference);
  for (const [index, quantity] of quantities.entries()) {
    const line = order.lines[index];
    const [stock] = line ? shop.itemsOf(line.part).filter(one => shop.isInStock(one)) : [];
    if (line && stock && quantity > 0) orderActions.allocate(shop, order.pk, line.pk, stock.pk, quantity, shipment.pk);
  }
  orderActions.ship(shop, shipment.pk, tracking);
  await shop.idle();
}

const settled = () => ordersSettled(system);

const everyEvent = () => system.send({ event: 'stock_stockitem.saved', id: item.pk, part: item.part });

describe('what Magento has shipped and InvenTree has not booked', () => {
  it('is not put back into the store: by an event, by a sweep, by a reconcile', async () => {
    await startShop({ SWEEP_INTERVAL_SECONDS: '1', RECONCILE_INTERVAL_MINUTES: '0' });
    const order = system.magento.store.placeOrder('WIDGET', 3);
    const salesOrder = await salesOrderOf(order);
    system.magento.store.ship(order);
    // At once, before the shipment is known.
    await everyEvent();
    await settled();
    expect([shelves(), inStore(), salable()]).toEqual([50, 47, 47]);
    stockActions.add(system.inventree.shop, item, 10);
    await settled();
    expect([shelves(), inStore(), salable()]).toEqual([60, 57, 57]);
    const { out } = await runStockSync(system.environment, ['explain', 'WIDGET']);
    expect(out).toContain('Orders:        3 shipped in Magento and not yet in InvenTree, so Magento shows 3 less');
    const listed = await runStockSync(system.environment, ['orders', 'list', '--unbooked']);
    expect(listed.out).toMatch(
      /^000000001 {2}sales order SO-0001 {2}the order is processing, .*\n {2}Magento has shipped 3/,
    );
    const explained = await runStockSync(system.environment, ['orders', 'explain', '000000001']);
    expect(explained).toMatchObject({
      code: 0,
      out: expect.stringMatching(/Next: +Magento has shipped 3 of 'WIDGET', and InvenTree has not/) as string,
    });
    const metrics = await (await fetch(`${system.workers[0]?.url ?? ''}/metrics`)).text();
    expect(metrics).toContain('stock_sync_unbooked_skus 1');
    expect(metrics).toMatch(/stock_sync_orders_total\{outcome="imported"\} 1/);
    expect(system.magento.store.history.map(({ quantity }) => quantity)).toEqual([50, 47, 57]);

    await shipInInvenTree(salesOrder, [3]);
    await settled();
    expect([shelves(), inStore(), salable()]).toEqual([57, 57, 57]);
    expect(system.magento.store.history.map(({ quantity }) => quantity)).toEqual([50, 47, 57]);
  });

  it('is known again after Redis was emptied', async () => {
    await startShop();
    const order = system.magento.store.placeOrder('WIDGET', 3);
    await salesOrderOf(order);
    system.magento.store.ship(order);
    await settled();
    await system.database.empty();
    await system.startWorker();
    stockActions.add(system.inventree.shop, item, 1);
    await until(
      'the store is right',
      () => inStore() === 48,
      20_000,
      () => messages(system),
    );
    await settled();
    expect([shelves(), inStore(), salable()]).toEqual([51, 48, 48]);
    expect(system.magento.store.history.map(({ quantity }) => quantity)).toEqual([50, 47, 48]);
  });

  it.each<[string, (order: SalesOrder) => unknown]>([
    ['is cancelled', order => (order.status = 40)],
    ['is deleted', ({ pk }) => system.inventree.shop.salesOrders.delete(pk)],
  ])('no longer counts where its sales order %s: it was booked by hand', async (_, end) => {
    await startShop();
    const order = system.magento.store.placeOrder('WIDGET', 3);
    const salesOrder = await salesOrderOf(order);
    system.magento.store.ship(order);
    await settled();
    expect(inStore()).toBe(47);
    end(salesOrder);
    stockActions.remove(system.inventree.shop, item, 3);
    order.updatedAt = '2030-01-01 00:00:00';
    await settled();
    expect([shelves(), inStore()]).toEqual([47, 47]);
  });
});

describe('what InvenTree has shipped and Magento has not', () => {
  it('stays in the store, which still reserves it', async () => {
    await startShop();
    const order = system.magento.store.placeOrder('WIDGET', 3);
    const salesOrder = await salesOrderOf(order);
    await shipInInvenTree(salesOrder, [2]);
    await settled();
    expect([shelves(), inStore(), salable()]).toEqual([48, 50, 47]);
    system.magento.store.ship(order, [{ order_item_id: 1, qty: 2 }]);
    await settled();
    expect([shelves(), inStore(), salable()]).toEqual([48, 48, 47]);
    expect(system.magento.store.history.map(({ quantity }) => quantity)).toEqual([50, 48]);
  });

  it('is known again after Redis was emptied, before anything is written', async () => {
    await startShop();
    const order = system.magento.store.placeOrder('WIDGET', 3);
    const salesOrder = await salesOrderOf(order);
    await shipInInvenTree(salesOrder, [3]);
    await settled();
    expect([shelves(), inStore(), salable()]).toEqual([47, 50, 47]);
    await system.database.empty();
    // Longer than a write waits from look to look.
    system.magento.setFault(({ path }) => (/\/orders\/\d+$/.test(path) ? { answerAfterMs: 900 } : undefined));
    await system.startWorker();
    stockActions.add(system.inventree.shop, item, 1);
    await until(
      'the store is right',
      () => inStore() === 51,
      20_000,
      () => messages(system),
    );
    await settled();
    expect([shelves(), inStore(), salable()]).toEqual([48, 51, 48]);
    expect(system.magento.store.history.map(({ quantity }) => quantity)).toEqual([50, 51]);
  });

  it('is not counted any more once the order is cancelled', async () => {
    await startShop({ MAX_ATTEMPTS: '1' });
    const order = system.magento.store.placeOrder('WIDGET', 3);
    await shipInInvenTree(await salesOrderOf(order), [3]);
    await settled();
    expect(inStore()).toBe(50);
    system.magento.store.changeOrder(order, { state: 'canceled' });
    await settled();
    expect([shelves(), inStore(), salable()]).toEqual([47, 47, 47]);
  });
});

describe('with ORDERS=both', () => {
  const shipments = () => system.magento.store.shipments;

  it('what InvenTree ships is shipped in Magento, too, with its tracking number, in the same parts', async () => {
    await startShop({ ORDERS: 'both' });
    const order = system.magento.store.placeOrder('WIDGET', 5);
    const salesOrder = await salesOrderOf(order);
    await shipInInvenTree(salesOrder, [2], '1Z999');
    await until(
      'it is shipped',
      () => shipments().length === 1,
      15_000,
      () => messages(system),
    );
    await shipInInvenTree(salesOrder, [3]);
    await until('the rest is shipped', () => shipments().length === 2);
    await settled();
    expect(shipments().map(({ items }) => items.map(({ qty }) => qty))).toEqual([[2], [3]]);
    expect(shipments()[0]?.tracks).toMatchObject([{ track_number: '1Z999' }]);
    expect(shipments()[0]?.comments).toMatchObject([
      { comment: `InvenTree shipment ${salesOrder.reference}/1`, is_visible_on_front: 0 },
    ]);
    expect([shelves(), inStore(), salable()]).toEqual([45, 45, 45]);
    // Only Magento itself lowered its source.
    expect(system.magento.store.history.map(({ quantity }) => quantity)).toEqual([50, 48, 45]);
  });

  it('ships a configurable product by its own row, and a bundle when all of it is there', async () => {
    await startShop({ ORDERS: 'both' });
    for (const name of ['SHIRT-RED', 'BUN-X', 'BUN-Y']) addStock(name, 20);
    const order = system.magento.store.placeOrderOf(
      { product_type: 'configurable', sku: 'SHIRT-RED', qty_ordered: 2 },
      { product_type: 'simple', sku: 'SHIRT-RED', qty_ordered: 2, parent_item_id: 1 },
      { product_type: 'bundle', sku: 'BUNDLE', qty_ordered: 2 },
      { product_type: 'simple', sku: 'BUN-X', qty_ordered: 4, parent_item_id: 3 },
      { product_type: 'simple', sku: 'BUN-Y', qty_ordered: 2, parent_item_id: 3 },
    );
    const salesOrder = await salesOrderOf(order);
    await shipInInvenTree(salesOrder, [2, 2, 0]);
    await until(
      'the shirts are shipped',
      () => shipments().length === 1,
      15_000,
      () => messages(system),
    );
    await shipInInvenTree(salesOrder, [0, 2, 2]);
    await until('the bundles are shipped', () => shipments().length === 2);
    await settled();
    expect(shipments().map(({ items }) => items.map(one => [one.order_item_id, one.qty]))).toEqual([
      [[1, 2]],
      [[3, 2]],
    ]);
    for (const [sku, quantity] of [
      ['SHIRT-RED', 18],
      ['BUN-X', 16],
      ['BUN-Y', 18],
    ] as const) {
      expect([sku, shown(system, sku), system.magento.store.salable(sku)]).toEqual([sku, quantity, quantity]);
    }
  });

  it('raises a source that has too little first', async () => {
    await startShop({ ORDERS: 'both' });
    const order = system.magento.store.placeOrder('WIDGET', 50);
    const salesOrder = await salesOrderOf(order);
    // Somebody in the store set it to nothing.
    system.magento.store.writeSourceItem('WIDGET', 'default', 0, 0);
    await shipInInvenTree(salesOrder, [50]);
    await until(
      'it is shipped',
      () => shipments().length === 1,
      15_000,
      () => messages(system),
    );
    await settled();
    expect([shelves(), inStore(), salable()]).toEqual([0, 0, 0]);
    expect(system.magento.store.history.map(({ quantity }) => quantity)).toEqual([50, 0, 50, 0]);
  });

  it.each<[string, Fault]>([
    ['it did not arrive', { reset: 'before' }],
    ['the answer got lost', { reset: 'after' }],
    // Later than the next attempt.
    ['it is carried out late', { beginAfterMs: 5_500 }],
  ])('ships once, also where the call has no answer: %s', async (_, fault) => {
    await startShop({ ORDERS: 'both', TIMEOUT: 'beginAfterMs' in fault ? '3' : '1', MAX_ATTEMPTS: '5' });
    const order = system.magento.store.placeOrder('WIDGET', 5);
    const salesOrder = await salesOrderOf(order);
    const broken = faultOnce(fault, ({ path }) => path.endsWith('/ship'));
    system.magento.setFault(broken.of);
    await shipInInvenTree(salesOrder, [2]);
    await until(
      'it is shipped',
      () => shipments().length === 1,
      20_000,
      () => messages(system),
    );
    await broken.carriedOut();
    await settled();
    expect(broken.metAt()).toBeGreaterThan(0);
    expect(shipments().map(({ items }) => items.map(({ qty }) => qty))).toEqual([[2]]);
    expect([shelves(), inStore(), salable()]).toEqual([48, 48, 45]);
  });

  it('ships once with two workers, of which one is killed meanwhile', async () => {
    await startShop({ ORDERS: 'both', TIMEOUT: '1' }, 2);
    const order = system.magento.store.placeOrder('WIDGET', 5);
    const salesOrder = await salesOrderOf(order);
    const slow = faultOnce({ answerAfterMs: 300 }, ({ path }) => path.endsWith('/ship'));
    system.magento.setFault(slow.of);
    await shipInInvenTree(salesOrder, [2]);
    await until(
      'it is being shipped',
      () => slow.metAt() > 0,
      15_000,
      () => messages(system),
    );
    for (const worker of system.workers) worker.kill('SIGKILL');
    await system.startWorker();
    await until(
      'it is shipped',
      () => shipments().length === 1,
      60_000,
      () => messages(system),
    );
    await settled();
    expect(shipments()).toHaveLength(1);
    expect([shelves(), inStore(), salable()]).toEqual([48, 48, 45]);
  }, 120_000);

  it('says why the store refuses a shipment, and ships it when the reason is gone', async () => {
    await startShop({ ORDERS: 'both', MAX_ATTEMPTS: '1' });
    const order = system.magento.store.placeOrder('WIDGET', 5);
    const salesOrder = await salesOrderOf(order);
    system.magento.setFault(({ path }) => (path.endsWith('/ship') ? jsonError(400, 'Not today') : undefined));
    await shipInInvenTree(salesOrder, [2]);
    await until('there is a dead letter', () =>
      messages(system).some(line => line.includes('Dead letter: order 000000001') && line.includes('Not today')),
    );
    expect([shelves(), inStore(), salable()]).toEqual([48, 50, 45]);
    system.magento.setFault(undefined);
    system.magento.store.changeOrder(order, {});
    await until(
      'it is shipped',
      () => shipments().length === 1,
      15_000,
      () => messages(system),
    );
    await settled();
    expect([shelves(), inStore(), salable()]).toEqual([48, 48, 45]);
  });
});

describe('with ORDERS_BOOK_SHIPMENTS', () => {
  const both = { ORDERS: 'both', ORDERS_BOOK_SHIPMENTS: 'true' };
  const sentShipments = () => [...system.inventree.shop.shipments.values()].filter(({ sentOn }) => sentOn !== null);
  const line = ({ lines }: SalesOrder) => lines.map(({ quantity, shipped }) => [quantity, shipped]);

  it('what Magento ships is shipped in InvenTree, too, from what expires first, with its tracking number', async () => {
    await startShop(both);
    const { shop } = system.inventree;
    const later = shop.insertItem({ part: item.part, quantity: 5, expiryDate: '2031-01-01' });
    const soon = shop.insertItem({ part: item.part, quantity: 2, expiryDate: '2030-01-01' });
    await everyEvent();
    await until('the store is right', () => inStore() === 57);
    const order = system.magento.store.placeOrder('WIDGET', 6);
    const salesOrder = await salesOrderOf(order);
    const tracks = [{ track_number: '1Z999', title: 'UPS', carrier_code: 'ups' }];
    system.magento.store.ship(order, [{ order_item_id: 1, qty: 3 }], { tracks });
    await until(
      'it is booked',
      () => shelves() === 54,
      15_000,
      () => messages(system),
    );
    await settled();
    expect(sentShipments()).toMatchObject([{ reference: 'M-1', trackingNumber: '1Z999' }]);
    expect(line(salesOrder)).toEqual([[6, 3]]);
    expect([soon, later].map(({ pk }) => shop.items.get(pk)).map(one => one?.customer ?? one?.quantity)).toEqual([
      salesOrder.customer,
      4,
    ]);
    system.magento.store.ship(order);
    await until('the rest is booked', () => shelves() === 51);
    await settled();
    expect(sentShipments()).toHaveLength(2);
    // Nothing was shipped twice, and nobody wrote what Magento itself had deducted.
    expect(system.magento.store.shipments).toHaveLength(2);
    expect([shelves(), inStore(), salable()]).toEqual([51, 51, 51]);
    expect(system.magento.store.history.map(({ quantity }) => quantity)).toEqual([50, 57, 54, 51]);
  });

  it('books a bundle by its parts, and what both have shipped in part once', async () => {
    await startShop(both);
    for (const name of ['BUN-X', 'BUN-Y']) addStock(name, 20);
    const order = system.magento.store.placeOrderOf(
      { product_type: 'bundle', sku: 'BUNDLE', qty_ordered: 2 },
      { product_type: 'simple', sku: 'BUN-X', qty_ordered: 4, parent_item_id: 1 },
      { product_type: 'simple', sku: 'BUN-Y', qty_ordered: 2, parent_item_id: 1 },
      { product_type: 'simple', sku: 'WIDGET', qty_ordered: 4 },
    );
    const salesOrder = await salesOrderOf(order);
    await shipInInvenTree(salesOrder, [0, 0, 1]);
    await until('it is shipped in Magento', () => system.magento.store.shipments.length === 1);
    system.magento.store.ship(order);
    await until(
      'it is booked',
      () => salesOrder.lines.every(one => one.shipped === one.quantity),
      20_000,
      () => messages(system),
    );
    await settled();
    expect(system.magento.store.shipments).toHaveLength(2);
    expect(sentShipments().map(({ reference }) => reference)).toEqual(['1', 'M-2']);
    for (const [sku, quantity] of [
      ['WIDGET', 46],
      ['BUN-X', 16],
      ['BUN-Y', 18],
    ] as const) {
      expect([sku, shown(system, sku), system.magento.store.salable(sku)]).toEqual([sku, quantity, quantity]);
    }
  });

  it.each<[string, RegExp, Fault]>([
    ['the shipment did not arrive', /\/so\/shipment\/$/, { reset: 'before' }],
    ['the answer to the shipment got lost', /\/so\/shipment\/$/, { reset: 'after' }],
    ['the allocation did not arrive', /\/allocate\/$/, { reset: 'before' }],
    ['the answer to the allocation got lost', /\/allocate\/$/, { reset: 'after' }],
    ['the answer to the sending got lost', /\/ship\/$/, { reset: 'after' }],
  ])('books once, also where a call has no answer: %s', async (_, path, fault) => {
    await startShop({ ...both, TIMEOUT: '1', MAX_ATTEMPTS: '6' });
    const order = system.magento.store.placeOrder('WIDGET', 5);
    const salesOrder = await salesOrderOf(order);
    const broken = faultOnce(fault, call => call.method === 'POST' && path.test(call.path));
    system.inventree.setFault(broken.of);
    system.magento.store.ship(order, [{ order_item_id: 1, qty: 2 }]);
    await until(
      'it is booked',
      () => shelves() === 48,
      20_000,
      () => messages(system),
    );
    await settled();
    expect(broken.metAt()).toBeGreaterThan(0);
    expect(line(salesOrder)).toEqual([[5, 2]]);
    expect(sentShipments()).toHaveLength(1);
    expect([shelves(), inStore(), salable()]).toEqual([48, 48, 45]);
  });

  it('books once, also where an allocation is carried out later than the next attempt', async () => {
    await startShop({ ...both, TIMEOUT: '3', MAX_ATTEMPTS: '6' });
    const order = system.magento.store.placeOrder('WIDGET', 5);
    const salesOrder = await salesOrderOf(order);
    const isPost = (call: FakeCall, end: string) => call.method === 'POST' && call.path.endsWith(end);
    const late = faultOnce({ beginAfterMs: 5_500 }, call => isPost(call, '/allocate/'));
    // What is sent then is sent with all that is allocated.
    system.inventree.setFault(call => (isPost(call, '/ship/') ? { beginAfterMs: 2_500 } : late.of(call)));
    system.magento.store.ship(order, [{ order_item_id: 1, qty: 2 }]);
    await until(
      'it is booked',
      () => shelves() < 50,
      30_000,
      () => messages(system),
    );
    await late.carriedOut();
    await settled();
    expect(line(salesOrder)).toEqual([[5, 2]]);
    expect(sentShipments()).toHaveLength(1);
    expect([shelves(), inStore(), salable()]).toEqual([48, 48, 45]);
  });

  it('books nothing for a cancelled sales order, which is booked by hand', async () => {
    await startShop(both);
    const order = system.magento.store.placeOrder('WIDGET', 5);
    const salesOrder = await salesOrderOf(order);
    salesOrder.status = 40;
    system.magento.store.ship(order);
    stockActions.remove(system.inventree.shop, item, 5);
    await settled();
    expect([shelves(), inStore(), system.inventree.shop.shipments.size]).toEqual([45, 45, 0]);
  });

  it('says what is missing where InvenTree has too little, and books it when it is there', async () => {
    await startShop({ ...both, MAX_ATTEMPTS: '1' });
    const order = system.magento.store.placeOrder('WIDGET', 5);
    await salesOrderOf(order);
    stockActions.count(system.inventree.shop, item, 2);
    await until('the store is right', () => inStore() === 2);
    system.magento.store.writeSourceItem('WIDGET', 'default', 5, 1);
    system.magento.store.ship(order);
    await until('there is a dead letter', () =>
      messages(system).some(text => text.includes('Magento has shipped 5 of SKU') && text.includes('3 too few')),
    );
    await settled();
    expect([shelves(), inStore()]).toEqual([2, 0]);
    // From then on, nothing happens by itself.
    await until('it was read twice', async () =>
      ((await system.database.redis.get('{stock-sync}:order:1')) ?? '').includes('"twice":true'),
    );
    await settled();
    stockActions.count(system.inventree.shop, item, 20);
    const replayed = await runStockSync(system.environment, ['dead-letters', 'replay', 'order-1']);
    expect(replayed).toMatchObject({ code: 0, out: expect.stringContaining('1 replayed') as string });
    await until(
      'it is booked',
      () => shelves() === 15,
      15_000,
      () => messages(system),
    );
    await settled();
    expect([shelves(), inStore(), salable()]).toEqual([15, 15, 15]);
  });
});
