import { orderActions, stockActions, type InvenTreeShop } from '@stock-sync/fakes';
import { startSystem, type System } from '../src';
import { redisServer } from './support';

/** A user action: the state before it, the action, and what each SKU should show after it. */
interface Scene {
  action: string;
  /** Prepares the shop before anything is sent; returns the action. */
  prepare: (shop: InvenTreeShop, name: string) => { act: () => void; shows: Record<string, number> };
}

const shelfOf = (shop: InvenTreeShop) => [...shop.locations.keys()][0] ?? 0;

function partWith(shop: InvenTreeShop, name: string, quantity: number, more: object = {}) {
  const part = shop.addPart({ name });
  const item = shop.insertItem({ part: part.pk, quantity, location: shelfOf(shop), ...more });
  return { part, item };
}

/** Every row of the table "What each user action fires" in docs/facts/inventree.md, and the lines below it. */
const SCENES: Scene[] = [
  {
    action: 'create',
    prepare: (shop, name) => {
      const part = shop.addPart({ name });
      return { act: () => stockActions.create(shop, { part: part.pk, quantity: 50 }), shows: { [name]: 50 } };
    },
  },
  {
    action: 'create serialised',
    prepare: (shop, name) => {
      const part = shop.addPart({ name });
      return {
        act: () => stockActions.createSerialised(shop, { part: part.pk }, ['1', '2', '3']),
        shows: { [name]: 3 },
      };
    },
  },
  {
    action: 'add some',
    prepare: (shop, name) => {
      const { item } = partWith(shop, name, 50);
      return { act: () => stockActions.add(shop, item, 7), shows: { [name]: 57 } };
    },
  },
  {
    action: 'remove some',
    prepare: (shop, name) => {
      const { item } = partWith(shop, name, 50);
      return { act: () => stockActions.remove(shop, item, 8), shows: { [name]: 42 } };
    },
  },
  {
    action: 'remove to 0, the item is deleted',
    prepare: (shop, name) => {
      const { item } = partWith(shop, name, 50);
      return { act: () => stockActions.remove(shop, item, 50), shows: { [name]: 0 } };
    },
  },
  {
    action: 'remove to 0, the item stays',
    prepare: (shop, name) => {
      const { item } = partWith(shop, name, 50, { deleteOnDeplete: false });
      return { act: () => stockActions.remove(shop, item, 50), shows: { [name]: 0 } };
    },
  },
  {
    action: 'count',
    prepare: (shop, name) => {
      const { item } = partWith(shop, name, 50);
      return { act: () => stockActions.count(shop, item, 44), shows: { [name]: 44 } };
    },
  },
  {
    action: 'count to 0',
    prepare: (shop, name) => {
      const { item } = partWith(shop, name, 50);
      return { act: () => stockActions.count(shop, item, 0), shows: { [name]: 0 } };
    },
  },
  {
    action: 'PATCH quantity',
    prepare: (shop, name) => {
      const { item } = partWith(shop, name, 50);
      return { act: () => stockActions.patch(shop, item, { quantity: 12 }), shows: { [name]: 12 } };
    },
  },
  {
    action: 'move all',
    prepare: (shop, name) => {
      const { item } = partWith(shop, name, 50);
      const other = shop.addLocation(`${name} other`);
      return { act: () => stockActions.transfer(shop, item, 50, other.pk), shows: { [name]: 50 } };
    },
  },
  {
    action: 'move some',
    prepare: (shop, name) => {
      const { item } = partWith(shop, name, 50);
      const other = shop.addLocation(`${name} other`);
      return { act: () => stockActions.transfer(shop, item, 20, other.pk), shows: { [name]: 50 } };
    },
  },
  {
    action: 'serialise',
    prepare: (shop, name) => {
      const { item } = partWith(shop, name, 5);
      return { act: () => stockActions.serialise(shop, item, ['11', '12', '13'], null), shows: { [name]: 5 } };
    },
  },
  {
    action: 'status lost, in bulk',
    prepare: (shop, name) => {
      const { item } = partWith(shop, name, 50);
      return { act: () => stockActions.changeStatus(shop, [item], 70), shows: { [name]: 0 } };
    },
  },
  {
    action: 'status quarantined, by PATCH',
    prepare: (shop, name) => {
      const { part, item } = partWith(shop, name, 50);
      shop.insertItem({ part: part.pk, quantity: 4 });
      return { act: () => stockActions.patch(shop, item, { status: 75 }), shows: { [name]: 4 } };
    },
  },
  {
    action: 'delete one of two items',
    prepare: (shop, name) => {
      const { part, item } = partWith(shop, name, 50);
      shop.insertItem({ part: part.pk, quantity: 5 });
      return { act: () => stockActions.deleteItem(shop, item), shows: { [name]: 5 } };
    },
  },
  {
    action: 'delete the last item',
    prepare: (shop, name) => {
      const { item } = partWith(shop, name, 50);
      return { act: () => stockActions.deleteItem(shop, item), shows: { [name]: 0 } };
    },
  },
  {
    action: 'assign to a customer',
    prepare: (shop, name) => {
      const { item } = partWith(shop, name, 50);
      return { act: () => stockActions.assignToCustomer(shop, item, 4), shows: { [name]: 0 } };
    },
  },
  {
    action: 'return from a customer',
    prepare: (shop, name) => {
      const { item } = partWith(shop, name, 50, { customer: 4 });
      return { act: () => stockActions.returnFromCustomer(shop, item, shelfOf(shop)), shows: { [name]: 50 } };
    },
  },
  {
    action: 'install in another item',
    prepare: (shop, name) => {
      const { item } = partWith(shop, name, 1);
      const { item: assembly } = partWith(shop, `${name} assembly`, 1);
      return { act: () => stockActions.install(shop, assembly, item), shows: { [name]: 0, [`${name} assembly`]: 1 } };
    },
  },
  {
    action: 'receive an order',
    prepare: (shop, name) => {
      const part = shop.addPart({ name });
      const order = orderActions.addPurchaseOrder(shop, [{ part: part.pk, quantity: 50 }]);
      const line = shop.purchaseOrders.get(order)?.lines[0]?.pk ?? 0;
      const act = () => orderActions.receive(shop, order, [{ line, quantity: 50, location: shelfOf(shop) }]);
      return { act, shows: { [name]: 50 } };
    },
  },
  {
    action: 'receive an order, serialised',
    prepare: (shop, name) => {
      const part = shop.addPart({ name });
      const order = orderActions.addPurchaseOrder(shop, [{ part: part.pk, quantity: 3 }]);
      const line = shop.purchaseOrders.get(order)?.lines[0]?.pk ?? 0;
      const serials = ['1', '2', '3'];
      const act = () => orderActions.receive(shop, order, [{ line, quantity: 3, location: shelfOf(shop), serials }]);
      return { act, shows: { [name]: 3 } };
    },
  },
  {
    action: 'sales order: allocate, in stock unchanged',
    prepare: (shop, name) => {
      const { part, item } = partWith(shop, name, 50);
      const { order, shipment } = orderActions.addSalesOrder(shop, 4, [{ part: part.pk, quantity: 9 }]);
      return { act: () => orderActions.allocate(shop, order, 1, item.pk, 9, shipment), shows: { [name]: 50 } };
    },
  },
  {
    action: 'sales order: ship some',
    prepare: (shop, name) => {
      const { part, item } = partWith(shop, name, 50);
      const { order, shipment } = orderActions.addSalesOrder(shop, 4, [{ part: part.pk, quantity: 9 }]);
      orderActions.allocate(shop, order, 1, item.pk, 9, shipment);
      return { act: () => orderActions.ship(shop, shipment), shows: { [name]: 41 } };
    },
  },
  {
    action: 'sales order: ship all',
    prepare: (shop, name) => {
      const { part, item } = partWith(shop, name, 9);
      const { order, shipment } = orderActions.addSalesOrder(shop, 4, [{ part: part.pk, quantity: 9 }]);
      orderActions.allocate(shop, order, 1, item.pk, 9, shipment);
      return { act: () => orderActions.ship(shop, shipment), shows: { [name]: 0 } };
    },
  },
  {
    action: 'build: create an output, not in stock yet',
    prepare: (shop, name) => {
      const { part } = partWith(shop, name, 2);
      const build = orderActions.addBuild(shop, part.pk, []);
      return { act: () => orderActions.createOutput(shop, build, 4), shows: { [name]: 2 } };
    },
  },
  {
    action: 'build: complete an output',
    prepare: (shop, name) => {
      const { part } = partWith(shop, name, 2);
      const build = orderActions.addBuild(shop, part.pk, []);
      const output = shop.insertItem({ part: part.pk, quantity: 4, build, isBuilding: true });
      return { act: () => orderActions.completeOutput(shop, build, output, shelfOf(shop), 10), shows: { [name]: 6 } };
    },
  },
  {
    action: 'build: consume',
    prepare: (shop, name) => {
      const { part, item } = partWith(shop, name, 50);
      const product = shop.addPart({ name: `${name} product` });
      const build = orderActions.addBuild(shop, product.pk, [part.pk]);
      orderActions.allocateToBuild(shop, build, 1, item.pk, 8);
      return { act: () => orderActions.consume(shop, build), shows: { [name]: 42 } };
    },
  },
  {
    action: 'build: finish (event before consumption)',
    prepare: (shop, name) => {
      const { part, item } = partWith(shop, name, 50);
      const product = shop.addPart({ name: `${name} product` });
      const build = orderActions.addBuild(shop, product.pk, [part.pk]);
      orderActions.allocateToBuild(shop, build, 1, item.pk, 8);
      return { act: () => orderActions.finish(shop, build), shows: { [name]: 42 } };
    },
  },
  {
    action: 'convert to another variant',
    prepare: (shop, name) => {
      const { item } = partWith(shop, `${name} A`, 50);
      const { part: other } = partWith(shop, `${name} B`, 1);
      return { act: () => stockActions.convert(shop, item, other.pk), shows: { [`${name} A`]: 0, [`${name} B`]: 51 } };
    },
  },
  {
    action: 'delete a location, keep its items',
    prepare: (shop, name) => {
      const location = shop.addLocation(`${name} location`, { parent: shelfOf(shop) });
      partWith(shop, name, 50, { location: location.pk });
      return { act: () => stockActions.deleteLocation(shop, location.pk, false), shows: { [name]: 50 } };
    },
  },
  {
    action: 'delete a location with its items',
    prepare: (shop, name) => {
      const location = shop.addLocation(`${name} location`);
      const { part } = partWith(shop, name, 50, { location: location.pk });
      shop.insertItem({ part: part.pk, quantity: 3 });
      return { act: () => stockActions.deleteLocation(shop, location.pk, true), shows: { [name]: 3 } };
    },
  },
  {
    action: 'rename a part: the new SKU follows it',
    prepare: (shop, name) => {
      const { part } = partWith(shop, `${name} before`, 50);
      return { act: () => stockActions.renamePart(shop, part.pk, { name }), shows: { [name]: 50 } };
    },
  },
  {
    action: 'a customer is deleted, the items come back',
    prepare: (shop, name) => {
      partWith(shop, name, 6, { customer: 77 });
      return { act: () => orderActions.deleteCustomer(shop, 77), shows: { [name]: 6 } };
    },
  },
];

