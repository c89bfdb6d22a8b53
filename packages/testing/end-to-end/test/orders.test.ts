import { signatureOf, type SalesOrder } from '@stock-sync/fakes';
import { orderJob } from '@stock-sync/state';
import { runStockSync, startService, startSystem, TEST_SECRET, type System } from '../src';
import { enqueue, redisServer, until } from './support';

let system: System;

afterEach(() => system.stop());

async function startShop(environment: Record<string, string> = {}, workers = 1): Promise<void> {
  system = await startSystem({
    redisServer: redisServer(),
    sends: 'none',
    workers: 0,
    environment: {
      ORDERS: 'import',
      ORDERS_SINCE: '2026-01-01',
      ORDERS_INTERVAL_SECONDS: '1',
      INVENTREE_TOKEN: 'inv-orders',
      RECONCILE_INTERVAL_MINUTES: '0',
      ...environment,
    },
  });
  for (const name of ['WIDGET', 'SHIRT-RED', 'BUN-X', 'BUN-Y']) {
    system.inventree.shop.addPart({ name });
    system.magento.store.addProduct(name, { quantity: 0 });
  }
  for (let n = 0; n < workers; n++) await system.startWorker();
}

const simple = (sku: string, quantity: number) => ({ product_type: 'simple', sku, qty_ordered: quantity });
const salesOrders = () => [...system.inventree.shop.salesOrders.values()];
/** Another customer of the same InvenTree, whose numbers mean nothing to this store. */
const OTHER_CUSTOMER = 777;
const withNumber = (customerReference: string) =>
  salesOrders().filter(order => order.customerReference === customerReference && order.customer !== OTHER_CUSTOMER);

/** The only sales order of an order, once it looks like this. */
async function imported(customerReference: string, isRight: (order: SalesOrder) => boolean): Promise<SalesOrder> {
  await until(`the sales order of ${customerReference} is right`, () => {
    const [order] = withNumber(customerReference);
    return order !== undefined && isRight(order);
  });
  const [order, ...others] = withNumber(customerReference);
  expect(others).toEqual([]);
  if (!order) throw new Error('it is gone');
  return order;
}

const isIssued = ({ status }: SalesOrder) => status === 15;
const linesOf = ({ lines }: SalesOrder) =>
  lines.map(({ part, quantity }) => [system.inventree.shop.parts.get(part)?.name, quantity]);

it('creates one sales order for an order, counted on from those made by hand', async () => {
  await startShop();
  const { shop } = system.inventree;
  shop.insertSalesOrder({ customer: OTHER_CUSTOMER, reference: 'SO-0041', customerReference: '000000001' });
  system.magento.store.placeOrderOf(
    simple('WIDGET', 3),
    { product_type: 'configurable', sku: 'SHIRT-RED', qty_ordered: 2 },
    { product_type: 'simple', sku: 'SHIRT-RED', qty_ordered: 2, parent_item_id: 2 },
    { product_type: 'bundle', sku: 'BUNDLE', qty_ordered: 1 },
    { product_type: 'simple', sku: 'BUN-X', qty_ordered: 2, parent_item_id: 4 },
    { product_type: 'simple', sku: 'BUN-Y', qty_ordered: 1, parent_item_id: 4 },
    { product_type: 'virtual', sku: 'WARRANTY', qty_ordered: 1 },
    simple('NO-PART', 4),
  );
  const order = await imported('000000001', one => isIssued(one) && one.extraLines.length === 2);
  expect(order.reference).toBe('SO-0042');
  expect(linesOf(order)).toEqual([
    ['WIDGET', 3],
    ['SHIRT-RED', 2],
    ['BUN-X', 2],
    ['BUN-Y', 1],
  ]);
  expect(order.lines.map(({ reference }) => reference)).toEqual(['1', '2', '5', '6']);
  expect(order.extraLines).toEqual([
    { reference: 'WARRANTY', quantity: 1 },
    { reference: 'NO-PART', quantity: 4 },
  ]);
  expect(shop.customers.get(order.customer)).toMatchObject({ name: 'Web shop' });

  const { out, code } = await runStockSync(system.environment, ['orders', 'list']);
  expect(out).toMatch(/^000000001 {2}sales order SO-0042 {2}/);
  expect(code).toBe(0);
});

