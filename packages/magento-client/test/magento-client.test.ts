import { startMagento, type FakeMagento, type FakeMagentoOptions } from '@stock-sync/fakes';
import { createMagentoClient, detectStockApi, openStockApi, type MagentoClient, type MagentoCredentials } from '../src';

let magento: FakeMagento;
let client: MagentoClient;

async function start(options: FakeMagentoOptions = {}, credentials?: MagentoCredentials) {
  magento = await startMagento(options);
  client = createMagentoClient({
    baseUrl: magento.url,
    credentials: credentials ?? magento.integration,
    timeoutMs: 2_000,
    verifyTls: true,
  });
  for (const sku of ['WIDGET-123', 'A/B-1', 'COMMA,1', 'Größe-Ω']) magento.store.addProduct(sku, { quantity: 5 });
  magento.store.addProduct('BUNDLE-1', { typeId: 'bundle' });
}
afterEach(async () => {
  client.close();
  await magento.close();
});

const row = (quantity: number) => ({ sourceCode: 'default', quantity, inStock: quantity > 0 });

describe('searches', () => {
  it('find SKUs with commas and others, many at a time, with URLs that are short enough', async () => {
    await start();
    const many = Array.from({ length: 450 }, (_, n) => `${'x'.repeat(50)}-${n}`);
    for (const sku of many) magento.store.addProduct(sku, { quantity: 1 });
    const asked = [...many, 'COMMA,1', 'größe-ω', 'NOSUCH', 'WIDGET-123'];
    const found = await client.findProducts(asked);
    expect(found.filter(product => product !== undefined)).toHaveLength(453);
    expect(found.at(-3)).toEqual({ sku: 'Größe-Ω', typeId: 'simple' });
    expect(await client.readSourceItems(asked)).toHaveLength(453);
    expect(magento.calls.every(call => call.url.length < 8_000)).toBe(true);
  });

  it('read all pages, with the page size that the store allows', async () => {
    await start({ settings: { inputLimit: { array: 20, pageSize: 3, defaultPageSize: 3 } } });
    const rows = await client.readSourceItems(['WIDGET-123', 'A/B-1', 'Größe-Ω', 'BUNDLE-1', 'COMMA,1']);
    expect(rows.map(row => row.sku).sort()).toEqual(['A/B-1', 'COMMA,1', 'Größe-Ω', 'WIDGET-123']);
  });

  it('stop at the last page, and fail where there are fewer rows than Magento counted', async () => {
    await start();
    const body = { items: [{ sku: 'A', source_code: 'default', quantity: 1, status: 1 }], total_count: 700 };
    magento.setFault(() => ({ answer: { status: 200, headers: { 'content-type': 'application/json' }, body } }));
    await expect(client.readSourceItems(['A'])).rejects.toMatchObject({
      kind: 'unavailable',
      message: 'Magento counted 700 source items and returned 1',
    });
    expect(magento.calls.filter(call => call.path.endsWith('/source-items'))).toHaveLength(3);
  });

  it('make no call for no SKU', async () => {
    await start();
    expect(await client.readSourceItems([])).toEqual([]);
    expect(magento.calls).toEqual([]);
  });
});

describe('an order', () => {
  it('says where it came from, and from whom', async () => {
    await start();
    const order = magento.store.placeOrder('WIDGET-123', 1);
    expect(await client.orderOrigin(order.entity_id)).toEqual({
      store: 1,
      name: 'A B',
      email: 'buyer@example.com',
      address: { line: '1 Road', postalCode: '78701', city: 'Austin', region: 'Texas', country: 'US' },
    });
  });

  it.each([
    [{ store_id: 2 }],
    [{ store_id: 2, customer_email: null, customer_firstname: null, extension_attributes: {} }],
    [{ store_id: 2, extension_attributes: { shipping_assignments: null } }],
    [{ store_id: 2, extension_attributes: { shipping_assignments: [{ shipping: { address: null } }] } }],
  ])('may lack what nobody is asked for: %j', async body => {
    await start();
    magento.setFault(() => ({ answer: { status: 200, headers: { 'content-type': 'application/json' }, body } }));
    expect(await client.orderOrigin(1)).toEqual({ store: 2, name: '', email: '', address: undefined });
  });
});