/** No event of InvenTree names an item or a part that these actions change: only our plugin reports it. */
const REPORTED_BY_PLUGIN_ONLY = new Set(['a customer is deleted, the items come back']);
/** InvenTree's events for these actions name neither item nor part, and the sum stays the same. */
const PART_UNKNOWN_SAME_SUM = new Set([
  'sales order: allocate, in stock unchanged',
  'delete a location, keep its items',
]);
/** The event of an item names only its new part: the old one is known if the item was seen before. */
const NEEDS_KNOWN_PART = new Set([
  'convert to another variant',
  'remove to 0, the item is deleted',
  'count to 0',
  'delete one of two items',
  'delete the last item',
  'delete a location with its items',
]);

describe.each(['plugin', 'bare'] as const)('user actions, reported by %s events', sends => {
  let system: System;
  beforeAll(async () => {
    system = await startSystem({
      redisServer: redisServer(),
      plugin: sends === 'plugin',
      sends,
      ...(sends === 'plugin' && { sendAgainAfterMs: 400 }),
      environment: { SYNC_DELAY_MS: '30' },
    });
    system.inventree.shop.addLocation('Shelf');
  });
  afterAll(() => system.stop());

  const reported = SCENES.filter(({ action }) => sends === 'plugin' || !REPORTED_BY_PLUGIN_ONLY.has(action));
  it.each(reported)('$action', async ({ action, prepare }) => {
    const { inventree, magento } = system;
    const { shop } = inventree;
    const { act, shows } = prepare(shop, `SKU of ${action}`);
    // A quantity that is wrong before and after, so that a missing sync is noticed.
    const isUnreported = sends === 'bare' && PART_UNKNOWN_SAME_SUM.has(action);
    for (const [sku, right] of Object.entries(shows))
      magento.store.addProduct(sku, { quantity: isUnreported ? right : 999 });
    if (sends === 'bare' && NEEDS_KNOWN_PART.has(action)) {
      for (const part of shop.parts.values()) await system.send({ event: 'part_part.saved', id: part.pk });
      await system.quiet();
    }

    act();
    await system.quiet();

    const shown = Object.fromEntries(Object.keys(shows).map(sku => [sku, magento.store.shown(sku)?.quantity]));
    const untouched = action.includes('install') && sends === 'plugin' ? { [`SKU of ${action} assembly`]: 999 } : {};
    expect(shown).toEqual({ ...shows, ...untouched });
    for (const [sku, quantity] of Object.entries(shown)) {
      expect([sku, magento.store.shown(sku)?.inStock]).toEqual([sku, (quantity ?? 0) > 0]);
    }
  });

  it('writes nothing but stock, and never two writes of one SKU at once', () => {
    const { magento } = system;
    const written = magento.calls.filter(call => call.method !== 'GET').map(call => `${call.method} ${call.path}`);
    expect(new Set(written)).toEqual(new Set(['POST /rest/V1/inventory/source-items']));
    expect(magento.maxWritersPerSku()).toBe(1);
  });
});

describe('a deleted stock item whose part is unknown', () => {
  it('causes a sweep', async () => {
    const system = await startSystem({ redisServer: redisServer(), sends: 'none' });
    const { shop } = system.inventree;
    partWith(shop, 'A', 3);
    partWith(shop, 'B', 4);
    for (const sku of ['A', 'B']) system.magento.store.addProduct(sku, { quantity: 999 });
    expect(await system.send({ event: 'stock_stockitem.deleted', model: 'StockItem', id: 4711 })).toBe(202);
    await system.quiet();
    expect(system.magento.store.shown('A')?.quantity).toBe(3);
    expect(system.magento.store.shown('B')?.quantity).toBe(4);
    await system.stop();
  });
});
