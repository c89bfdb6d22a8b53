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
    expect(magento.calls).toHaveLength(3);
  });

  it('make no call for no SKU', async () => {
    await start();
    expect(await client.readSourceItems([])).toEqual([]);
    expect(magento.calls).toEqual([]);
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
          "Magento refused the credentials: The consumer isn't authorized to access Magento_InventoryApi::source.",
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
  const sizes = magento.calls.map(call => (call.body as { sourceItems: unknown[] }).sourceItems.length);
  expect(sizes).toEqual([3, 2, 1, 2, 1]);
  expect(items.map(({ sku }) => magento.store.shown(sku)?.quantity)).toEqual([9, 9, 9]);
});

describe('a signature with the port', () => {
  it('is tried when the one without is refused, and kept', async () => {
    await start();
    let calls = 0;
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
      return { answer: ++calls === 1 ? refused : good };
    });
    await client.findProducts(['WIDGET-123']);
    await client.findProducts(['WIDGET-123']);
    expect([magento.calls.length, nonces.size]).toEqual([3, 3]);
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
