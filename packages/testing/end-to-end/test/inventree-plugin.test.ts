import { setTimeout as sleep } from 'node:timers/promises';
import { startMagento, type FakeMagento } from '@stock-sync/fakes';
import { createInvenTreeClient, type InvenTreeClient } from '@stock-sync/inventree-client';
import { reserveDatabase, startTcpProxy, type RedisDatabase, type TcpProxy } from '@stock-sync/servers';
import { queueKey, startPlugin, startService, TEST_SECRET, type PluginProcess, type ServiceProcess } from '../src';
import { redisServer, until } from './support';

/**
 * How often InvenTree's background worker polls its queue, in milliseconds (docs/facts/inventree.md, "What a plugin can
 * do").
 */
const POLL_MS = 1_500;

/** The real plugin, in Python, against the real ingest and our client for its reads. */
describe.each(['0.17', '1.4'] as const)('the plugin in an InvenTree like %s', like => {
  let database: RedisDatabase;
  let ingest: ServiceProcess;
  let wayToIngest: TcpProxy;
  let plugin: PluginProcess;

  beforeAll(async () => {
    database = await reserveDatabase(redisServer());
    ingest = await startService('ingest', {
      REDIS_URL: database.url,
      WEBHOOK_SECRET: TEST_SECRET,
      SYNC_DELAY_MS: '60000',
    });
    plugin = await startPlugin(process.env.PYTHON_PATH ?? 'python3', like);
    const { hostname, port } = new URL(ingest.url);
    wayToIngest = await startTcpProxy(hostname, Number(port));
    const url = `http://${hostname}:${wayToIngest.port}`;
    await plugin.play({ do: 'configure', INGEST_URL: url, WEBHOOK_SECRET: TEST_SECRET });
  });
  afterAll(async () => {
    await plugin.stop();
    await wayToIngest.close();
    await ingest.stop();
    await database.release();
  });

  async function enqueuedParts(): Promise<number[]> {
    const ids = await database.redis.zrange(queueKey('parts', 'delayed'), '0', '-1');
    const data = await Promise.all(ids.map(id => database.redis.hget(queueKey('parts', id), 'data')));
    return data.map(text => (JSON.parse(text ?? '{}') as { part: number }).part);
  }

  async function metric(name: string): Promise<number> {
    const text = await (await fetch(`${ingest.operatorUrl}/metrics`)).text();
    const line = text.split('\n').find(found => found.startsWith(name));
    return Number(line?.split(' ').at(-1) ?? 0);
  }

  it('sends a change at once, and again with the same id, which is a duplicate', async () => {
    const part = await plugin.play({ do: 'create', name: 'WIDGET-123', quantities: [50, 30] });
    await until('the part is enqueued', async () => (await enqueuedParts()).includes(part as number));
    await until('the webhook is answered', async () => (await metric('stock_sync_webhooks_total{answer="202"}')) === 1);
    // The plugin counts a webhook as sent once it has the answer, and reports that with its next webhook.
    await new Promise(resolve => setTimeout(resolve, 300));
    expect(await plugin.play({ do: 'work' })).toEqual([]);
    expect(await metric('stock_sync_webhooks_total{answer="duplicate"}')).toBe(1);
    expect(await metric('stock_sync_plugin_total{counter="transactions"}')).toBe(1);
    expect(await metric('stock_sync_plugin_total{counter="sent_at_once"}')).toBe(1);
  });

  it('keeps a change in the queue of InvenTree while ingest is unreachable', async () => {
    const part = await plugin.play({ do: 'create', name: 'SECOND', quantities: [1] });
    await plugin.play({ do: 'work' });
    await until('the part is enqueued', async () => (await enqueuedParts()).includes(part as number));
    wayToIngest.cut();
    await database.empty();
    await plugin.play({ do: 'count', part, quantity: 7 });
    expect(await plugin.play({ do: 'work' })).toEqual([expect.stringContaining('does not answer')]);
    expect(await enqueuedParts()).toEqual([]);

    wayToIngest.restore();
    expect(await plugin.play({ do: 'work' })).toEqual([]);
    expect(await enqueuedParts()).toEqual([part]);
  });

  it('sends a heartbeat, which appears in the status', async () => {
    await plugin.play({ do: 'heartbeat' });
    const status = (await (await fetch(`${ingest.operatorUrl}/status`)).json()) as { bridge: object };
    expect(status.bridge).toMatchObject({ state: 'alive', inventree: `${like}.0`, inventreeQueue: true });
  });

  describe('answers the reads of our client', () => {
    let client: InvenTreeClient;
    beforeAll(() => {
      client = createInvenTreeClient({
        baseUrl: plugin.url,
        token: plugin.token,
        timeoutMs: 5_000,
        verifyTls: true,
      });
    });
    afterAll(() => client.close());

    it('with the stock of parts by location, and with what is allocated', async () => {
      const part = (await plugin.play({ do: 'create', name: 'THIRD', quantities: [2.5, 4] })) as number;
      await plugin.play({ do: 'allocate', part, quantity: 1.25 });
      const found = await client.readParts([part, 999_999]);
      expect([...found.keys()]).toEqual([part]);
      const read = found.get(part);
      expect(read).toMatchObject({ pk: part, name: 'THIRD', IPN: 'I-THIRD', active: true, virtual: false });
      if (!read) throw new Error('the part is not readable');
      expect(read.stock.map(at => [at.location === null, at.inStock, at.allocated]).sort()).toEqual([
        [false, '4.00000', '0.00000'],
        [true, '2.50000', '1.25000'],
      ]);
    });

    it('with all parts in the order of their ids', async () => {
      const walked: number[] = [];
      for await (const page of client.walkStock()) walked.push(...page.parts.map(part => part.pk));
      expect(walked.length).toBeGreaterThanOrEqual(3);
      expect(walked).toEqual([...walked].sort((a, b) => a - b));
    });
  });
});

