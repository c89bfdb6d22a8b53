import { startService, TEST_SECRET, unfinishedJobs, type ServiceProcess } from '@stock-sync/end-to-end';
import { startRedis } from '@stock-sync/servers';
import {
  orderActions,
  ShipRefusedError,
  startInvenTree,
  startMagento,
  stockActions,
  type FakeCall,
  type FakeInvenTree,
  type FakeMagento,
  type FakeOrder,
  type FakeOrderRow,
  type Fault,
  type SalesOrder,
} from '@stock-sync/fakes';
import { connectToRedis, openDeadLetters, openJobQueues } from '@stock-sync/state';
import { setTimeout as sleep } from 'node:timers/promises';
import { randomFrom, type Random } from './random';

export interface OrderDayOptions {
  redisProgram: string;
  orders: number;
  /** The bridge that sets the quantity and ignores orders: what is shipped is booked in InvenTree by hand. */
  isNaive: boolean;
  /** How long the shop may take to become right before a quiet moment. */
  patienceSeconds: number;
}

/** How a day of orders ended. */
export interface OrderDayResult {
  seed: number;
  /** What was wrong at quiet moments; of the naive bridge, that it sells too much is not in it. */
  problems: string[];
  orders: number;
  /** How often a SKU was looked at in a quiet moment, and how often then too many or too few could be bought. */
  looks: number;
  tooMany: number;
  tooFew: number;
  story: string[];
  seconds: number;
}

/** An order, and what was shipped of its rows. */
interface DayOrder {
  order: FakeOrder;
  /** By row: what InvenTree has shipped, and what the shop has shipped in Magento by hand. */
  inInvenTree: Map<number, number>;
  byHand: Map<number, number>;
}

/** Which shipments are moved: none, those of InvenTree, those of both. */
type Mode = 'import' | 'both' | 'booked';
const MODES: readonly Mode[] = ['import', 'both', 'booked'];

const SKUS = ['WIDGET', 'CABLE', 'LAMP', 'SHIRT-RED', 'BUN-X', 'BUN-Y'];
const FIRST_QUANTITY = 60;
const ORDERS_PER_MOMENT = 20;
/** Until nothing more happens, for the naive bridge, and how long what is right must stay so, in milliseconds. */
const NAIVE_SETTLES_MS = 2_000;
const STAYS_MS = 700;

/** A day of orders in a shop: placed, shipped in parts on both sides, cancelled, held, edited, refunded, and faults. */
export async function runOrderDay(seed: number, options: OrderDayOptions): Promise<OrderDayResult> {
  const startedAt = Date.now();
  const random = randomFrom(seed * 104_729 + 31);
  const day = await startDay(random, modeOf(seed), options);
  const result: OrderDayResult = {
    seed,
    problems: [],
    orders: 0,
    looks: 0,
    tooMany: 0,
    tooFew: 0,
    story: [],
    seconds: 0,
  };
  try {
    while (result.orders < options.orders && result.problems.length === 0) {
      result.orders += await day.rush(Math.min(ORDERS_PER_MOMENT, options.orders - result.orders));
      const found = await day.quietMoment();
      for (const { sellable, forSale } of found.skus) {
        result.looks++;
        if (sellable > forSale) result.tooMany++;
        if (sellable < forSale) result.tooFew++;
      }
      result.problems.push(...found.problems);
    }
  } finally {
    result.story = [...day.story, ...day.serviceLogs()];
    await day.stop().catch((error: unknown) => result.problems.push(String(error)));
    result.seconds = (Date.now() - startedAt) / 1000;
  }
  return result;
}

/**
 * By turns, stock is allocated to the orders that come in, and people send what is allocated; and the shop has two
 * sources.
 */
const modeOf = (seed: number) => {
  const mode = MODES[seed % MODES.length] ?? 'import';
  const turn = Math.floor(seed / MODES.length);
  return { mode, allocates: mode !== 'booked' && turn % 2 === 0, hasSources: turn % 4 > 1 };
};

