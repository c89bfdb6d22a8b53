import { setTimeout as sleep } from 'node:timers/promises';
import { stockActions, type Fault, type StandInCall } from '@stock-sync/stand-ins';
import { launchService, startSystem, startTcpProxy, type System } from '../src';
import { lettersOf, redisServer, until } from './support';

let system: System | undefined;
afterEach(async () => {
  await system?.stop();
  system = undefined;
});

async function start(environment: Record<string, string> = {}) {
  system = await startSystem({ redisServer: redisServer(), environment: { SYNC_DELAY_MS: '30', ...environment } });
  return system;
}

function widget(running: System, name = 'WIDGET-123') {
  const part = running.inventree.shop.addPart({ name });
  running.magento.store.addProduct(name, { quantity: 999 });
  return running.inventree.shop.insertItem({ part: part.pk, quantity: 50 });
}

const messages = (running: System) => running.workerLog().map(({ level, message }) => `${level} ${message}`);
const shown = (running: System, sku = 'WIDGET-123') => running.magento.store.shown(sku)?.quantity;
const isWrite = (call: StandInCall) => call.method === 'POST';
const jsonError = (status: number, message = 'Internal Error. Details are available in Magento log file.') => ({
  answer: { status, headers: { 'content-type': 'application/json' }, body: { message } },
});