it('follows what happens to the order: held, released, cancelled in part and as a whole', async () => {
  await startShop();
  const { store } = system.magento;
  const order = store.placeOrderOf(simple('WIDGET', 3));
  await imported('000000001', isIssued);
  store.changeOrder(order, { state: 'holded' });
  await imported('000000001', ({ status }) => status === 25);
  store.changeOrder(order, { state: undefined, canceled: 1 });
  const released = await imported('000000001', one => isIssued(one) && one.lines[0]?.quantity === 2);
  expect(linesOf(released)).toEqual([['WIDGET', 2]]);
  store.changeOrder(order, { state: 'canceled' });
  await imported('000000001', ({ status }) => status === 40);
});

it('sees a second change within the second that Magento counts in', async () => {
  await startShop();
  const { store } = system.magento;
  const order = store.placeOrderOf(simple('WIDGET', 3));
  const { updatedAt } = order;
  await imported('000000001', isIssued);
  store.changeOrder(order, { state: 'canceled' });
  order.updatedAt = updatedAt;
  await imported('000000001', ({ status }) => status === 40);
});

it('sees it, too, where the look before it began early and took long', async () => {
  // No search comes while that look lasts, but for the first one, which is repeated until every order was looked at.
  await startShop({ ORDERS_INTERVAL_SECONDS: '4' });
  await until('the first search is over', async () => {
    return (await system.database.redis.exists('{stock-sync}:cursor:orders')) === 1;
  });
  const { store } = system.magento;
  const order = store.placeOrderOf(simple('WIDGET', 3));
  const { updatedAt } = order;
  await imported('000000001', isIssued);
  // Only then is the first look recorded.
  await system.quiet();
  let looks = 0;
  system.inventree.setFault(({ url }) => {
    if (!url.startsWith('/api/order/so/shipment/?order=') || ++looks > 1) return undefined;
    store.changeOrder(order, { state: 'canceled' });
    order.updatedAt = updatedAt;
    return { answerAfterMs: 2_500 };
  });
  // Not by a command, which needs a moment to start.
  await enqueue(system, [orderJob({ id: order.entity_id, incrementId: '000000001' }, 'test')]);
  await imported('000000001', ({ status }) => status === 40);
});

it('leaves what InvenTree has shipped, and says what to do by hand', async () => {
  await startShop({ MAX_ATTEMPTS: '1' });
  const { store } = system.magento;
  const order = store.placeOrderOf(simple('WIDGET', 3));
  const salesOrder = await imported('000000001', isIssued);
  for (const line of salesOrder.lines) line.shipped = 2;
  store.changeOrder(order, { state: 'canceled' });
  await until('there is a dead letter', () =>
    system.workerLog().some(({ message }) => message.includes('Dead letter')),
  );
  const [dead] = system.workerLog().filter(({ message }) => message.includes('Dead letter'));
  expect(dead?.message).toContain("InvenTree has shipped 2 of SKU 'WIDGET', and 0 are left of the order");
  expect(salesOrder.status).toBe(15);
  expect(linesOf(salesOrder)).toEqual([['WIDGET', 3]]);
});

it('takes the rest of an order where a part is not salable, and that part once it is', async () => {
  await startShop({ MAX_ATTEMPTS: '1' });
  const bracket = system.inventree.shop.addPart({ name: 'BRACKET', salable: false });
  const order = system.magento.store.placeOrderOf(simple('BRACKET', 1), simple('WIDGET', 3));
  expect(linesOf(await imported('000000001', isIssued))).toEqual([['WIDGET', 3]]);
  await until('there is a dead letter', () =>
    system.workerLog().some(({ message }) => message.includes('Dead letter')),
  );
  const [dead] = system.workerLog().filter(({ message }) => message.includes('Dead letter'));
  expect(dead?.message).toContain(`SKU 'BRACKET' is part ${bracket.pk}, which is not salable`);

  bracket.salable = true;
  system.magento.store.changeOrder(order, {});
  const whole = await imported('000000001', ({ lines }) => lines.length === 2);
  expect(linesOf(whole)).toEqual([
    ['WIDGET', 3],
    ['BRACKET', 1],
  ]);
});