async function startDay(
  random: Random,
  { mode, allocates, hasSources }: ReturnType<typeof modeOf>,
  options: OrderDayOptions,
) {
  const { isNaive } = options;
  const redis = await startRedis(options.redisProgram);
  const inventree = await startInvenTree();
  const magento = await startMagento();
  const { shop } = inventree;
  const { store } = magento;
  const startedAt = Date.now();
  const story: string[] = [];
  const tell = (what: string) => story.push(`${Date.now() - startedAt} ms: ${what}`);
  const places: { source: string; location: number | null }[] = hasSources
    ? [
        { source: 'default', location: shop.addLocation('Here').pk },
        { source: 'west', location: shop.addLocation('There').pk },
      ]
    : [{ source: 'default', location: null }];
  if (hasSources) store.sources.set('west', { name: 'West', enabled: true, postcode: '1' });
  for (const name of SKUS) {
    const { pk: part } = shop.addPart({ name });
    store.addProduct(name, { quantity: 0 });
    for (const { source, location } of places) {
      const quantity = FIRST_QUANTITY / places.length;
      shop.insertItem({ part, quantity, location });
      store.writeSourceItem(name, source, quantity, 1);
    }
  }
  const sourceMap = Object.fromEntries(places.map(({ source, location }) => [source, [location]]));
  const environment: Record<string, string> = {
    REDIS_URL: redis.url,
    INVENTREE_URL: inventree.url,
    INVENTREE_TOKEN: 'inv-orders',
    MAGENTO_URL: magento.url,
    MAGENTO_ACCESS_TOKEN: magento.integration.accessToken,
    WEBHOOK_SECRET: TEST_SECRET,
    ENABLE_SYNC: 'true',
    TIMEOUT: '1',
    MAX_ATTEMPTS: '8',
    SYNC_DELAY_MS: '50',
    RECONCILE_MAX_ZEROED_PERCENT: '100',
    SWEEP_INTERVAL_SECONDS: '2',
    RECONCILE_INTERVAL_MINUTES: '0',
    ...(!isNaive && {
      ORDERS: mode === 'import' ? 'import' : 'both',
      ORDERS_ALLOCATE: String(allocates),
      ORDERS_BOOK_SHIPMENTS: String(mode === 'booked'),
      ORDERS_SINCE: '2026-01-01',
      ...(hasSources && { SOURCE_MAP: JSON.stringify(sourceMap) }),
      ORDERS_INTERVAL_SECONDS: '1',
      ORDERS_PER_MINUTE: '1000',
    }),
  };
  /** All that were ever started. */
  const services: ServiceProcess[] = [];
  const start = async (app: 'ingest' | 'worker') => {
    const service = await startService(app, environment);
    services.push(service);
    return service;
  };
  const ingest = await start('ingest');
  const workers = [await start('worker'), await start('worker')];
  inventree.sendTo({ url: ingest.url, secret: TEST_SECRET, sends: 'plugin' });
  const connection = connectToRedis(redis.url, { whileUnreachable: { wait: true } });
  const queues = openJobQueues(connection);
  const day: DayOrder[] = [];
  let faulty: { system: 'inventree' | 'magento'; fault: Fault; share: number } | undefined;
  const faultOf = (system: 'inventree' | 'magento') => (call: FakeCall) =>
    faulty?.system === system && isAbout(call) && random.chance(faulty.share) ? faulty.fault : undefined;
  magento.setFault(faultOf('magento'));
  inventree.setFault(faultOf('inventree'));

  const partNamed = (name: string) => [...shop.parts.values()].find(part => part.name === name)?.pk ?? 0;
  const inStockItems = (part: number) => shop.itemsOf(part).filter(item => shop.isInStock(item));
  const salesOrderOf = ({ order }: DayOrder): SalesOrder | undefined =>
    [...shop.salesOrders.values()].find(({ customerReference }) => customerReference === numberOf(order));

  function place(): void {
    const kind = random.next();
    const one = random.one(['WIDGET', 'CABLE', 'LAMP']);
    const rows =
      kind < 0.12
        ? [
            { product_type: 'bundle', sku: 'BUNDLE', qty_ordered: 2 },
            { product_type: 'simple', sku: 'BUN-X', qty_ordered: 4, parent_item_id: 1 },
            { product_type: 'simple', sku: 'BUN-Y', qty_ordered: 2, parent_item_id: 1 },
          ]
        : kind < 0.24
          ? [
              { product_type: 'configurable', sku: 'SHIRT-RED', qty_ordered: 2 },
              { product_type: 'simple', sku: 'SHIRT-RED', qty_ordered: 2, parent_item_id: 1 },
            ]
          : ['WIDGET', 'CABLE', 'LAMP']
              .filter(sku => sku === one || random.chance(0.3))
              .map(sku => ({ product_type: 'simple', sku, qty_ordered: random.between(1, 4) }));
    // Magento sells no more than there is.
    if (rows.some(({ sku, qty_ordered }) => sku !== 'BUNDLE' && (store.salable(sku) ?? 0) < qty_ordered)) return;
    const order = store.placeOrderOf(...rows);
    day.push({ order, inInvenTree: new Map(), byHand: new Map() });
    tell(`order ${numberOf(order)} placed: ${rows.map(({ sku, qty_ordered }) => `${qty_ordered} ${sku}`).join(', ')}`);
  }

  /** Sends what is allocated to an order, as a user of InvenTree does. */
  function sendAllocated(one: DayOrder): void {
    const salesOrder = salesOrderOf(one);
    if (!salesOrder || one.order.state || salesOrder.status !== 15) return;
    const shipment = [...shop.shipments.values()].find(
      ({ order, sentOn }) => order === salesOrder.pk && sentOn === null,
    );
    const allocations = shop.salesAllocations.filter(row => row.order === salesOrder.pk);
    if (!shipment || allocations.length === 0 || overAllocated(salesOrder).length > 0) return;
    for (const { line: pk, quantity } of allocations) {
      const item = Number(salesOrder.lines.find(line => line.pk === pk)?.reference);
      one.inInvenTree.set(item, (one.inInvenTree.get(item) ?? 0) + quantity);
      tell(`order ${numberOf(one.order)}: InvenTree ships ${quantity} of row ${item}`);
    }
    orderActions.ship(shop, shipment.pk, random.chance(0.5) ? '1Z' : '');
  }

  /** The lines to which more is allocated than is left of the order: nobody but a user can change that. */
  function overAllocated({ pk, lines }: SalesOrder): SalesOrder['lines'] {
    return lines.filter(line => line.quantity - line.shipped < allocatedTo(pk, line.pk));
  }

  function allocatedTo(order: number, line: number): number {
    const rows = shop.salesAllocations.filter(row => row.order === order && row.line === line);
    return rows.reduce((total, { quantity }) => total + quantity, 0);
  }

  /** Lines that lack stock although there is some that nobody has. */
  function unallocatedLines(one: DayOrder): string[] {
    const salesOrder = salesOrderOf(one);
    if (!salesOrder || one.order.state || salesOrder.status !== 15) return [];
    return salesOrder.lines.flatMap(({ pk, part, quantity, shipped }) => {
      const free = inStockItems(part).reduce((total, item) => total + item.quantity - shop.allocated(item.pk), 0);
      const lacking = quantity - shipped - allocatedTo(salesOrder.pk, pk);
      return lacking > 0 && free > 0
        ? [`order ${numberOf(one.order)}: ${lacking} of part ${part} are not allocated, and ${free} are free`]
        : [];
    });
  }

  /** As a user does who reads the dead letters. */
  async function removeOverAllocations(): Promise<void> {
    for (const one of day) {
      const salesOrder = salesOrderOf(one);
      if (!salesOrder || overAllocated(salesOrder).length === 0) continue;
      for (const line of overAllocated(salesOrder)) orderActions.freeAllocations(shop, salesOrder.pk, line.pk);
      tell(`order ${numberOf(one.order)}: allocations removed`);
      const { entity_id: order } = one.order;
      await queues.enqueue([{ kind: 'order', order, incrementId: numberOf(one.order), event: 'command' }]);
    }
  }

  /** Sends some of what is open, as a user of InvenTree does. */
  function shipInInvenTree(one: DayOrder): void {
    if (allocates && !isNaive) return sendAllocated(one);
    const some = stockRows(one.order).flatMap(row => {
      const left = row.qty_ordered - row.qty_canceled - (one.inInvenTree.get(row.item_id) ?? 0);
      return left > 0 && random.chance(0.7) ? [{ row, quantity: random.between(1, left) }] : [];
    });
    if (some.length === 0 || one.order.state || !mayShip(one, 'inventree')) return;
    const salesOrder = salesOrderOf(one);
    if (!isNaive && salesOrder?.status !== 15) return;
    const shipment = salesOrder && shop.insertShipment(salesOrder.pk, String(shop.shipments.size + 1));
    let isEmpty = true;
    for (const { row, quantity } of some) {
      const line = salesOrder?.lines.find(({ reference }) => reference === String(row.item_id));
      const item = inStockItems(partNamed(row.sku)).find(
        found => found.quantity - shop.allocated(found.pk) >= quantity,
      );
      if (!item) continue;
      if (salesOrder && shipment) {
        if (!line || line.quantity - line.shipped < quantity) continue;
        orderActions.allocate(shop, salesOrder.pk, line.pk, item.pk, quantity, shipment.pk);
      } else stockActions.remove(shop, item, quantity);
      one.inInvenTree.set(row.item_id, (one.inInvenTree.get(row.item_id) ?? 0) + quantity);
      isEmpty = false;
      tell(`order ${numberOf(one.order)}: InvenTree ships ${quantity} ${row.sku}`);
    }
    if (shipment && !isEmpty) orderActions.ship(shop, shipment.pk, random.chance(0.5) ? '1Z' : '');
  }

  /** Where shipments of both are moved, people ship an order in one of them: the same unit twice is their mistake. */
  function mayShip({ order }: DayOrder, where: 'inventree' | 'magento'): boolean {
    return mode !== 'booked' || isNaive || (order.entity_id % 2 === 0 ? 'inventree' : 'magento') === where;
  }

  function shipInMagento(one: DayOrder): void {
    const { order, byHand } = one;
    if (!mayShip(one, 'magento')) return;
    const items = order.rows
      .filter(({ parent_item_id }) => parent_item_id === undefined)
      .flatMap(row => {
        const open = row.qty_ordered - row.qty_canceled - row.qty_shipped;
        return open > 0 && random.chance(0.7) ? [{ order_item_id: row.item_id, qty: random.between(1, open) }] : [];
      });
    const before = new Map(order.rows.map(row => [row.item_id, row.qty_shipped]));
    try {
      if (items.length > 0) store.ship(order, items, { source: random.one(places).source });
    } catch (error) {
      if (!(error instanceof ShipRefusedError)) throw error;
    }
    for (const { item_id, qty_shipped, sku } of order.rows) {
      const shipped = qty_shipped - (before.get(item_id) ?? 0);
      if (shipped === 0) continue;
      byHand.set(item_id, (byHand.get(item_id) ?? 0) + shipped);
      tell(`order ${numberOf(order)}: Magento ships ${shipped} ${sku}`);
    }
  }

  function change({ order }: DayOrder): void {
    const what = random.one(['cancel', 'cancel some', 'hold', 'release', 'edit'] as const);
    if (order.state === 'canceled') return;
    tell(`order ${numberOf(order)}: ${what}`);
    if (what === 'cancel' || what === 'edit') store.changeOrder(order, { state: 'canceled' });
    // Magento cancels an edited order and makes another one.
    if (what === 'edit') place();
    if (what === 'cancel some') store.changeOrder(order, { canceled: 1 });
    if (what === 'hold') store.changeOrder(order, { state: 'holded' });
    if (what === 'release' && order.state) store.changeOrder(order, { state: undefined });
  }

  /** Puts what Magento has shipped back into its source. In InvenTree it comes back when somebody books it there. */
  function refund(): void {
    const shipped = day.filter(({ order: { rows } }) => {
      const [row, ...others] = rows;
      return others.length === 0 && row && row.qty_shipped === row.qty_ordered && row.qty_refunded === 0;
    });
    if (shipped.length === 0) return;
    const { order } = random.one(shipped);
    tell(`order ${numberOf(order)}: refunded`);
    store.refund(order);
  }

  function changeStock(): void {
    const part = partNamed(random.one(SKUS));
    const [item] = inStockItems(part);
    if (!item || random.chance(0.5)) {
      const quantity = random.between(5, 25);
      stockActions.create(shop, { part, quantity, location: random.one(places).location });
      tell(`received ${quantity} of part ${part}`);
      return;
    }
    const quantity = Math.max(1, shop.allocated(item.pk), item.quantity + random.between(-5, 5));
    stockActions.count(shop, item, quantity);
    tell(`counted item ${item.pk} of part ${part}: ${quantity}`);
  }

  async function trouble(): Promise<void> {
    const forMs = random.between(300, 1_200);
    const what = random.one(['kill', 'kill', 'maintenance', 'calls', 'calls', 'calls', 'wipe'] as const);
    if (what === 'kill') {
      const place = random.between(0, workers.length - 1);
      tell(`worker ${place} killed`);
      workers[place]?.kill('SIGKILL');
      await workers[place]?.ended;
      workers[place] = await start('worker');
    } else if (what === 'maintenance') {
      const system = random.chance(0.5) ? magento : inventree;
      tell('maintenance');
      system.setMaintenance(true);
      await sleep(forMs);
      system.setMaintenance(false);
    } else if (what === 'wipe') {
      if (isNaive || random.chance(0.5)) return;
      tell('Redis emptied');
      await connection.redis.flushall();
      // As Redis starts empty: the services start anew, too.
      for (const [place, worker] of workers.entries()) {
        worker.kill('SIGKILL');
        await worker.ended;
        workers[place] = await start('worker');
      }
    } else {
      const system = random.one(['inventree', 'magento'] as const);
      const faults: Fault[] = [{ reset: 'before' }, { reset: 'after' }, { hang: true }, SERVER_ERROR];
      // An InvenTree that carries out an old change of status after a newer one is seen at the next change only.
      if (system === 'magento') faults.push({ beginAfterMs: 1_400 });
      faulty = { system, fault: random.one(faults), share: random.one([0.3, 0.7]) };
      tell(`${system}: ${JSON.stringify(faulty.fault)}`);
      await sleep(forMs);
      faulty = undefined;
    }
  }

  /** What should be for sale, and what can be bought. Computed with nothing of the code that is tested. */
  function skus() {
    return SKUS.map(sku => {
      const open = day.reduce((total, one) => {
        const lines = salesOrderOf(one)?.lines ?? [];
        const rows = stockRows(one.order).filter(row => row.sku === sku);
        return total + rows.reduce((some, row) => some + promised(row, mode === 'booked' ? lines : one.inInvenTree), 0);
      }, 0);
      const shelves = shop.inStock(partNamed(sku));
      const reserved = store.reserved(sku);
      const source = store.atSources(sku);
      // A source cannot show less than nothing.
      const forSale = Math.max(0, shelves - open + reserved) - reserved;
      return { sku, shelves, open, sellable: source - reserved, forSale };
    });
  }

  /** Where both systems have shipped the same, each source has what is at its location. */
  function wrongSources(): string[] {
    return SKUS.flatMap(sku => {
      const isBooked = day.every(one =>
        stockRows(one.order)
          .filter(row => row.sku === sku)
          .every(row => row.qty_shipped === (one.inInvenTree.get(row.item_id) ?? 0)),
      );
      if (!isBooked) return [];
      return places.flatMap(({ source, location }) => {
        const items = inStockItems(partNamed(sku)).filter(item => item.location === location);
        const shelves = items.reduce((total, { quantity }) => total + quantity, 0);
        const shown = store.sourceItem(sku, source)?.quantity ?? 0;
        return shown === shelves ? [] : [`${sku}: ${shown} at source ${source}, and ${shelves} on its shelves`];
      });
    });
  }

  async function problemsNow(): Promise<string[]> {
    const left = await unfinishedJobs(connection.redis);
    return [
      ...(left > 0 ? [`${left} jobs are left`] : []),
      ...skus()
        .filter(({ sellable, forSale }) => sellable !== forSale)
        .map(({ sku, sellable, forSale, shelves, open }) => {
          return `${sku}: ${sellable} can be bought, should be ${forSale}: ${shelves} on the shelves, ${open} promised`;
        }),
      ...day.flatMap(one => problemsOf(one, shop, mode)),
      ...(allocates ? day.flatMap(unallocatedLines) : []),
      ...(hasSources && mode !== 'booked' ? wrongSources() : []),
    ];
  }

  return {
    story,
    async rush(orders: number): Promise<number> {
      const placed = day.length;
      const inTrouble = random.chance(0.6) ? trouble() : undefined;
      while (day.length - placed < orders) {
        place();
        const recent = day.slice(-40);
        const what = random.next();
        if (recent.length > 0) {
          if (what < 0.35) shipInInvenTree(random.one(recent));
          else if (what < 0.65) shipInMagento(random.one(recent));
          else if (what < 0.75) change(random.one(recent));
          else if (what < 0.79) refund();
          else if (what < 0.95) changeStock();
        }
        await sleep(random.between(0, 120));
      }
      await inTrouble;
      return day.length - placed;
    },
    async quietMoment() {
      await inventree.idle();
      if (isNaive) {
        await sleep(NAIVE_SETTLES_MS);
        while ((await unfinishedJobs(connection.redis)) > 0) await sleep(50);
        return { skus: skus(), problems: [] };
      }
      const until = Date.now() + options.patienceSeconds * 1000;
      let problems = await problemsNow();
      while (problems.length > 0 && Date.now() < until) {
        await removeOverAllocations();
        await sleep(50);
        problems = await problemsNow();
      }
      if (problems.length === 0) {
        await sleep(STAYS_MS);
        problems.push(
          ...skus().flatMap(one => (one.sellable === one.forSale ? [] : [`${one.sku} did not stay right`])),
        );
      }
      const opened = openDeadLetters(connection);
      const deadLetters = await opened.list();
      const ids = new Set(deadLetters.map(({ id }) => id));
      if (problems.length === 0 && mode === 'booked') {
        problems.push(
          ...day.filter(({ order }) => !ids.has(`order-${order.entity_id}`)).flatMap(one => unbookedRows(one, shop)),
        );
      }
      const unexpected = deadLetters.filter(
        ({ reason }) => !/InvenTree has (shipped|\d+ too few|more of)/.test(reason),
      );
      await opened.close();
      problems.push(...unexpected.map(({ id, reason }) => `dead letter ${id}: ${reason}`));
      tell(`quiet moment: ${problems.join('; ') || 'right'}`);
      return { skus: skus(), problems };
    },
    serviceLogs: () =>
      services.flatMap((service, n) =>
        service.log.map(line => `${n} ${String(line.timestamp)} ${line.level} ${line.message}`),
      ),
    async stop() {
      inventree.sendTo();
      await queues.close();
      connection.redis.disconnect();
      for (const service of services) service.kill('SIGKILL');
      await Promise.all(services.map(service => service.ended));
      await Promise.all([closeOf(inventree), closeOf(magento), redis.stop()]);
    },
  };
}