describe('when a system is away, work waits, and nothing becomes a dead letter', () => {
  it.each<[string, (running: System, on: boolean) => void, RegExp]>([
    [
      'Magento in maintenance',
      (r, on) => r.magento.setMaintenance(on),
      /Magento answered 503: Error 503: Service Unavailable/,
    ],
    ["Magento's database", (r, on) => r.magento.setDatabaseDown(on), /Magento answered 500: An error has happened/],
    ['InvenTree in maintenance', (r, on) => r.inventree.setMaintenance(on), /InvenTree answered 503/],
    [
      "InvenTree's database",
      (r, on) => r.inventree.setDatabaseDown(on),
      /InvenTree answered 500 for .*: OperationalError/,
    ],
    [
      'Magento hanging',
      (r, on) => r.magento.setFault(on ? () => ({ hang: true }) : undefined),
      /Magento did not answer: nothing came within 1 s/,
    ],
    [
      'Magento breaking connections',
      (r, on) => r.magento.setFault(on ? () => ({ reset: 'before' }) : undefined),
      /Magento did not answer: ECONNRESET/,
    ],
    [
      'a web page where JSON is due',
      (r, on) =>
        r.inventree.setFault(
          on
            ? () => ({
                answer: { status: 200, headers: { 'content-type': 'text/html' }, body: '<title>Login</title>' },
              })
            : undefined,
        ),
      /InvenTree answered .* with a page instead of JSON: Login/,
    ],
  ])('%s', async (_, setAway, reason) => {
    const running = await start({ TIMEOUT: '1', MAX_ATTEMPTS: '2' });
    const item = widget(running);
    setAway(running, true);
    stockActions.add(running.inventree.shop, item, 30);
    await until('the outage is told', () => messages(running).some(line => reason.test(line)), 20_000);
    const ready = await fetch(`${running.workers[0]?.url ?? ''}/readyz`);
    expect(ready.status).toBe(503);
    expect((await ready.json()) as { reason: string }).toMatchObject({
      reason: expect.stringMatching(reason) as string,
    });
    await new Promise(resolve => setTimeout(resolve, 1_500));
    expect(shown(running)).toBe(999);
    setAway(running, false);
    await until('the store is right', () => shown(running) === 80, 40_000);
    await running.quiet();
    expect(messages(running).join('\n')).toMatch(/is back after \d+ s: the work that waited goes on/);
    expect(await lettersOf(running)).toEqual([]);
  });

  it.each<[string, (call: StandInCall) => boolean]>([
    ['to every call', () => true],
    ['to every read and write of stock, while its sources can be read', call => call.path.endsWith('/source-items')],
    ['to every write', isWrite],
  ])('Magento answers a 500 that looks like a single SKU %s', async (_, meant) => {
    const running = await start({ MAX_ATTEMPTS: '2' });
    const items = Array.from({ length: 4 }, (_, n) => widget(running, `PART-${n}`));
    const [first] = items;
    if (!first) throw new Error('no item');
    stockActions.add(running.inventree.shop, first, 1);
    await until('one SKU is known to be good', () => shown(running, 'PART-0') === 51);
    running.magento.setFault(call => (meant(call) ? jsonError(500) : undefined));
    for (const item of items.slice(1)) stockActions.add(running.inventree.shop, item, 30);
    await until('the outage is told', () => messages(running).some(line => line.includes('needs Magento waits')));
    await sleep(3_000);
    running.magento.setFault(undefined);
    await until('the store is right', () => [1, 2, 3].every(n => shown(running, `PART-${n}`) === 80), 40_000);
    await running.quiet();
    expect(messages(running).filter(line => /attempt \d/.test(line))).toEqual([]);
    expect(await lettersOf(running)).toEqual([]);
  });

  it('one job tries again after a pause, however many wait, and then all go', async () => {
    const running = await start();
    await running.startWorker();
    const items = Array.from({ length: 40 }, (_, n) => widget(running, `PART-${n}`));
    running.magento.setMaintenance(true);
    for (const item of items.slice(0, 3)) stockActions.add(running.inventree.shop, item, 1);
    await until('the outage is told', () => messages(running).some(line => line.includes('needs Magento waits')));
    for (const item of items) stockActions.add(running.inventree.shop, item, 1);
    await sleep(300);
    const before = running.magento.calls.length;
    const pauses = () => messages(running).filter(line => line.includes('needs Magento waits')).length;
    const pausesBefore = pauses();
    await sleep(7_500);
    // A sync reads its product and what is shown: two calls an attempt.
    expect(running.magento.calls.length - before).toBeLessThanOrEqual(2 * (pauses() - pausesBefore));
    expect(pauses() - pausesBefore).toBeGreaterThanOrEqual(2);
    running.magento.setMaintenance(false);
    await until('all are right', () => items.every((item, n) => shown(running, `PART-${n}`) === item.quantity), 20_000);
    expect(await lettersOf(running)).toEqual([]);
  });

  it('Magento away does not keep us from finding out whose a stock item is', async () => {
    const running = await start();
    const item = widget(running);
    running.magento.setMaintenance(true);
    await running.send({ event: 'stock_stockitem.saved', part: item.part });
    await until('the outage is told', () => messages(running).some(line => line.includes('needs Magento waits')));
    const other = widget(running, 'OTHER');
    await running.send({ event: 'stock_stockitem.saved', model: 'StockItem', id: other.pk });
    await until(
      'it is known',
      async () => (await running.database.redis.get(`stock-sync:stock-item:${other.pk}`)) === String(other.part),
      3_000,
    );
    expect(shown(running, 'OTHER')).toBe(999);
  });

  it('the pause outlives a restart of all workers', async () => {
    const running = await start();
    const item = widget(running);
    running.magento.setFault(() => ({ answer: { status: 503, headers: { 'retry-after': '4' }, body: 'busy' } }));
    stockActions.add(running.inventree.shop, item, 1);
    await until('the outage is told', () => messages(running).some(line => line.includes('next attempt in 4 s')));
    await Promise.all(running.workers.map(worker => worker.stop()));
    running.magento.setFault(undefined);
    const calls = running.magento.calls.length;
    const worker = await running.startWorker();
    await until('it is not ready', async () => (await fetch(`${worker.url}/readyz`)).status === 503, 1_500);
    await sleep(500);
    expect(running.magento.calls).toHaveLength(calls);
    await until('the store is right', () => shown(running) === 51);
    await until('it is ready', async () => (await fetch(`${worker.url}/readyz`)).status === 200);
  });

  it('refused credentials: an error names the missing resource', async () => {
    const running = await start({ MAGENTO_ACCESS_TOKEN_SECRET: 'wrong' });
    const item = widget(running);
    stockActions.add(running.inventree.shop, item, 1);
    await until('the refusal is told', () =>
      messages(running).some(line =>
        line.startsWith('error Magento refused the credentials: The signature is invalid.'),
      ),
    );
    expect(await lettersOf(running)).toEqual([]);

    // The pause would take 15 s more; whoever mends the settings need not wait for it.
    await Promise.all(running.workers.map(worker => worker.stop()));
    await running.startWorker({ MAGENTO_ACCESS_TOKEN_SECRET: running.magento.integration.accessTokenSecret });
    await until('the store is right', () => shown(running) === 51, 8_000);
  });

  it('a SOURCE_MAP with a source that the store lacks: an error names it, nothing is written nor given up', async () => {
    const running = await start({ SOURCE_MAP: '{"default":[1],"wset":[2]}' });
    running.inventree.shop.addLocation('Main');
    const item = widget(running);
    stockActions.add(running.inventree.shop, item, 1);
    await until('it is told', () =>
      messages(running).some(line =>
        line.startsWith('error SOURCE_MAP names wset, but this store has only the sources default. What needs Magento'),
      ),
    );
    expect(running.magento.counts().writes).toBe(0);
    expect(await lettersOf(running)).toEqual([]);
  });
});

