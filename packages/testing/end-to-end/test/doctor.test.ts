import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { startSystem, type System } from '../src';
import { isWrite, redisServer } from './support';

/** `stock-sync doctor` on a shop that is set up right, and on shops that are broken, each in one way. */

const command = join(__dirname, '../../../../apps/cli/dist/main.js');

let system: System | undefined;
afterEach(async () => {
  await system?.stop();
  system = undefined;
});

async function start(resources?: Set<string>): Promise<System> {
  system = await startSystem({
    redisServer: redisServer(),
    sends: 'none',
    workers: 0,
    ...(resources && { magento: { integration: { resources } } }),
  });
  await system.send({ event: 'stock_sync.heartbeat', plugin: '0.1.0', inventree: '1.4.0', queue: true });
  return system;
}

/** Runs it with the settings of the shop and these ones. */
function doctor(running: System, more: Record<string, string> = {}, ...args: string[]) {
  const env = { PATH: process.env.PATH, NODE_ENV: 'production', ...running.environment, ...more };
  return new Promise<{ code: number | null; out: string }>(resolve => {
    const child = execFile(process.execPath, [command, 'doctor', ...args], { env }, (_, out, errors) =>
      resolve({ code: child.exitCode, out: out + errors }),
    );
  });
}

it('finds nothing wrong in a shop that is set up right, and changes nothing', async () => {
  const running = await start();
  const { code, out } = await doctor(running);
  const lines = out
    .replaceAll(running.environment.INVENTREE_URL ?? '', '<inventree>')
    .replaceAll(running.environment.MAGENTO_URL ?? '', '<magento>')
    .replaceAll(running.environment.REDIS_URL ?? '', '<redis>')
    .replace(/\d+ s ago/, '0 s ago')
    .split('\n');
  expect(lines).toEqual([
    'Settings   ok       all of them can be read',
    'Redis      ok       <redis> keeps what it accepts',
    'Plugin     ok       its last heartbeat came 0 s ago',
    'InvenTree  ok       <inventree> is InvenTree 1.4.0 dev',
    'Plugin     ok       version 0.1.0 is active in InvenTree',
    'Plugin     ok       InvenTree sends it events',
    'InvenTree  ok       the token may read parts, stock and stock locations (0)',
    'Rules      ok       InvenTree has whatever the settings name',
    'Plugin     ok       it answers bulk reads',
    'Magento    ok       <magento> answers; its stock is read as source items (MSI)',
    'Magento    ok       the integration reads products and stock',
    'Magento    ok       the integration reads how products are sold',
    'Magento    ok       the integration writes stock',
    'Magento    ok       the websites sell from default',
    'Writing    ok       stock is written to Magento',
    '',
    'Everything is right.',
    '',
  ]);
  expect(code).toBe(0);
  expect(running.magento.calls.filter(isWrite)).toEqual([]);
  const json = JSON.parse((await doctor(running, {}, '--json')).out) as { level: string }[];
  expect(json.map(({ level }) => level)).toEqual(lines.slice(0, 15).map(() => 'ok'));
});

const RIGHTS = [
  'Magento_Catalog::products',
  'Magento_CatalogInventory::cataloginventory',
  'Magento_InventoryApi::source',
];
const NOWHERE = 'http://127.0.0.1:1';