it('knows its sales orders again where Redis lost everything', async () => {
  await startShop();
  system.magento.store.placeOrderOf(simple('WIDGET', 3), { product_type: 'virtual', sku: 'WARRANTY', qty_ordered: 1 });
  const before = await imported('000000001', one => isIssued(one) && one.extraLines.length === 1);
  // A job that runs now would write what it knows of the order.
  await system.quiet();
  await system.database.empty();
  const order = system.magento.store.placeOrderOf(simple('WIDGET', 1));
  await imported(String(order.entity_id).padStart(9, '0'), isIssued);
  await until(
    'the first order is known again',
    async () => (await system.database.redis.exists('{stock-sync}:order:1')) === 1,
  );
  await system.quiet();
  expect(withNumber('000000001')).toEqual([before]);
  expect(before.extraLines).toHaveLength(1);
  expect(before.lines).toHaveLength(1);
});

it('creates no second order or line where a call fails before or after it took effect', async () => {
  await startShop();
  const { inventree, magento } = system;
  const isWrite = ({ method, path }: { method: string; path: string }) =>
    method !== 'GET' && /^\/api\/(order|company)\//.test(path);
  let placed = 0;
  // The customer, the order, two lines, its status, an extra line.
  for (let failing = 1; failing <= 6; failing++) {
    for (const reset of ['before', 'after'] as const) {
      let writes = 0;
      inventree.setFault(call => (isWrite(call) && ++writes === failing ? { reset } : undefined));
      magento.store.placeOrderOf(simple('WIDGET', 3), simple('BUN-X', 1), {
        product_type: 'virtual',
        sku: 'WARRANTY',
        qty_ordered: 1,
      });
      placed++;
      const number = String(placed).padStart(9, '0');
      const order = await imported(number, one => isIssued(one) && one.lines.length === 2);
      await until('it is followed', async () =>
        ((await system.database.redis.get(`{stock-sync}:order:${placed}`)) ?? '').includes('"followed"'),
      );
      expect(linesOf(order)).toEqual([
        ['WIDGET', 3],
        ['BUN-X', 1],
      ]);
      expect(order.extraLines.length).toBeLessThanOrEqual(1);
    }
  }
  expect(new Set(salesOrders().map(({ reference }) => reference)).size).toBe(placed);
  expect(inventree.shop.customers.size).toBe(1);
});

it('completes an order whose worker was killed between two calls', async () => {
  await startShop();
  const { inventree, magento } = system;
  const [worker] = system.workers;
  inventree.setFault(call => {
    if (call.method === 'POST' && call.path === '/api/order/so-line/') {
      worker?.kill('SIGKILL');
      return { reset: 'after' };
    }
    return undefined;
  });
  magento.store.placeOrderOf(simple('WIDGET', 3), simple('BUN-X', 1));
  await worker?.ended;
  inventree.setFault(undefined);
  await system.startWorker();
  const order = await imported('000000001', one => isIssued(one) && one.lines.length === 2);
  expect(linesOf(order)).toEqual([
    ['WIDGET', 3],
    ['BUN-X', 1],
  ]);
});

it('gives orders that arrive at once a sales order each, over several workers', async () => {
  await startShop({}, 2);
  for (let n = 0; n < 12; n++) system.magento.store.placeOrderOf(simple('WIDGET', n + 1));
  for (let n = 1; n <= 12; n++) {
    const order = await imported(String(n).padStart(9, '0'), isIssued);
    expect(linesOf(order)).toEqual([['WIDGET', n]]);
  }
  expect(new Set(salesOrders().map(({ reference }) => reference)).size).toBe(12);
  expect(system.inventree.shop.customers.size).toBe(1);
});

it('leaves an order from before the first day, although it changed since', async () => {
  await startShop();
  const order = system.magento.store.placeOrderOf(simple('WIDGET', 3));
  order.createdAt = '2025-12-31 23:59:59';
  await until('the order is read', () => system.magento.calls.some(({ path }) => path.endsWith('/orders/1')));
  system.magento.store.placeOrderOf(simple('WIDGET', 1));
  await imported('000000002', isIssued);
  expect(salesOrders()).toHaveLength(1);
});

it('writes nothing in a dry run, and says what it would do', async () => {
  await startShop({ DRY_RUN: 'true' });
  system.magento.store.placeOrderOf(simple('WIDGET', 3));
  await until('the dry run says what it would do', () =>
    system.workerLog().some(({ message }) => message.includes('would be followed by a sales order with 1 line')),
  );
  expect(salesOrders()).toEqual([]);
  expect(system.inventree.shop.customers.size).toBe(0);
});