describe('when one SKU alone is refused', () => {
  it('the others of its batch are written, and it ends as a dead letter with its reason', async () => {
    const running = await start({ MAX_ATTEMPTS: '2' });
    const { inventree, magento } = running;
    const items = Array.from({ length: 9 }, (_, n) => widget(running, `PART-${n}`));
    magento.setFault(call =>
      isWrite(call) && JSON.stringify(call.body).includes('"PART-4"')
        ? {
            answer: {
              status: 400,
              headers: { 'content-type': 'application/json' },
              body: { message: 'Could not save %1', parameters: ['Source Item'] },
            },
          }
        : undefined,
    );
    inventree.shop.transaction(() => {
      for (const item of items) stockActions.add(inventree.shop, item, 1);
    });
    await running.quiet();
    for (const [n] of items.entries()) expect([n, shown(running, `PART-${n}`)]).toEqual([n, n === 4 ? 999 : 51]);
    const letters = await lettersOf(running);
    expect(letters).toHaveLength(1);
    expect(letters[0]).toMatchObject({
      part: items[4]?.part,
      sku: 'PART-4',
      errorKind: 'wrong-item',
      reason: 'Magento answered 400: Could not save Source Item',
      attempts: 2,
      event: 'stock_stockitem.saved',
    });

    magento.setFault(undefined);
    await running.send({ event: 'stock_stockitem.saved', part: items[4]?.part });
    await running.quiet();
    expect(shown(running, 'PART-4')).toBe(51);
    expect(await lettersOf(running)).toEqual([]);
  });

  it.each<[string, Fault]>([
    ['a 500 with a bare text', { answer: { status: 500, headers: {}, body: 'no' } }],
    ['a 502 page', { answer: { status: 502, headers: { 'content-type': 'text/html' }, body: 'no' } }],
    ['no answer', { hang: true }],
  ])('the others are written, and it becomes a dead letter, whatever it shows in: %s', async (_, fault) => {
    const running = await start({ MAX_ATTEMPTS: '2', TIMEOUT: '1' });
    const items = Array.from({ length: 6 }, (_, n) => widget(running, `PART-${n}`));
    const [first] = items;
    if (!first) throw new Error('no item');
    stockActions.add(running.inventree.shop, first, 0);
    await until('one SKU is known to be good', () => shown(running, 'PART-0') === 50);
    running.magento.setFault(call =>
      decodeURIComponent(call.url + JSON.stringify(call.body ?? '')).includes('PART-3') ? fault : undefined,
    );
    for (const item of items) stockActions.add(running.inventree.shop, item, 1);
    await until(
      'the others are right',
      () => items.every((_, n) => n === 3 || shown(running, `PART-${n}`) === 51),
      30_000,
    );
    await until('it is given up', async () => (await lettersOf(running)).length === 1, 60_000);
    expect((await lettersOf(running))[0]).toMatchObject({ part: items[3]?.part });
    // Nobody who only shared a call with it was blamed.
    const blamed = messages(running).filter(line => /: attempt \d|dead letter/.test(line));
    expect(blamed.filter(line => !line.includes(`part ${items[3]?.part}:`))).toEqual([]);
  });

  it('a SKU that alone looks like an outage does not keep the others waiting, even where nobody else asks', async () => {
    const running = await start({ MAX_ATTEMPTS: '2' });
    const [good, bad] = [widget(running, 'GOOD'), widget(running, 'BAD')];
    stockActions.add(running.inventree.shop, good, 1);
    await until('one SKU is known to be good', () => shown(running, 'GOOD') === 51);
    running.magento.setFault(call =>
      decodeURIComponent(call.url).includes('BAD') ? { answer: { status: 503, headers: {}, body: 'no' } } : undefined,
    );
    stockActions.add(running.inventree.shop, bad, 1);
    await until('it is given up', async () => (await lettersOf(running)).length === 1, 25_000);
    expect((await fetch(`${running.workers[0]?.url ?? ''}/readyz`)).status).toBe(200);
  });

  it('a SKU that was written to see whether the store takes writes is right, also where the store did that late', async () => {
    const running = await start({ TIMEOUT: '1' });
    const [good, bad] = [widget(running, 'GOOD'), widget(running, 'BAD')];
    stockActions.add(running.inventree.shop, good, 1);
    await until('one SKU is known to be good', () => shown(running, 'GOOD') === 51);
    let writes = 0;
    running.magento.setFault(call => {
      if (!isWrite(call)) return undefined;
      if (JSON.stringify(call.body).includes('BAD')) return jsonError(400, 'Could not save Source Item');
      return ++writes === 1 ? { beginAfterMs: 6_000 } : undefined;
    });
    stockActions.add(running.inventree.shop, bad, 1);
    await until('nobody answers', () => messages(running).some(line => line.includes('nothing came within')));
    stockActions.add(running.inventree.shop, good, 10);
    await until('the newer write is done', () => shown(running, 'GOOD') === 61);
    await until('then the older one', () => shown(running, 'GOOD') === 51, 15_000);
    await until('it is right again', () => shown(running, 'GOOD') === 61, 30_000);
  });

  it.each([true, false])(
    'one part that InvenTree fails to tell of spoils no other, with our plugin: %s',
    async plugin => {
      system = await startSystem({
        redisServer: redisServer(),
        plugin,
        sends: 'none',
        environment: { SYNC_DELAY_MS: '30', MAX_ATTEMPTS: '2' },
      });
      const running = system;
      const items = Array.from({ length: 6 }, (_, n) => widget(running, `PART-${n}`));
      const bad = items[2]?.part ?? 0;
      running.inventree.setFault(call => {
        const { parts = [] } = (call.body ?? {}) as { parts?: number[] };
        const isBad = parts.includes(bad) || call.path === `/api/part/${bad}/`;
        return isBad
          ? { answer: { status: 500, headers: { 'content-type': 'text/html' }, body: '<h1>Server Error (500)</h1>' } }
          : undefined;
      });
      await running.send({ event: 'stock_stockitem.saved', parts: items.map(item => item.part) });
      await until('the others are right', () => items.every((_, n) => n === 2 || shown(running, `PART-${n}`) === 50));
      await until('it is given up', async () => (await lettersOf(running)).length === 1);
      expect((await lettersOf(running))[0]).toMatchObject({ part: bad, errorKind: 'wrong-item' });
      expect(messages(running).filter(line => line.includes('waits'))).toEqual([]);
    },
  );

  it('a store that takes only 20 at once is obeyed from then on', async () => {
    const running = await start();
    const { inventree, magento } = running;
    magento.settings.inputLimit = { array: 20, pageSize: 300, defaultPageSize: 20 };
    const items = Array.from({ length: 50 }, (_, n) => widget(running, `PART-${n}`));
    for (const quantity of [1, 2]) {
      inventree.shop.transaction(() => {
        for (const item of items) stockActions.add(inventree.shop, item, quantity);
      });
      await running.quiet();
    }
    for (const [n] of items.entries()) expect([n, shown(running, `PART-${n}`)]).toEqual([n, 53]);
    const sizes = magento.calls
      .filter(isWriteCall)
      .map(call => (call.body as { sourceItems: unknown[] }).sourceItems.length);
    expect(sizes.filter(size => size > 20)).toHaveLength(1);
  });
});