/** `breaks` returns settings, or breaks one of the systems. */
type Fault = [what: string, breaks: (running: System) => object, expected: string];
const FAULTS: Fault[] = [
  ['a setting is missing', () => ({ MAGENTO_URL: '' }), 'Settings   error    MAGENTO_URL: is not set'],
  [
    'a setting is wrong',
    () => ({ SAFETY_STOCK: 'five' }),
    'Settings   error    SAFETY_STOCK: expected units such as 5',
  ],
  [
    'orders have no first day',
    () => ({ ORDERS: 'import' }),
    'Settings   error    ORDERS_SINCE: is not set (ORDERS needs it)',
  ],
  [
    'the token has no role for sales orders',
    () => ({ ORDERS: 'import', ORDERS_SINCE: '2026-01-01' }),
    "For ORDERS the token's user needs the roles view, add, change and delete for sales orders",
  ],
  ['Redis is down', () => ({ REDIS_URL: 'redis://127.0.0.1:1' }), 'Start Redis, or correct REDIS_URL'],
  [
    'PostgreSQL is down',
    () => ({ HISTORY_DATABASE_URL: 'postgresql://user:hidden@127.0.0.1:1/stock_sync' }),
    'PostgreSQL  error    postgresql://127.0.0.1:1/stock_sync cannot keep the history: connect ECONNREFUSED',
  ],
  ['InvenTree is down', () => ({ INVENTREE_URL: NOWHERE }), 'Is INVENTREE_URL right, and reachable from this machine?'],
  [
    'InvenTree is in maintenance',
    ({ inventree }) => {
      inventree.setMaintenance(true);
      return {};
    },
    'InvenTree  error    InvenTree answered 503',
  ],
  ['the token is wrong', () => ({ INVENTREE_TOKEN: 'inv-wrong' }), 'InvenTree  error    InvenTree refused the token'],
  [
    'the token has no roles',
    ({ inventree }) => ({ INVENTREE_TOKEN: inventree.tokens.nobody }),
    'needs the view role for parts, stock and stock locations',
  ],
  [
    "InvenTree's background worker is down",
    ({ inventree }) => {
      inventree.setAbout({ worker_running: false });
      return {};
    },
    'InvenTree  error    its background worker is not running: start it',
  ],
  [
    'the plugin is not active',
    ({ inventree }) => {
      inventree.setPlugin(false);
      return {};
    },
    'Plugin     warning  it is not active in InvenTree: install and activate it',
  ],
  [
    'InvenTree sends plugins no events',
    ({ inventree }) => {
      inventree.setFault(({ path }) =>
        path.includes('ENABLE_PLUGINS_EVENTS')
          ? { answer: { status: 200, headers: { 'content-type': 'application/json' }, body: { value: false } } }
          : undefined,
      );
      return {};
    },
    'Plugin     warning  ENABLE_PLUGINS_EVENTS is off in InvenTree',
  ],
  [
    'the plugin cannot be read',
    ({ inventree }) => {
      inventree.setFault(({ path }) =>
        path.startsWith('/plugin/') ? { answer: { status: 500, headers: {}, body: '<h1>INVE-E7</h1>' } } : undefined,
      );
      return {};
    },
    'Plugin     warning  it does not answer bulk reads, which is slow',
  ],
  [
    'no heartbeat ever came',
    () => ({ REDIS_PREFIX: 'another-shop' }),
    'Plugin     warning  no heartbeat has come yet: ingest must run',
  ],
  [
    'a location does not exist',
    () => ({ SOURCE_MAP: '{"default":[31]}' }),
    'Rules      error    InvenTree does not have these locations: 31 in SOURCE_MAP (source default)',
  ],
  [
    'a parameter does not exist',
    () => ({ SKU_FIELD: 'parameter:Web SKU' }),
    "Rules      error    InvenTree has no parameter template named 'Web SKU'",
  ],
  [
    'a status does not exist',
    () => ({ COUNT_STATUSES: 'Sellable' }),
    'Rules      error    COUNT_STATUSES: expected some of OK, Attention needed, Damaged, Returned',
  ],
  ['Magento is down', () => ({ MAGENTO_URL: NOWHERE }), 'Is MAGENTO_URL right, and reachable from this machine?'],
  [
    'the credentials are wrong',
    () => ({ MAGENTO_ACCESS_TOKEN: 'wrong' }),
    'Magento    error    Magento refused the credentials',
  ],
  [
    'a source does not exist in Magento',
    () => ({ SOURCE_MAP: '{"west":[1]}' }),
    'Magento    error    SOURCE_MAP names west, but this store has only the sources default',
  ],
  [
    'a source is disabled',
    ({ magento: { store } }) => {
      store.sources.set('default', { name: 'Default Source', enabled: false, postcode: '00000' });
      return {};
    },
    "Magento    error    source 'default' is disabled in Magento",
  ],
  [
    'the website sells from other sources',
    ({ magento: { store } }) => {
      store.sources.set('west', { name: 'West', enabled: true, postcode: '00000' });
      store.stocks.push({ id: 2, name: 'Main', websites: ['base'], sources: ['west'] });
      store.stocks[0]?.websites.pop();
      return {};
    },
    "Magento    error    website 'base' sells from stock 'Main' with the sources west",
  ],
  ['writing is off', () => ({ ENABLE_SYNC: 'false' }), 'because ENABLE_SYNC is off: set it to true'],
];

it.each(FAULTS)('names the fault and its remedy where %s', async (_, breaks, expected) => {
  const running = await start();
  const { code, out } = await doctor(running, { ...breaks(running) });
  expect(out).toContain(expected);
  expect(code).toBe(/ error /.test(out) ? 1 : 0);
});

it.each([
  [[...RIGHTS], 'Allow Stores > Inventory > Stocks > Source Item Assigning for the integration'],
  [[...RIGHTS.slice(0, 1), ...RIGHTS.slice(2)], 'Allow Catalog > Inventory > Catalog inventory for the integration'],
])('names the box to tick where the integration has only %j', async (rights, expected) => {
  const { code, out } = await doctor(await start(new Set(rights)));
  expect([code, out]).toEqual([1, expect.stringContaining(expected)]);
});
