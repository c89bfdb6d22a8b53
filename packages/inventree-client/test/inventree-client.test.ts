import { orderActions, startInvenTree, type FakeInvenTree } from '@stock-sync/fakes';
import { createInvenTreeClient, STOCK_ALONE, type InvenTreeClient } from '../src';

let inventree: FakeInvenTree;
let client: InvenTreeClient;
beforeEach(async () => {
  inventree = await startInvenTree();
  client = clientWith(inventree.tokens.viewer);
});
afterEach(async () => {
  client.close();
  await inventree.close();
});

function clientWith(token: string, onPluginChange?: (failure: string | undefined) => void): InvenTreeClient {
  const common = { timeoutMs: 2_000, verifyTls: true };
  return createInvenTreeClient({ baseUrl: inventree.url, token, ...common, ...(onPluginChange && { onPluginChange }) });
}

function stock(): void {
  const { shop } = inventree;
  const [main, other] = [shop.addLocation('Main'), shop.addLocation('Other')];
  const widget = shop.addPart({ name: 'WIDGET-123', IPN: 'W.1' });
  shop.addPart({ name: 'EMPTY', virtual: true, active: false });
  const template = shop.addPart({ name: 'TEMPLATE', isTemplate: true });
  const variant = shop.addPart({ name: 'VARIANT', variantOf: template.pk });
  const item = shop.insertItem({ part: widget.pk, quantity: 12.5, location: main.pk });
  shop.insertItem({ part: widget.pk, quantity: 0.00001, location: main.pk });
  shop.insertItem({ part: widget.pk, quantity: 30, location: other.pk });
  shop.insertItem({ part: widget.pk, quantity: 4, location: null });
  for (const more of [{ status: 70 }, { customer: 1 }, { belongsTo: 1 }, { consumedBy: 1 }, { isBuilding: true }]) {
    shop.insertItem({ part: widget.pk, quantity: 100, location: main.pk, ...more });
  }
  shop.insertItem({ part: template.pk, quantity: 1 });
  shop.insertItem({ part: variant.pk, quantity: 20 });
  const { order, shipment } = orderActions.addSalesOrder(shop, 1, [{ part: widget.pk, quantity: 2 }]);
  orderActions.allocate(shop, order, 1, item.pk, 2, shipment);
  shop.templates.set(5, { pk: 5, name: 'Magento SKU' });
  shop.parameters.push({ pk: 1, template: 5, part: widget.pk, data: 'MAG-1' });
}

/** Sums per location, sorted: the plain API returns rows, the plugin sums. */
async function read(parts: number[]) {
  const found = await client.readParts(parts, { ...STOCK_ALONE, parameters: ['Magento SKU'] });
  return [...found.values()]
    .sort((a, b) => a.pk - b.pk)
    .map(({ stockItems: _, stock: rows, ...part }) => {
      const sums = new Map<number | null, [number, number]>();
      for (const { location, inStock, allocated } of rows) {
        const [a, b] = sums.get(location) ?? [0, 0];
        sums.set(location, [a + Number(inStock), b + Number(allocated)]);
      }
      return { ...part, stock: [...sums].sort(([a], [b]) => (a ?? 0) - (b ?? 0)) };
    });
}

