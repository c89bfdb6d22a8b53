import { stockActions, type FakeCall } from '@stock-sync/fakes';
import { startTcpProxy } from '@stock-sync/servers';
import { launchService, startSystem, type System } from '../src';
import { hasWaited, messages, redisServer, shown, until, widget } from './support';

let system: System | undefined;
afterEach(async () => {
  await system?.stop();
  system = undefined;
});

async function start(environment: Record<string, string> = {}) {
  system = await startSystem({ redisServer: redisServer(), environment: { SYNC_DELAY_MS: '30', ...environment } });
  return system;
}

describe('a wrong answer of InvenTree is an error, and never 0 in stock', () => {
  const strange: [string, (call: FakeCall) => unknown][] = [
    ['rows of another part', () => ({ count: 1, next: null, previous: null, results: [stockRow({ part: 4711 })] })],
    ['fewer rows than it counted', () => ({ count: 3, next: null, previous: null, results: [] })],
    ['a bare list instead of a page', () => []],
  ];
  it.each(strange)('%s', async (_, body) => {
    system = await startSystem({ redisServer: redisServer(), plugin: false, environment: { SYNC_DELAY_MS: '30' } });
    const item = widget(system);
    system.inventree.setFault(call =>
      call.path === '/api/stock/'
        ? { answer: { status: 200, headers: { 'content-type': 'application/json' }, body: body(call) } }
        : undefined,
    );
    stockActions.add(system.inventree.shop, item, 1);
    const running = system;
    await until(
      'it is an error',
      () => hasWaited(running, 'InvenTree') || messages(running).some(line => line.includes('attempt 1 of')),
    );
    expect(shown(running)).toBe(999);
  });

  it('a total of the plugin that is not the sum of its locations', async () => {
    const running = await start();
    const item = widget(running);
    const part = {
      pk: item.part,
      name: 'WIDGET-123',
      IPN: '',
      active: true,
      salable: true,
      virtual: false,
      is_template: false,
      in_stock: '0.00000',
      locations: [{ location: 1, in_stock: '5.00000', allocated: '0.00000' }],
    };
    running.inventree.setFault(call =>
      call.path.startsWith('/plugin/')
        ? {
            answer: {
              status: 200,
              headers: { 'content-type': 'application/json' },
              body: { parts: [part], missing: [] },
            },
          }
        : undefined,
    );
    stockActions.add(running.inventree.shop, item, 1);
    await until('it is logged', () => messages(running).some(line => line.includes('the sum of the locations')));
    expect(shown(running)).toBe(999);
  });
});

const stockRow = (row: object) => ({ pk: 1, quantity: 0, location: null, in_stock: true, allocated: 0, ...row });

describe('while Redis is unreachable', () => {
  it('ingest answers 503 with Retry-After, and recovers by itself', async () => {
    const server = new URL(redisServer());
    const proxy = await startTcpProxy(server.hostname, Number(server.port));
    const redisUrlFor = (url: string) => Object.assign(new URL(url), { port: String(proxy.port) }).toString();
    const running = await startSystem({ redisServer: redisServer(), redisUrlFor });
    system = running;
    const item = widget(running);
    proxy.cut();
    const post = () => running.send({ event: 'stock_stockitem.saved', part: item.part });
    await until('ingest noticed', async () => (await post()) === 503);
    expect((await fetch(`${running.ingest.operatorUrl}/readyz`)).status).toBe(503);
    expect((await fetch(`${running.ingest.operatorUrl}/healthz`)).status).toBe(200);
    proxy.restore();
    await until('ingest accepts again', async () => (await post()) === 202);
    await until('the store is right', () => shown(running) === 50);
    await running.stop();
    system = undefined;
    await proxy.close();
  });
});

describe('wrong settings', () => {
  it('of ingest are all listed, without secrets, and it exits with 1', async () => {
    const ingest = launchService('ingest', {
      REDIS_URL: 'http://x',
      WEBHOOK_SECRET: 'whsec_%%%secret',
      INGEST_PORT: 'many',
      SYNC_ON_CREATE: 'maybe',
    });
    expect(await ingest.ended).toBe(1);
    for (const line of [
      'Cannot start: 4 settings are wrong. Fix the settings; each line says what is expected.',
      'REDIS_URL: expected an address like redis://localhost:6379',
      'WEBHOOK_SECRET: expected whsec_ and base64; separate several secrets with commas',
      'INGEST_PORT: expected a whole number from 0 to 65535, got "many"',
      'SYNC_ON_CREATE: expected true or false, got "maybe"',
    ]) {
      expect(ingest.errors()).toContain(line);
    }
    expect(ingest.errors()).not.toContain('%%%');
  });

  it('of a worker are all listed, and it exits with 1', async () => {
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
      'SKU_FIELD: expected name, IPN, parameter:<template name>, or {IPN}-{revision}',
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