const isWriteCall = ({ method }: { method: string }) => method === 'POST';

describe('when an answer is not what it seems', () => {
  const strange: [string, (call: StandInCall) => unknown][] = [
    ['rows of another part', () => ({ count: 1, next: null, previous: null, results: [stockRow({ part: 4711 })] })],
    [
      'rows that are not in stock',
      call => ({ count: 1, next: null, previous: null, results: [stockRow({ part: partIn(call), in_stock: false })] }),
    ],
    ['fewer rows than it counted', () => ({ count: 3, next: null, previous: null, results: [] })],
    ['a bare list where pages were asked for', () => []],
  ];
  it.each(strange)('%s: an error, never 0 in stock', async (_, body) => {
    system = await startSystem({ redisServer: redisServer(), plugin: false, environment: { SYNC_DELAY_MS: '30' } });
    const item = widget(system);
    system.inventree.setFault(call =>
      call.path === '/api/stock/'
        ? { answer: { status: 200, headers: { 'content-type': 'application/json' }, body: body(call) } }
        : undefined,
    );
    stockActions.add(system.inventree.shop, item, 1);
    const running = system;
    await until('it is told', () => messages(running).some(line => line.includes('needs InvenTree waits')));
    expect(shown(running)).toBe(999);
  });

  it("the plugin's sum that is not the sum of its locations: an error, never 0 in stock", async () => {
    const running = await start();
    const item = widget(running);
    const part = {
      pk: item.part,
      name: 'WIDGET-123',
      IPN: '',
      active: true,
      virtual: false,
      in_stock: '0.00000',
      locations: [{ location: 1, in_stock: '5.00000', allocated: '0.00000' }],
    };
    running.inventree.setFault(() => ({
      answer: { status: 200, headers: { 'content-type': 'application/json' }, body: { parts: [part], missing: [] } },
    }));
    stockActions.add(running.inventree.shop, item, 1);
    await until('it is told', () => messages(running).some(line => line.includes('the sum of the locations')));
    expect(shown(running)).toBe(999);
  });
});