it('reads no order where orders are off', async () => {
  await startShop({ ORDERS: 'off' });
  system.magento.store.placeOrderOf(simple('WIDGET', 3));
  await new Promise(resolve => setTimeout(resolve, 2_000));
  expect(system.magento.calls.filter(({ path }) => path.includes('/orders'))).toEqual([]);
  expect(salesOrders()).toEqual([]);
});

it('creates no more sales orders than ORDERS_PER_MINUTE, and says so once', async () => {
  await startShop({ ORDERS_PER_MINUTE: '2' });
  for (let n = 0; n < 4; n++) system.magento.store.placeOrderOf(simple('WIDGET', 1));
  const said = () => system.workerLog().filter(({ message }) => message.includes('ORDERS_PER_MINUTE'));
  await until('it is said', () => said().length > 0);
  await until('two are there', () => salesOrders().filter(isIssued).length === 2);
  await new Promise(resolve => setTimeout(resolve, 2_500));
  expect(salesOrders()).toHaveLength(2);
  expect(said()).toMatchObject([{ level: 'warn' }]);
  expect(await system.database.redis.pttl('{stock-sync}:orders-this-minute')).toBeGreaterThan(0);
});

it('is looked at once more by a command', async () => {
  await startShop();
  const order = system.magento.store.placeOrderOf(simple('WIDGET', 3));
  const salesOrder = await imported('000000001', isIssued);
  await until('it was read twice', async () =>
    ((await system.database.redis.get('{stock-sync}:order:1')) ?? '').includes('"twice":true'),
  );
  salesOrder.lines.splice(0);
  const { code, out } = await runStockSync(system.environment, ['orders', 'replay', '000000001']);
  expect([code, out]).toEqual([0, 'Order 000000001: queued\n']);
  await imported('000000001', ({ lines }) => lines[0]?.quantity === 3);
  expect(order.rows[0]?.qty_shipped).toBe(0);
  const unknown = await runStockSync(system.environment, ['orders', 'replay', '1']);
  expect(unknown.code).toBe(1);
  expect(unknown.out).toContain("no order with number '1' was imported");
});

it('is compared by a reconcile: somebody changed the sales order', async () => {
  await startShop();
  system.magento.store.placeOrderOf(simple('WIDGET', 3));
  const salesOrder = await imported('000000001', isIssued);
  await until('it was read twice', async () =>
    ((await system.database.redis.get('{stock-sync}:order:1')) ?? '').includes('"twice":true'),
  );
  for (const line of salesOrder.lines) line.quantity = 1;
  const { code } = await runStockSync(system.environment, ['reconcile']);
  expect(code).toBe(0);
  await imported('000000001', ({ lines }) => lines[0]?.quantity === 3);
});

describe('which orders count', () => {
  it('imports an order once it has one of ORDERS_STATES, and follows it from then on', async () => {
    await startShop({ ORDERS_STATES: 'processing' });
    const { store } = system.magento;
    const order = store.placeOrderOf(simple('WIDGET', 1));
    await until('it was read', async () =>
      (await runStockSync(system.environment, ['orders', 'list'])).out.includes('it waits for another state'),
    );
    expect(salesOrders()).toEqual([]);
    for (const row of order.rows) row.qty_invoiced = 1;
    store.changeOrder(order, { state: undefined });
    await imported('000000001', isIssued);
    store.changeOrder(order, { state: 'holded' });
    await imported('000000001', ({ status }) => status === 25);
  });

  it('leaves those of other store views', async () => {
    await startShop({ ORDERS_STORES: '2,3' });
    const { store } = system.magento;
    store.placeOrderOf(simple('WIDGET', 1));
    store.placeOrderOf(simple('WIDGET', 2)).storeId = 3;
    await imported('000000002', isIssued);
    await until('the other one is left', async () =>
      (await runStockSync(system.environment, ['orders', 'explain', '000000001'])).out.includes('left alone'),
    );
    expect(salesOrders()).toHaveLength(1);
  });

  it('books each buyer to a company of its own, where that is on', async () => {
    await startShop({ ORDERS_CUSTOMER_PER_BUYER: 'true' });
    const { store } = system.magento;
    const { shop } = system.inventree;
    store.placeOrderOf(simple('WIDGET', 1));
    await imported('000000001', isIssued);
    store.placeOrderOf(simple('WIDGET', 1));
    store.placeOrderOf(simple('WIDGET', 1)).buyer = { first: '', last: '', email: 'c@example.com' };
    for (const number of ['000000002', '000000003']) await imported(number, isIssued);
    expect(salesOrders().map(({ customer }) => shop.customers.get(customer)?.name)).toEqual([
      'A B (buyer@example.com)',
      'A B (buyer@example.com)',
      'c@example.com',
    ]);
    expect(shop.addresses).toEqual([
      { company: salesOrders()[0]?.customer, title: 'Order 000000001', line1: '1 Road', postal_code: '78701' },
      { company: salesOrders()[2]?.customer, title: 'Order 000000003', line1: '1 Road', postal_code: '78701' },
    ]);
  });

  it('knows its sales orders again by buyer, where Redis lost everything', async () => {
    await startShop({ ORDERS_CUSTOMER_PER_BUYER: 'true' });
    const order = system.magento.store.placeOrderOf(simple('WIDGET', 1));
    await imported('000000001', isIssued);
    await system.database.empty();
    await system.startWorker();
    system.magento.store.changeOrder(order, { state: 'holded' });
    await imported('000000001', ({ status }) => status === 25);
    expect(system.inventree.shop.customers.size).toBe(1);
  });
});