describe('the two ways of reading', () => {
  it('have equal results', async () => {
    stock();
    const byPlugin = await read([1, 2, 3, 4, 4711]);
    inventree.setPlugin(false);
    const plainly = await read([1, 2, 3, 4, 4711]);
    expect(plainly).toEqual(byPlugin);
    expect(byPlugin).toMatchObject([
      {
        pk: 1,
        name: 'WIDGET-123',
        IPN: 'W.1',
        parameters: { 'Magento SKU': 'MAG-1' },
        stock: [
          [null, [4, 0]],
          [1, [12.50001, 2]],
          [2, [30, 0]],
        ],
      },
      { pk: 2, virtual: true, active: false, parameters: {}, stock: [] },
      { pk: 3, stock: [[null, [1, 0]]] },
      { pk: 4, stock: [[null, [20, 0]]] },
    ]);
  });

  it('need one call for 1,000 parts through the plugin, and list all parts page by page', async () => {
    for (let n = 0; n < 2_300; n++) inventree.shop.addPart({ name: `P${n}` });
    const found = await client.readParts(Array.from({ length: 1_000 }, (_, n) => n + 1));
    expect([found.size, inventree.calls.length]).toEqual([1_000, 1]);
    const pages: number[][] = [];
    for await (const page of client.walkStock()) pages.push(page.parts.map(part => part.pk));
    expect(pages.map(page => page.length)).toEqual([1_000, 1_000, 300]);
    inventree.setPlugin(false);
    const plain: number[] = [];
    for await (const page of clientWith(inventree.tokens.viewer).walkStock()) {
      plain.push(...page.parts.map(part => part.pk));
    }
    expect(plain.sort((a, b) => a - b)).toEqual(pages.flat());
  });

  it('return to the plugin by themselves after it failed for one part', async () => {
    stock();
    inventree.setFault(call =>
      call.path.startsWith('/plugin/')
        ? { answer: { status: 500, headers: { 'content-type': 'application/json' }, body: {} } }
        : undefined,
    );
    expect((await client.readParts([1])).size).toBe(1);
    inventree.setFault(undefined);
    const before = inventree.calls.length;
    await client.readParts([1]);
    expect(inventree.calls.slice(before).map(call => call.path)).toEqual(['/plugin/magento-sync/stock/']);
  });
});

describe('a plugin that fails', () => {
  const failing = (fails: (parts: readonly number[]) => boolean) =>
    inventree.setFault(call =>
      call.path.startsWith('/plugin/') && fails((call.body as { parts?: number[] } | undefined)?.parts ?? [])
        ? { answer: { status: 500, headers: { 'content-type': 'application/json' }, body: {} } }
        : undefined,
    );

  it('for a batch is the business of the caller, who splits it', async () => {
    stock();
    failing(parts => parts.includes(2));
    await expect(client.readParts([1, 2])).rejects.toMatchObject({ kind: 'refused', status: 500 });
    expect([...(await client.readParts([2])).keys()]).toEqual([2]);
    expect([...(await client.readParts([1])).keys()]).toEqual([1]);
  });

  it('for every part is not tried again for a minute', async () => {
    stock();
    failing(() => true);
    await client.readParts([1]);
    await client.readParts([2]);
    const before = inventree.calls.length;
    expect((await client.readParts([1, 2])).size).toBe(2);
    expect(inventree.calls.slice(before).filter(call => call.path.startsWith('/plugin/'))).toEqual([]);
  });
});

describe('an answer is not trusted', () => {
  /** A list without rows, whatever it counts. */
  const emptyList = (list: string, count: number) => {
    const body = { count, next: null, previous: null, results: [] };
    const answer = { status: 200, headers: { 'content-type': 'application/json' }, body };
    inventree.setFault(({ path }) => (path === list ? { answer } : undefined));
  };

  it('where the plugin answers with other parts than requested', async () => {
    inventree.setFault(() => ({
      answer: { status: 200, headers: { 'content-type': 'application/json' }, body: { parts: [], missing: [2] } },
    }));
    await expect(client.readParts([1])).rejects.toMatchObject({ kind: 'unavailable' });
  });

  it('where the list of a part is empty, and the part itself says otherwise', async () => {
    stock();
    inventree.setPlugin(false);
    emptyList('/api/stock/', 0);
    await expect(client.readParts([1])).rejects.toThrow(
      'InvenTree listed no stock of part 1, although the part has 46',
    );
    expect((await client.readParts([2])).get(2)?.stock).toEqual([]);
  });

  it('where a list is far shorter than InvenTree counts', async () => {
    inventree.setPlugin(false);
    emptyList('/api/part/', 900);
    await expect(client.walkStock().next()).rejects.toMatchObject({ kind: 'refused' });
  });
});