const closeOf = (system: FakeInvenTree | FakeMagento) => system.close();
const numberOf = ({ entity_id }: FakeOrder) => String(entity_id).padStart(9, '0');
const SERVER_ERROR: Fault = {
  answer: { status: 500, headers: { 'content-type': 'text/html' }, body: '<title>Error</title>' },
};

/** Calls of the import and of stock; the probes are left alone, so that one call fails and the system does not. */
function isAbout({ path, method }: FakeCall): boolean {
  return method !== 'GET' || /\/(orders|order)\b/.test(path);
}

/** The rows whose stock is deducted: of a configurable product its own, of a bundle those of its children. */
function stockRows({ rows }: FakeOrder): FakeOrderRow[] {
  const bundles = new Set(rows.filter(row => row.product_type === 'bundle').map(row => row.item_id));
  return rows.filter(({ parent_item_id, product_type }) =>
    parent_item_id === undefined ? product_type !== 'bundle' : bundles.has(parent_item_id),
  );
}

/** What is still on the shelves and belongs to a customer. */
function promised(
  { item_id, qty_ordered, qty_canceled }: FakeOrderRow,
  sent: ReadonlyMap<number, number> | SalesOrder['lines'],
): number {
  const isOfRow = ({ reference }: SalesOrder['lines'][number]) => reference === String(item_id);
  const shipped = 'get' in sent ? (sent.get(item_id) ?? 0) : (sent.find(isOfRow)?.shipped ?? 0);
  return Math.max(0, qty_ordered - qty_canceled - shipped);
}

