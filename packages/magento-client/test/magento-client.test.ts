import { startMagento, type MagentoStandIn, type MagentoStandInOptions } from '@stock-sync/stand-ins';
import { createMagentoClient, stockAccess, type MagentoClient, type MagentoCredentials } from '../src';

let magento: MagentoStandIn;
let client: MagentoClient;

async function start(options: MagentoStandInOptions = {}, credentials?: MagentoCredentials) {
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

const change = (quantity: number) => ({ sourceCode: 'default', quantity, inStock: quantity > 0, from: '', to: '' });

describe('the three methods of the original', () => {
  it('get a product by its SKU, without regard to case, or nothing', async () => {
    await start();
    expect(await client.getProductBySku('widget-123')).toEqual({ sku: 'WIDGET-123', typeId: 'simple' });
    expect(await client.getProductBySku('A/B-1')).toEqual({ sku: 'A/B-1', typeId: 'simple' });
    expect(await client.getProductBySku('NOSUCH')).toBeUndefined();
  });

  it.each([true, false])('update stock, in stock as the quantity says (source items: %s)', async sourceItems => {
    await start({ settings: { sourceItems } });
    await client.updateProductStock('A/B-1', 12);
    expect(magento.store.shown('A/B-1')).toEqual({ quantity: 12, inStock: true });
    await client.updateProductStock('A/B-1', 0);
    expect(magento.store.shown('A/B-1')).toEqual({ quantity: 0, inStock: false });
    await expect(client.updateProductStock('NOSUCH', 1)).rejects.toMatchObject({
      kind: 'wrong-item',
      message: "Magento has no product with SKU 'NOSUCH'",
    });
    expect(magento.store.sourceItem('NOSUCH')).toBeUndefined();
  });

  it('test the connection', async () => {
    await start();
    expect(await client.testConnection()).toEqual({ stockApi: 'source-items', sources: ['default'] });
  });
});

describe('searches', () => {
  it('find SKUs with commas and others, many at a time, within the length of an address', async () => {
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

  it('read on where the store gives a page less than it has, and with the page size that it allows', async () => {
    await start({ settings: { inputLimit: { array: 20, pageSize: 3, defaultPageSize: 3 } } });
    const rows = await client.readSourceItems(['WIDGET-123', 'A/B-1', 'Größe-Ω', 'BUNDLE-1', 'COMMA,1']);
    expect(rows.map(row => row.sku).sort()).toEqual(['A/B-1', 'COMMA,1', 'Größe-Ω', 'WIDGET-123']);
  });

  it('end with the last page, and take fewer rows than were counted for an error', async () => {
    await start();
    const body = { items: [{ sku: 'A', source_code: 'default', quantity: 1, status: 1 }], total_count: 700 };
    magento.setFault(() => ({ answer: { status: 200, headers: { 'content-type': 'application/json' }, body } }));
    await expect(client.readSourceItems(['A'])).rejects.toMatchObject({
      kind: 'try-later',
      message: 'Magento told of 700 source items and gave 1',
    });
    expect(magento.calls).toHaveLength(3);
  });

  it('ask nothing for nothing', async () => {
    await start();
    expect(await client.readSourceItems([])).toEqual([]);
    expect(magento.calls).toEqual([]);
  });
});

describe('errors say what to do', () => {
  it.each<[string, MagentoStandInOptions, (m: MagentoStandIn) => void, object]>([
    ['maintenance', {}, m => m.setMaintenance(true), { kind: 'try-later', status: 503 }],
    ['no database', {}, m => m.setDatabaseDown(true), { kind: 'try-later', status: 500 }],
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
      { kind: 'wrong-item', message: 'Magento answered 400: Could not save Source Item' },
    ],
    [
      'a limit',
      { settings: { inputLimit: { array: 1, pageSize: 300, defaultPageSize: 20 } } },
      () => undefined,
      {
        kind: 'wrong-item',
        message: 'Magento: Maximum items of type "\\Magento\\InventoryApi\\Api\\Data\\SourceItemInterface" is 1',
      },
    ],
    ['no route', { settings: { sourceItems: false } }, () => undefined, { kind: 'credentials', status: 404 }],
  ])('%s', async (_, options, prepare, expected) => {
    await start(options);
    prepare(magento);
    const item = { sku: 'WIDGET-123', sourceCode: 'default', quantity: 1, inStock: true };
    await expect(client.writeSourceItems([item, { ...item, sku: 'A/B-1' }])).rejects.toMatchObject({
      ...expected,
      system: 'Magento',
      duringWrite: expect.any(Boolean) as boolean,
    });
  });

  it('a token that is refused as Bearer', async () => {
    await start({ bearerEnabled: false }, { accessToken: 'access-token' });
    await expect(client.getProductBySku('WIDGET-123')).rejects.toMatchObject({ kind: 'credentials' });
  });
});

describe('a signature with the port, for a store that wants it', () => {
  it('is tried when the one without is refused, and kept', async () => {
    await start();
    let withoutPort = 0;
    const refused = {
      status: 401,
      headers: { 'content-type': 'application/json' },
      body: { message: 'The signature is invalid. Verify and try again.' },
    };
    const good = {
      status: 200,
      headers: { 'content-type': 'application/json' },
      body: { sku: 'WIDGET-123', type_id: 'simple' },
    };
    const nonces = new Set<string>();
    magento.setFault(call => {
      const nonce = /oauth_nonce="(\w+)"/.exec(call.headers.authorization ?? '')?.[1] ?? '';
      nonces.add(nonce);
      return { answer: ++withoutPort === 1 ? refused : good };
    });
    expect(await client.getProductBySku('WIDGET-123')).toBeDefined();
    expect(await client.getProductBySku('WIDGET-123')).toBeDefined();
    expect([magento.calls.length, nonces.size]).toEqual([3, 3]);
  });
});

describe('stock access', () => {
  it.each(['source-items', 'stock-items'] as const)(
    'by %s: reads and writes many, and each has its own error',
    async stockApi => {
      await start();
      const access = stockAccess(client, stockApi);
      const skus = ['WIDGET-123', 'A/B-1', 'COMMA,1', 'Größe-Ω', 'NOSUCH'];
      expect((await access.read(skus)).map(rows => (rows instanceof Error ? rows : rows[0]?.quantity))).toEqual([
        5,
        5,
        5,
        5,
        undefined,
      ]);
      magento.setFault(call =>
        call.method !== 'GET' && (decodeURIComponent(call.url) + JSON.stringify(call.body)).includes('COMMA,1')
          ? { answer: { status: 400, headers: { 'content-type': 'application/json' }, body: { message: 'no' } } }
          : undefined,
      );
      const errors = await access.write(skus.slice(0, 4).map(sku => ({ sku, changes: [change(9)] })));
      expect(errors.map(error => error?.message)).toEqual([
        undefined,
        undefined,
        'Magento answered 400: no',
        undefined,
      ]);
      expect(skus.slice(0, 4).map(sku => magento.store.shown(sku)?.quantity)).toEqual([9, 9, 5, 9]);
    },
  );

  it('stops knocking when the store goes away in the middle', async () => {
    await start();
    const access = stockAccess(client, 'source-items');
    let writes = 0;
    magento.setFault(call => {
      if (call.method === 'GET') return undefined;
      if (++writes === 1)
        return { answer: { status: 400, headers: { 'content-type': 'application/json' }, body: { message: 'no' } } };
      return { answer: { status: 503, body: 'away' } };
    });
    const errors = await access.write(
      ['WIDGET-123', 'A/B-1', 'COMMA,1', 'Größe-Ω'].map(sku => ({ sku, changes: [change(9)] })),
    );
    expect(errors.map(error => error?.kind)).toEqual(Array(4).fill('try-later'));
    expect(writes).toBe(2);
  });
});