describe('a list that changes while it is read in pages', () => {
  /** A part with many stock items, of which one is deleted during each of the first readings. */
  function changing(readings: number): number {
    inventree.setPlugin(false);
    const part = inventree.shop.addPart({ name: 'MANY' }).pk;
    for (let n = 0; n < 1_500; n++) inventree.shop.insertItem({ part, quantity: 1 });
    let left = readings;
    inventree.setFault(call => {
      const [first] = inventree.shop.itemsOf(part);
      if (call.query.has('offset') && first && left-- > 0) inventree.shop.deleteItem(first);
      return undefined;
    });
    return part;
  }

  it('is read again', async () => {
    const part = changing(2);
    expect((await client.readParts([part])).get(part)?.stock).toHaveLength(1_498);
  });

  it('is not trusted for one part where it never stays the same, and that is no outage', async () => {
    const part = changing(1_000);
    await expect(client.readParts([part])).rejects.toMatchObject({
      kind: 'refused',
      message: "InvenTree's stock items changed each of the 3 times that they were read in pages",
    });
  });

  it('is good enough for a sweep, which only looks for parts to read', async () => {
    changing(1_000);
    for await (const { parts } of client.walkStock()) expect(parts).toHaveLength(1);
  });
});

describe('the plugin stops answering', () => {
  it.each([
    ['is not there', { status: 302, headers: { location: '/web' }, body: '' }, 'answered 302: install the'],
    ['is switched off', { status: 403, headers: {}, body: '<title>403</title>' }, 'answered 403 without JSON: install'],
    ['has another SITE_URL', { status: 500, headers: {}, body: '<h1>INVE-E7</h1>' }, 'SITE_URL as INVENTREE_URL'],
  ])('because it %s: this is said once, and that it answers again', async (_, answer, expected) => {
    const now = jest.spyOn(Date, 'now').mockReturnValue(1e12);
    try {
      stock();
      const said: (string | undefined)[] = [];
      const watched = clientWith(inventree.tokens.viewer, failure => said.push(failure));
      inventree.setFault(({ path }) => (path.startsWith('/plugin/') ? { answer } : undefined));
      for (let read = 1; read <= 3; read++) {
        expect((await watched.readParts([1])).get(1)?.name).toBe('WIDGET-123');
        now.mockReturnValue(1e12 + read * 61_000);
      }
      expect(said).toEqual([expect.stringContaining(expected)]);
      inventree.setFault(undefined);
      await watched.readParts([1]);
      expect(said).toEqual([expect.anything(), undefined]);
      watched.close();
    } finally {
      now.mockRestore();
    }
  });
});

describe('an older plugin', () => {
  /** As version 0.1 answers, which knows of no wishes. */
  const oldRow = {
    pk: 1,
    name: 'WIDGET-123',
    IPN: 'W.1',
    active: true,
    salable: true,
    virtual: false,
    is_template: false,
    variant_of: null,
    in_stock: '46.50001',
    locations: [{ location: 1, in_stock: '46.50001', allocated: '2.00000' }],
  };
  const answer = {
    status: 200,
    headers: { 'content-type': 'application/json' },
    body: { parts: [oldRow], missing: [] },
  };
  const answersAsBefore = () =>
    inventree.setFault(({ path }) => (path.startsWith('/plugin/') ? { answer } : undefined));

  it.each([
    ['details', { ...STOCK_ALONE, details: true }],
    ['what can be built', { ...STOCK_ALONE, buildable: true }],
    ['variants', { ...STOCK_ALONE, variants: true }],
    ['parameters', { ...STOCK_ALONE, parameters: ['Magento SKU'] }],
  ])('is not believed where %s are wanted: the plain API is read, and the remedy is said', async (_, wanted) => {
    stock();
    const said: (string | undefined)[] = [];
    const watched = clientWith(inventree.tokens.viewer, failure => said.push(failure));
    answersAsBefore();
    const part = (await watched.readParts([1], wanted)).get(1);
    expect(part?.stock).toHaveLength(4);
    expect(said).toEqual([expect.stringContaining('update the plugin')]);
    watched.close();
  });

  it('is good enough where nothing more is wanted', async () => {
    stock();
    answersAsBefore();
    expect((await client.readParts([1])).get(1)?.stock).toHaveLength(1);
  });
});

