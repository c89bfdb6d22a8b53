import { orderActions, stockActions, type FakeMagentoOptions } from '@stock-sync/fakes';
import { startSystem, type System } from '../src';
import { messages, redisServer, shown } from './support';

let system: System | undefined;
afterEach(async () => {
  await system?.stop();
  system = undefined;
});

async function start(
  environment: Record<string, string>,
  more: { plugin?: boolean; magento?: FakeMagentoOptions } = {},
) {
  system = await startSystem({
    redisServer: redisServer(),
    environment: { SYNC_DELAY_MS: '30', ...environment },
    ...more,
  });
  return system;
}

function widget(running: System, quantity: number, shown = 999) {
  const { shop } = running.inventree;
  const part = shop.addPart({ name: 'WIDGET-123', IPN: 'IPN-123' });
  running.magento.store.addProduct('WIDGET-123', { quantity: shown });
  return shop.insertItem({ part: part.pk, quantity });
}

describe('settings', () => {
  it('DRY_RUN writes nothing, and logs what it would write', async () => {
    const running = await start({ DRY_RUN: 'true' });
    const item = widget(running, 50, 30);
    stockActions.add(running.inventree.shop, item, 30);
    await running.quiet();
    expect(running.magento.counts().writes).toBe(0);
    expect(messages(running)).toContainEqual(
      `info [DRY RUN] Would update Magento 2 SKU 'WIDGET-123' from 30 to 80 (part ${item.part}, stock_stockitem.saved)`,
    );
  });

  it('ENABLE_SYNC is off by default: nothing is written, and the log says why and what to do', async () => {
    const running = await start({ ENABLE_SYNC: '' });
    const item = widget(running, 50, 30);
    stockActions.add(running.inventree.shop, item, 30);
    await running.quiet();
    expect(running.magento.counts().writes).toBe(0);
    expect(messages(running).join('\n')).toContain('Set ENABLE_SYNC=true');
    expect(messages(running)).toContainEqual(
      `info [DRY RUN] Would update Magento 2 SKU 'WIDGET-123' from 30 to 80 (part ${item.part}, ` +
        'stock_stockitem.saved): nothing is written while ENABLE_SYNC is off',
    );
  });

  it.each([
    ['SYNC_ON_CREATE', 'create'],
    ['SYNC_ON_UPDATE', 'update'],
    ['SYNC_ON_DELETE', 'delete'],
  ])('%s off ignores only the events that %s', async (name, kind) => {
    const running = await start({ [name]: 'false' });
    const { shop } = running.inventree;
    const item = widget(running, 50);
    const actions: Record<string, () => void> = {
      create: () => void stockActions.create(shop, { part: item.part, quantity: 1 }),
      update: () => stockActions.patch(shop, item, { quantity: 40 }),
      delete: () => stockActions.deleteItem(shop, item),
    };
    actions[kind]?.();
    await running.quiet();
    expect([kind, shown(running)]).toEqual([kind, 999]);
    const [other = ''] = Object.keys(actions).filter(action => action !== kind);
    actions[other]?.();
    await running.quiet();
    expect([other, shown(running)]).toEqual([other, shop.inStock(item.part)]);
  });

  it('ALLOW_DECIMALS keeps four places, without it whole units are left', async () => {
    const whole = await start({});
    const item = widget(whole, 2.9);
    stockActions.create(whole.inventree.shop, { part: item.part, quantity: 0.09999 });
    await whole.quiet();
    expect(shown(whole)).toBe(2);
    await whole.stop();

    const decimals = await start({ ALLOW_DECIMALS: 'true' });
    const other = widget(decimals, 0.1);
    stockActions.create(decimals.inventree.shop, { part: other.part, quantity: 0.20005 });
    await decimals.quiet();
    expect(shown(decimals)).toBe(0.3);
    const writes = decimals.magento.counts().writes;
    await decimals.send({ event: 'stock_stockitem.saved', part: other.part });
    await decimals.quiet();
    expect(decimals.magento.counts().writes).toBe(writes);
  });

  it('SAFETY_STOCK is not for sale, and the product is out of stock when only that is left', async () => {
    const running = await start({ SAFETY_STOCK: '5' });
    const item = widget(running, 12);
    stockActions.add(running.inventree.shop, item, 0.5);
    await running.quiet();
    expect(shown(running)).toBe(7);
    stockActions.count(running.inventree.shop, item, 4);
    await running.quiet();
    expect(running.magento.store.shown('WIDGET-123')).toEqual({ quantity: 0, inStock: false });
  });

  it.each([true, false])('STOCK_BASIS=unallocated leaves out what is allocated (plugin: %s)', async plugin => {
    const running = await start({ STOCK_BASIS: 'unallocated' }, { plugin });
    const { shop } = running.inventree;
    const item = widget(running, 50);
    const { order, shipment } = orderActions.addSalesOrder(shop, 4, [{ part: item.part, quantity: 9 }]);
    orderActions.allocate(shop, order, 1, item.pk, 9, shipment);
    await running.quiet();
    expect(shown(running)).toBe(41);
  });

  it.each([true, false])('SKU_FIELD can name the IPN or a parameter (plugin: %s)', async plugin => {
    const byIpn = await start({ SKU_FIELD: 'IPN' }, { plugin });
    const item = widget(byIpn, 50);
    byIpn.magento.store.addProduct('IPN-123');
    stockActions.add(byIpn.inventree.shop, item, 1);
    await byIpn.quiet();
    expect([shown(byIpn), shown(byIpn, 'IPN-123')]).toEqual([999, 51]);
    await byIpn.stop();

    const byParameter = await start({ SKU_FIELD: 'parameter:Magento SKU' }, { plugin });
    const other = widget(byParameter, 50);
    const { shop } = byParameter.inventree;
    shop.templates.set(5, { pk: 5, name: 'Magento SKU' });
    shop.parameters.push({ pk: 1, template: 5, part: other.part, data: 'MAG-1' });
    byParameter.magento.store.addProduct('MAG-1');
    const without = shop.addPart({ name: 'NO-PARAMETER' });
    stockActions.add(shop, other, 1);
    stockActions.create(shop, { part: without.pk, quantity: 3 });
    await byParameter.quiet();
    expect([shown(byParameter), shown(byParameter, 'MAG-1')]).toEqual([999, 51]);
    expect(messages(byParameter)).toContainEqual(
      `info Part ${without.pk} skipped: the part has no parameter 'Magento SKU' that could be a SKU ` +
        `(part ${without.pk}, stock_stockitem.created)`,
    );
  });

  it('SOURCE_MAP gives each source the stock of its locations, sub-locations included', async () => {
    const running = await start({ SOURCE_MAP: '{"default":[1],"west":[2]}' });
    const { shop } = running.inventree;
    running.magento.store.sources.set('west', { name: 'West', enabled: true, postcode: '1' });
    const [main, west] = [shop.addLocation('Main'), shop.addLocation('West')];
    const below = shop.addLocation('Shelf', { parent: main.pk });
    const unsold = shop.addLocation('Repair');
    const item = widget(running, 10);
    item.location = main.pk;
    for (const [quantity, location] of [
      [5, below.pk],
      [7, west.pk],
      [100, unsold.pk],
    ] as const) {
      stockActions.create(shop, { part: item.part, quantity, location });
    }
    await running.quiet();
    expect(running.magento.store.sourceItem('WIDGET-123', 'default')?.quantity).toBe(15);
    expect(running.magento.store.sourceItem('WIDGET-123', 'west')?.quantity).toBe(7);

    stockActions.moveLocation(shop, below.pk, west.pk);
    await running.quiet();
    const quantities = () =>
      ['default', 'west'].map(at => running.magento.store.sourceItem('WIDGET-123', at)?.quantity);
    expect(quantities()).toEqual([10, 12]);
    stockActions.deleteLocation(shop, below.pk, false);
    await running.quiet();
    expect(quantities()).toEqual([10, 12]);
    stockActions.moveLocation(shop, unsold.pk, main.pk);
    await running.quiet();
    expect(quantities()).toEqual([110, 12]);
  });

  it.each([
    ['auto, on a store without source items', {}, { settings: { sourceItems: false } }],
    ['set to stock-items', { MAGENTO_STOCK_API: 'stock-items' }, {}],
  ])('MAGENTO_STOCK_API %s writes stock items', async (_, environment, magento) => {
    const running = await start(environment, { magento });
    const { shop } = running.inventree;
    const item = widget(running, 50);
    const slash = shop.addPart({ name: 'A/B-1' });
    running.magento.store.addProduct('A/B-1');
    stockActions.add(shop, item, 30);
    stockActions.create(shop, { part: slash.pk, quantity: 4 });
    await running.quiet();
    expect([shown(running), shown(running, 'A/B-1')]).toEqual([80, 4]);
    expect(running.magento.store.product('A/B-1')).toMatchObject({ qty: 4, isInStock: true });
    const written = new Set(running.magento.calls.filter(call => call.method !== 'GET').map(call => call.path));
    expect(written).toEqual(
      new Set(['/rest/V1/products/WIDGET-123/stockItems/1', '/rest/V1/products/A%2FB-1/stockItems/1']),
    );
  });

  it('a Bearer token alone works where the shop allows it', async () => {
    const bearer = { MAGENTO_CONSUMER_KEY: '', MAGENTO_CONSUMER_SECRET: '', MAGENTO_ACCESS_TOKEN_SECRET: '' };
    const running = await start(bearer);
    const item = widget(running, 50);
    stockActions.add(running.inventree.shop, item, 30);
    await running.quiet();
    expect(shown(running)).toBe(80);
  });
});