describe('errors have a kind', () => {
  it.each<[string, FakeMagentoOptions, (m: FakeMagento) => void, object]>([
    ['maintenance', {}, m => m.setMaintenance(true), { kind: 'unavailable', status: 503 }],
    ['no database', {}, m => m.setDatabaseDown(true), { kind: 'refused', status: 500 }],
    [
      'a missing resource',
      { integration: { resources: new Set() } },
      () => undefined,
      {
        kind: 'credentials',
        message:
          "Magento refused the credentials: The consumer isn't authorized to access " +
          'Magento_InventoryApi::stock_source_item_assign. Allow Stores > Inventory > Stocks > Source Item Assigning ' +
          'for the integration, save, and activate it again',
      },
    ],
    [
      'an unknown source',
      {},
      m => m.store.sources.clear(),
      { kind: 'refused', message: 'Magento answered 400: Could not save Source Item' },
    ],
    ['no route', { settings: { sourceItems: false } }, () => undefined, { kind: 'credentials', status: 404 }],
  ])('%s', async (_, options, prepare, expected) => {
    await start(options);
    prepare(magento);
    const item = { sku: 'WIDGET-123', sourceCode: 'default', quantity: 1, inStock: true };
    await expect(client.writeSourceItems([item, { ...item, sku: 'A/B-1' }])).rejects.toMatchObject({
      ...expected,
      system: 'Magento',
    });
  });

  it('of a firewall that refuses one SKU by a page', async () => {
    await start();
    const page = { status: 403, headers: { 'content-type': 'text/html' }, body: '<title>403 Forbidden</title>' };
    magento.setFault(call => (call.method === 'POST' ? { answer: page } : undefined));
    const item = { sku: 'WIDGET-123', sourceCode: 'default', quantity: 1, inStock: true };
    await expect(client.writeSourceItems([item])).rejects.toMatchObject({
      kind: 'credentials',
      message: 'Magento, or a firewall before it, refused /rest/V1/inventory/source-items with 403: 403 Forbidden',
    });
  });

  it('of a clock that is wrong, with the difference', async () => {
    await start();
    const date = new Date(Date.now() + 900_000).toUTCString();
    const body = { message: 'Incorrect timestamp value in the oauth_timestamp parameter' };
    magento.setFault(() => ({
      answer: { status: 400, headers: { 'content-type': 'application/json', date }, body },
    }));
    const failure = client.findProducts(['WIDGET-123']);
    await expect(failure).rejects.toMatchObject({ kind: 'credentials' });
    await expect(failure).rejects.toThrow(/The clock of this machine is (899|900|901) s behind that of the store/);
  });

  it('of a token that is refused as Bearer', async () => {
    await start({ bearerEnabled: false }, { accessToken: 'access-token' });
    await expect(client.findProducts(['WIDGET-123'])).rejects.toMatchObject({ kind: 'credentials' });
  });
});

it('a limit of rows in one write is obeyed from then on', async () => {
  await start({ settings: { inputLimit: { array: 2, pageSize: 300, defaultPageSize: 20 } } });
  const items = ['WIDGET-123', 'A/B-1', 'COMMA,1'].map(sku => ({ sku, ...row(9) }));
  await client.writeSourceItems(items);
  await client.writeSourceItems(items);
  const sizes = magento.calls.flatMap(
    call => (call.body as { sourceItems?: unknown[] } | undefined)?.sourceItems?.length ?? [],
  );
  expect(sizes).toEqual([3, 2, 1, 2, 1]);
  expect(items.map(({ sku }) => magento.store.shown(sku)?.quantity)).toEqual([9, 9, 9]);
});

/** SKUs as real shops have them (docs/facts/magento.md, "SKUs"). */
const ODD_SKUS = [
  'A&B',
  'A,B',
  'A+B',
  'A;B',
  'A=B',
  'A/B',
  "A'B",
  'A!B',
  'A*B',
  '50%',
  'A(B)',
  'A B',
  'Größe',
  'A:B@$',
];