describe('errors have a kind', () => {
  it.each<[string, (i: FakeInvenTree) => void, object]>([
    ['maintenance', i => i.setMaintenance(true), { kind: 'throttled', status: 503, retryAfterMs: 10_000 }],
    ['no database', i => i.setDatabaseDown(true), { kind: 'refused', status: 500 }],
  ])('%s', async (_, prepare, expected) => {
    prepare(inventree);
    await expect(client.readParts([1])).rejects.toMatchObject({ system: 'InvenTree', ...expected });
  });

  it('of a wrong token, and of one without roles', async () => {
    stock();
    await expect(clientWith('wrong').readParts([1])).rejects.toMatchObject({
      kind: 'credentials',
      message: expect.stringContaining('Invalid token.') as string,
    });
    await expect(clientWith(inventree.tokens.nobody).readParts([1])).rejects.toMatchObject({
      kind: 'credentials',
      status: 403,
    });
  });
});

describe('lookups', () => {
  it('of the part of an item, parts by name in any case, locations, statuses, and health', async () => {
    stock();
    const odd = inventree.shop.addPart({ name: 'R(1).*[x]|\\d$ + #?', IPN: 'widget-123' });
    expect(await client.partOfStockItem(1)).toBe(1);
    expect(await client.partOfStockItem(4711)).toBeUndefined();
    expect((await client.partsNamed('name', ['widget-123', odd.name])).map(part => part.pk).sort()).toEqual([
      1,
      odd.pk,
    ]);
    expect((await client.partsNamed('IPN', ['WIDGET-123'])).map(part => part.pk)).toEqual([odd.pk]);
    expect((await client.locations()).get(1)).toEqual({ name: 'Main', parent: null, external: false });
    inventree.shop.customStatuses.set(11, { name: 'DEMO', label: 'Demo unit' });
    const statuses = await client.statuses();
    expect([statuses.get(55)?.label, statuses.get(11)?.label]).toEqual(['Damaged', 'Demo unit']);
    await expect(client.probe(['Magento SKU'])).resolves.toBeUndefined();
    await expect(client.probe(['Colour'])).rejects.toThrow('no parameter template');
  });

  it('of the categories below some, with the plugin and without it', async () => {
    const { shop } = inventree;
    for (const [pk, parent] of [
      [1, null],
      [2, 1],
      [3, 2],
      [4, null],
      [5, 1],
    ] as const)
      shop.categories.set(pk, parent);
    for (const category of [1, 3, 4]) shop.addPart({ name: `P${category}`, category });
    const byPlugin = await client.categoriesBelow([1]);
    expect([[...byPlugin.wanted].sort(), [...byPlugin.known].sort()]).toEqual([
      [1, 2, 3, 5],
      [1, 2, 3, 4, 5],
    ]);
    await expect(client.categoriesBelow([1, 99])).rejects.toMatchObject({ kind: 'credentials' });
    inventree.setPlugin(false);
    // Only those that have parts: nobody recorded InvenTree's list of categories.
    const plainly = await clientWith(inventree.tokens.viewer).categoriesBelow([1]);
    expect([...plainly.wanted].sort()).toEqual([1, 3]);
    await expect(clientWith(inventree.tokens.viewer).categoriesBelow([99])).rejects.toThrow('that hold every part: 99');
  });

  it('of many names, each short enough for a URL', async () => {
    const names = Array.from({ length: 300 }, (_, n) => `PART WITH A RATHER LONG NAME ${n}`);
    for (const name of names) inventree.shop.addPart({ name });
    expect(await client.partsNamed('name', names)).toHaveLength(300);
    expect(inventree.calls.every(call => call.url.length < 4_000)).toBe(true);
  });

  it('of a parameter template that does not exist', async () => {
    stock();
    await expect(client.parameterValues('Colour')).rejects.toThrow(
      "no parameter template named 'Colour': check the settings that name it. Existing templates: Magento SKU",
    );
  });
});