const partIn = (call: StandInCall) => Number(call.query.get('part'));
const stockRow = (row: object) => ({ pk: 1, quantity: 0, location: null, in_stock: true, allocated: 0, ...row });

describe('when Redis is away', () => {
  it('ingest answers 503 with Retry-After and works again by itself when Redis is back', async () => {
    const server = new URL(redisServer());
    const proxy = await startTcpProxy(server.hostname, Number(server.port));
    const redisUrlFor = (url: string) => Object.assign(new URL(url), { port: String(proxy.port) }).toString();
    const running = await startSystem({ redisServer: redisServer(), redisUrlFor });
    system = running;
    const item = widget(running);
    await proxy.cut();
    const post = () => running.send({ event: 'stock_stockitem.saved', part: item.part });
    await until('ingest noticed', async () => (await post()) === 503);
    expect((await fetch(`${running.ingest.url}/readyz`)).status).toBe(503);
    expect((await fetch(`${running.ingest.url}/healthz`)).status).toBe(200);
    await proxy.open();
    await until('ingest accepts again', async () => (await post()) === 202);
    await until('the store is right', () => shown(running) === 50);
    await running.stop();
    system = undefined;
    await proxy.close();
  });
});

describe('wrong configuration', () => {
  it('of ingest: all wrong variables at once, exit 1, no secret shown', async () => {
    const ingest = launchService('ingest', {
      REDIS_URL: 'http://x',
      WEBHOOK_SECRET: 'whsec_%%%secret',
      INGEST_PORT: 'many',
      SYNC_ON_CREATE: 'maybe',
    });
    expect(await ingest.ended).toBe(1);
    for (const line of [
      'The configuration is wrong in 4 places:',
      'REDIS_URL: expected an address like redis://localhost:6379',
      'WEBHOOK_SECRET: expected whsec_ and base64, several separated by commas',
      'INGEST_PORT: expected a whole number from 0 to 65535, got "many"',
      'SYNC_ON_CREATE: expected true or false, got "maybe"',
    ]) {
      expect(ingest.errors()).toContain(line);
    }
    expect(ingest.errors()).not.toContain('secret');
  });

  it('of a worker: all wrong variables at once, exit 1', async () => {
    const worker = launchService('worker', {
      REDIS_URL: 'redis://127.0.0.1:1',
      MAGENTO_URL: 'shop',
      MAGENTO_CONSUMER_KEY: 'key',
      SKU_FIELD: 'colour',
      SOURCE_MAP: '{"default":3}',
      TIMEOUT: '-1',
      MAGENTO_ACCESS_TOKEN_FILE: '/nowhere',
      WORKER_PORT: '70000',
    });
    expect(await worker.ended).toBe(1);
    for (const name of [
      'INVENTREE_URL: is not set',
      'INVENTREE_TOKEN: is not set',
      'MAGENTO_URL: expected an address like https://shop.example, got "shop"',
      'MAGENTO_ACCESS_TOKEN_FILE: expected a readable file',
      'SKU_FIELD: expected name, IPN or parameter:<template name>',
      'SOURCE_MAP: expected JSON like',
      'TIMEOUT: expected a number of seconds',
      'WORKER_PORT: expected a whole number from 0 to 65535, got "70000"',
      'MAGENTO_CONSUMER_SECRET: is not set (OAuth 1.0a needs it beside the others)',
      'MAGENTO_ACCESS_TOKEN_SECRET: is not set (OAuth 1.0a needs it beside the others)',
    ]) {
      expect(worker.errors()).toContain(name);
    }
  });
});