describe('the form of a URL that the store signs', () => {
  it.each(['2.4.4', '2.4.7'] as const)('is found out once, and fits every SKU of a %s', async version => {
    await start({ version });
    for (const sku of ODD_SKUS) {
      magento.store.addProduct(sku, { quantity: 5 });
      expect([sku, (await client.readStockItem(sku))?.quantity]).toEqual([sku, 5]);
      await client.writeStockItem(sku, { quantity: 6, inStock: true });
      expect([sku, magento.store.product(sku)?.qty]).toEqual([sku, 6]);
    }
    const probes = magento.calls.filter(call => call.path.includes('health-probe'));
    expect(probes).toHaveLength(version === '2.4.7' ? 1 : 2);
  });

  it('is not changed by a SKU that cannot be signed', async () => {
    await start();
    const bad = '50%2Foff';
    magento.store.addProduct(bad, { quantity: 5 });
    await expect(client.readStockItem(bad)).rejects.toMatchObject({ kind: 'credentials', status: 401 });
    const before = magento.calls.length;
    const answers = await Promise.allSettled(['A/B-1', bad, 'WIDGET-123', bad, 'A/B-1'].map(client.readStockItem));
    expect(answers.map(({ status }) => status)).toEqual([
      'fulfilled',
      'rejected',
      'fulfilled',
      'rejected',
      'fulfilled',
    ]);
    expect(magento.calls.length - before).toBe(5);
  });

  it('is not decided by a store in maintenance, which costs no further call for each call', async () => {
    await start({ version: '2.4.4' });
    const now = jest.spyOn(Date, 'now').mockReturnValue(1e12);
    try {
      magento.setMaintenance(true);
      for (let n = 0; n < 3; n++)
        await expect(client.readStockItem('A/B-1')).rejects.toMatchObject({ kind: 'unavailable' });
      expect(magento.calls).toHaveLength(4);
      magento.setMaintenance(false);
      now.mockReturnValue(1e12 + 5_000);
      expect((await client.readStockItem('A/B-1'))?.quantity).toBe(5);
    } finally {
      now.mockRestore();
    }
  });

  it('is checked again when the store was upgraded', async () => {
    await start({ version: '2.4.4' });
    expect((await client.readStockItem('A/B-1'))?.quantity).toBe(5);
    const port = Number(new URL(magento.url).port);
    await magento.close();
    magento = await startMagento({ version: '2.4.7', port });
    magento.store.addProduct('A/B-1', { quantity: 6 });
    const now = jest.spyOn(Date, 'now').mockReturnValue(Date.now() + 61_000);
    try {
      expect((await client.readStockItem('A/B-1'))?.quantity).toBe(6);
    } finally {
      now.mockRestore();
    }
  });

  it('may have the port', async () => {
    await start();
    const refused = {
      status: 401,
      headers: { 'content-type': 'application/json' },
      body: { message: 'The signature is invalid. Verify and try again.' },
    };
    const good = {
      status: 200,
      headers: { 'content-type': 'application/json' },
      body: { items: null, total_count: 0 },
    };
    const nonces = new Set<string>();
    magento.setFault(call => {
      const nonce = /oauth_nonce="(\w+)"/.exec(call.headers.authorization ?? '')?.[1] ?? '';
      nonces.add(nonce);
      return { answer: nonces.size <= 2 ? refused : good };
    });
    await client.findProducts(['WIDGET-123']);
    await client.findProducts(['WIDGET-123']);
    expect([magento.calls.length, nonces.size]).toEqual([5, 5]);
  });
});

describe.each(['source-items', 'stock-items'] as const)('the stock API %s', kind => {
  it('reads and writes many SKUs', async () => {
    await start();
    const api = openStockApi(client, kind);
    const skus = ['WIDGET-123', 'A/B-1', 'COMMA,1', 'Größe-Ω'];
    const quantities = async () => (await api.read([...skus, 'NOSUCH'])).map(rows => rows[0]?.quantity);
    expect(await quantities()).toEqual([5, 5, 5, 5, undefined]);
    await api.write(skus.map((sku, n) => ({ sku, stock: [row(n)] })));
    expect(await quantities()).toEqual([0, 1, 2, 3, undefined]);
    expect(skus.map(sku => magento.store.shown(sku)?.inStock)).toEqual([false, true, true, true]);
  });

  it('rejects with the refusal of a SKU', async () => {
    await start();
    magento.setFault(call =>
      call.method === 'GET'
        ? undefined
        : { answer: { status: 400, headers: { 'content-type': 'application/json' }, body: { message: 'no' } } },
    );
    await expect(openStockApi(client, kind).write([{ sku: 'A/B-1', stock: [row(9)] }])).rejects.toMatchObject({
      kind: 'refused',
      direction: 'write',
      message: 'Magento answered 400: no',
    });
  });
});

describe('the stock API is detected', () => {
  it.each([true, false])('by what the store has (source items: %s)', async sourceItems => {
    await start({ settings: { sourceItems } });
    expect((await detectStockApi(client, 'auto', undefined)).kind).toBe(sourceItems ? 'source-items' : 'stock-items');
  });

  it('and a source that the store lacks is named', async () => {
    await start();
    await expect(detectStockApi(client, 'auto', { default: [1], wset: [2] })).rejects.toMatchObject({
      kind: 'credentials',
      message: 'SOURCE_MAP names wset, but this store has only the sources default',
    });
  });
});

describe('the health probes', () => {
  it('pass where reads and writes work, and change nothing', async () => {
    await start();
    const before = magento.store.history.length;
    await client.probeReads('source-items');
    await client.probeEmptyWrite();
    expect(magento.store.history).toHaveLength(before);
  });

  it('fail where they do not', async () => {
    await start();
    magento.setMaintenance(true);
    await expect(client.probeReads('source-items')).rejects.toMatchObject({ kind: 'unavailable', direction: 'read' });
    await expect(client.probeEmptyWrite()).rejects.toMatchObject({ kind: 'unavailable', direction: 'write' });
  });
});