/** Rows that Magento has shipped and InvenTree has not, although it could. */
function unbookedRows({ order }: DayOrder, shop: FakeInvenTree['shop']): string[] {
  const number = numberOf(order);
  const salesOrder = [...shop.salesOrders.values()].find(({ customerReference }) => customerReference === number);
  if (!salesOrder || order.state) return [];
  return stockRows(order).flatMap(({ item_id, sku, qty_shipped }) => {
    const shipped = salesOrder.lines.find(({ reference }) => reference === String(item_id))?.shipped ?? 0;
    return shipped < qty_shipped ? [`order ${number}: ${qty_shipped} of ${sku} shipped, and ${shipped} booked`] : [];
  });
}

/** What is wrong with the sales order of an order, and with what was shipped. */
function problemsOf(one: DayOrder, shop: FakeInvenTree['shop'], mode: Mode): string[] {
  const { order, inInvenTree, byHand } = one;
  const number = numberOf(order);
  const wrong = (what: string) => `order ${number}: ${what}`;
  const problems: string[] = [];
  const found = [...shop.salesOrders.values()].filter(({ customerReference }) => customerReference === number);
  const [salesOrder] = found;
  if (found.length > 1) return [wrong(`${found.length} sales orders`)];
  if (!salesOrder) return order.state === 'canceled' ? [] : [wrong('no sales order')];
  const hasShipped = salesOrder.lines.some(({ shipped }) => shipped > 0);
  const status = order.state === 'canceled' ? (hasShipped ? undefined : 40) : order.state === 'holded' ? 25 : 15;
  if (status !== undefined && salesOrder.status !== status) {
    problems.push(wrong(`status ${salesOrder.status} instead of ${status}`));
  }
  for (const row of stockRows(order)) {
    const lines = salesOrder.lines.filter(({ reference }) => reference === String(row.item_id));
    const [line] = lines;
    const net = row.qty_ordered - row.qty_canceled;
    if (lines.length > 1) problems.push(wrong(`${lines.length} lines of ${row.sku}`));
    const isRefunded = row.qty_refunded > 0;
    if (line && order.state !== 'canceled' && !isRefunded && line.quantity !== Math.max(net, line.shipped)) {
      problems.push(wrong(`a line of ${line.quantity} ${row.sku} instead of ${net}`));
    }
    if (!line && net > 0 && order.state !== 'canceled') problems.push(wrong(`no line of ${row.sku}`));
    const shipped = inInvenTree.get(row.item_id) ?? 0;
    const most = (byHand.get(row.item_id) ?? 0) + (mode === 'import' ? 0 : shipped);
    if (row.qty_shipped > most) problems.push(wrong(`${row.qty_shipped} of ${row.sku} shipped instead of ${most}`));
    const booked = line?.shipped ?? 0;
    if (mode === 'booked' && booked > shipped + row.qty_shipped) {
      problems.push(wrong(`${booked} of ${row.sku} booked, ${row.qty_shipped} shipped in Magento`));
    }
    const isPassedOn = mode !== 'import' && !order.state && row.parent_item_id === undefined && !isRefunded;
    if (isPassedOn && row.qty_shipped < Math.min(shipped, net)) {
      problems.push(wrong(`${row.qty_shipped} of ${row.sku} shipped in Magento, and ${shipped} in InvenTree`));
    }
  }
  return problems;
}