describe('with the real plugin, from InvenTree to Magento', () => {
  let database: RedisDatabase;
  let magento: FakeMagento;
  let plugin: PluginProcess;
  let services: ServiceProcess[];
  const shown = (sku: string) => magento.store.shown(sku);

  beforeAll(async () => {
    database = await reserveDatabase(redisServer());
    magento = await startMagento({});
    plugin = await startPlugin(process.env.PYTHON_PATH ?? 'python3', '1.4');
  });
  afterAll(async () => {
    await plugin.stop();
    await Promise.all(services.map(service => service.stop()));
    await magento.close();
    await database.release();
  });

  /** Waits for a quantity in the store, while InvenTree's background worker polls as often as the real one. */
  async function untilShown(what: string, quantity: number): Promise<void> {
    let nextPoll = Date.now() + POLL_MS;
    const isShown = async () => {
      if (Date.now() > nextPoll) {
        await plugin.play({ do: 'work' });
        nextPoll = Date.now() + POLL_MS;
      }
      return shown('WIDGET-123')?.quantity === quantity;
    };
    const log = () => services.flatMap(service => service.log.map(line => `${String(line.timestamp)} ${line.message}`));
    await until(what, isShown, 20_000, log);
  }

  it('a first sweep syncs the shop, and then every change is synced', async () => {
    for (const sku of ['WIDGET-123', 'SECOND']) magento.store.addProduct(sku, { quantity: 999 });
    const part = await plugin.play({ do: 'create', name: 'WIDGET-123', quantities: [50, 30] });
    const { accessToken, consumerKey, consumerSecret, accessTokenSecret } = magento.integration;
    const environment = {
      REDIS_URL: database.url,
      WEBHOOK_SECRET: TEST_SECRET,
      INVENTREE_URL: plugin.url,
      INVENTREE_TOKEN: plugin.token,
      MAGENTO_URL: magento.url,
      MAGENTO_ACCESS_TOKEN: accessToken,
      MAGENTO_CONSUMER_KEY: consumerKey,
      MAGENTO_CONSUMER_SECRET: consumerSecret,
      MAGENTO_ACCESS_TOKEN_SECRET: accessTokenSecret,
      ENABLE_SYNC: 'true',
      // Only at start-up: the plugin must report all later changes.
      SWEEP_INTERVAL_SECONDS: '3600',
    };
    services = [await startService('ingest', environment), await startService('worker', environment)];
    await untilShown('the first sweep', 80);

    await plugin.play({ do: 'configure', INGEST_URL: services[0]?.url, WEBHOOK_SECRET: TEST_SECRET });
    await sleep(1_100);
    await plugin.play({ do: 'count', part, quantity: 20 });
    await untilShown('a count', 50);
    await plugin.play({ do: 'count', part, quantity: 0 });
    await untilShown('an item is gone', 30);
    await plugin.play({ do: 'count', part, quantity: 0 });
    await untilShown('sold out', 0);
    expect(shown('WIDGET-123')).toEqual({ quantity: 0, inStock: false });
    expect(await plugin.play({ do: 'work' })).toEqual([]);
  });
});