it('notes what was refunded in the sales order, once, and goes on where InvenTree refuses the note', async () => {
  await startShop();
  const { store } = system.magento;
  const order = store.placeOrderOf(simple('WIDGET', 5));
  await imported('000000001', isIssued);
  const [row] = order.rows;
  if (!row) throw new Error('no row');
  const refund = (units: number) => {
    row.qty_refunded = units;
    store.changeOrder(order, { state: undefined });
  };
  refund(2);
  await imported('000000001', one => one.extraLines.length === 1);
  refund(3);
  const notes = await imported('000000001', one => one.extraLines.length === 2);
  expect(notes.extraLines).toEqual([
    { reference: 'Refunded: WIDGET', quantity: 2 },
    { reference: 'Refunded: WIDGET', quantity: 1 },
  ]);
  expect(linesOf(notes)).toEqual([['WIDGET', 2]]);
  await system.database.empty();
  await system.startWorker();
  refund(3);
  await system.quiet();
  let refused = 0;
  system.inventree.setFault(({ path }) =>
    path.endsWith('/so-extra-line/') && ++refused > 0
      ? { answer: { status: 400, body: { order: ['locked'] } } }
      : undefined,
  );
  refund(4);
  await imported('000000001', one => linesOf(one)[0]?.[1] === 1 && refused === 1);
  refund(5);
  await imported('000000001', one => linesOf(one)[0]?.[1] === 0 && refused === 2);
  expect(withNumber('000000001')[0]?.extraLines).toHaveLength(2);
});

it('looks for orders when the store says so by a signed webhook', async () => {
  const MAGENTO_WEBHOOK_SECRET = 'whsec_c3RvcmUtc2VjcmV0LW9mLTI0LWJ5dGVzLW9rLi4u';
  await startShop({ ORDERS_INTERVAL_SECONDS: '3600' });
  const ingest = await startService('ingest', { ...system.environment, MAGENTO_WEBHOOK_SECRET });
  try {
    await system.quiet();
    system.magento.store.placeOrderOf(simple('WIDGET', 1));
    const send = async (secret: string) => {
      const timestamp = String(Math.floor(Date.now() / 1000));
      const body = '{"order_id":1}';
      const headers = {
        'content-type': 'application/json',
        'webhook-id': 'msg_1',
        'webhook-timestamp': timestamp,
        'webhook-signature': signatureOf(secret, 'msg_1', timestamp, body),
      };
      return (await fetch(`${ingest.url}/webhooks/magento`, { method: 'POST', headers, body })).status;
    };
    expect(await send(TEST_SECRET)).toBe(401);
    expect(await send(MAGENTO_WEBHOOK_SECRET)).toBe(202);
    await imported('000000001', isIssued);
    // Without the setting, there is no such address.
    expect((await fetch(`${system.ingest.url}/webhooks/magento`, { method: 'POST' })).status).toBe(404);
  } finally {
    await ingest.stop();
  }
});
