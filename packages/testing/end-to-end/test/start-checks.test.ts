import { startSystem, type System, type SystemOptions } from '../src';
import { isWrite, messages, redisServer, shown, until } from './support';

/** What a worker finds wrong with both systems when it starts. */

let system: System | undefined;
afterEach(async () => {
  await system?.stop();
  system = undefined;
});

const ALL_RIGHTS = [
  'Magento_Catalog::products',
  'Magento_CatalogInventory::cataloginventory',
  'Magento_InventoryApi::source',
  'Magento_InventoryApi::stock_source_item_assign',
  'Magento_InventoryApi::stock',
  'Magento_Backend::store',
  'Magento_Sales::sales',
];

/** Starts a worker after `prepare`, and resolves with the problems in /status once it has checked. */
async function problems(prepare: (running: System) => void, options: Partial<SystemOptions> = {}): Promise<string[]> {
  system = await startSystem({ redisServer: redisServer(), sends: 'none', workers: 0, ...options });
  const running = system;
  prepare(running);
  await running.startWorker();
  let found: string[] | undefined;
  await until('the worker has checked', async () => {
    const key = await running.database.redis.get('{stock-sync}:start-problems');
    if (key === null) return false;
    found = ((await (await fetch(`${running.ingest.operatorUrl}/status`)).json()) as { problems: string[] }).problems;
    return true;
  });
  return found ?? [];
}

const logged = (start: string) => (system ? messages(system) : []).filter(line => line.startsWith(start));

it('finds nothing in a shop that is set up right, and changes nothing', async () => {
  const found = await problems(({ magento }) => magento.store.addProduct('WIDGET-123', { quantity: 9 }), {
    magento: { integration: { resources: new Set(ALL_RIGHTS) } },
  });
  expect(found).toEqual([]);
  expect(logged('error')).toEqual([]);
  expect(system && shown(system)).toBe(9);
  expect(system?.magento.calls.filter(isWrite)).toEqual([]);
});

it.each([
  ['Magento_InventoryApi::stock_source_item_assign', 'Stores > Inventory > Stocks > Source Item Assigning'],
  ['Magento_CatalogInventory::cataloginventory', 'Catalog > Inventory > Catalog inventory'],
])('names the box to tick for %s', async (missing, box) => {
  const resources = new Set(ALL_RIGHTS.filter(right => right !== missing));
  const found = await problems(() => undefined, { magento: { integration: { resources } } });
  expect(found).toEqual([
    `Magento refused the credentials: The consumer isn't authorized to access ${missing}. ` +
      `Allow ${box} for the integration, save, and activate it again`,
  ]);
  expect(logged('error Start-up check')).toEqual([`error Start-up check: ${found[0] ?? ''}`]);
});

it('does without the rights that only this check needs', async () => {
  const resources = new Set(ALL_RIGHTS.filter(right => right !== 'Magento_Backend::store'));
  expect(await problems(() => undefined, { magento: { integration: { resources } } })).toEqual([]);
  expect(logged('info Which stock the websites sell from is not checked')).toHaveLength(1);
});

it('names the sources that sell where the sources that are written do not', async () => {
  const found = await problems(({ magento: { store } }) => {
    store.sources.set('west', { name: 'West', enabled: true, postcode: '00000' });
    store.stocks.push({ id: 2, name: 'Main', websites: ['base'], sources: ['west'] });
    store.stocks[0]?.websites.pop();
  });
  expect(found).toEqual([
    "website 'base' sells from stock 'Main' with the sources west, and only default is written: " +
      'name its sources in SOURCE_MAP, or assign default to that stock',
  ]);
});

it('names a disabled source', async () => {
  const found = await problems(({ magento: { store } }) => {
    store.sources.set('default', { name: 'Default Source', enabled: false, postcode: '00000' });
  });
  expect(found[0]).toBe("source 'default' is disabled in Magento, so what is written there is not for sale. Enable it");
});

it('names a location in SOURCE_MAP that InvenTree does not have, and writes nothing', async () => {
  const found = await problems(
    running => {
      running.inventree.shop.addLocation('Main', { pk: 3 });
      const part = running.inventree.shop.addPart({ name: 'WIDGET-123' }).pk;
      running.inventree.shop.insertItem({ part, quantity: 5, location: 3 });
      running.magento.store.addProduct('WIDGET-123', { quantity: 9 });
    },
    { environment: { SOURCE_MAP: '{"default":[3,31]}', RECONCILE_INTERVAL_MINUTES: '60' } },
  );
  const message = 'InvenTree does not have these locations: 31 in SOURCE_MAP (source default). Fix the settings';
  expect(found).toEqual([message]);
  await until('all work waits', () => logged(`error InvenTree cannot be read: ${message}`).length === 1);
  expect(system && shown(system)).toBe(9);
});
