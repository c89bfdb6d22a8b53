import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stockActions } from '@stock-sync/fakes';
import { Redis } from 'ioredis';
import { startService, startSystem, TEST_SECRET, type System } from '../src';
import { isWrite, jsonError, messages, redisServer, shown, until, widget } from './support';

let system: System | undefined;
const ends: (() => unknown)[] = [];
afterEach(async () => {
  await system?.stop();
  system = undefined;
  for (const end of ends.splice(0).reverse()) await end();
});

/** The patterns and bounds in docs/redis.md. */
function documentedKeys(): { pattern: RegExp; bound: string }[] {
  const document = readFileSync(join(__dirname, '..', '..', '..', '..', 'docs', 'redis.md'), 'utf8');
  return [...document.matchAll(/^\| `\{stock-sync\}:([^`]+)` +\|[^|]+\|[^|]+\| ([^|]+?) +\|$/gm)].map(
    ([, key = '', bound = '']) => ({ pattern: new RegExp(`^${key.replace(/<\w+>|\*/g, '.+')}$`), bound }),
  );
}

/** A shop in which a lot happens: parts in sync, a dead letter, an outage, sweep, reconcile, a heartbeat. */
async function eventfulShop(environment: Record<string, string> = {}): Promise<System> {
  const running = await startSystem({
    redisServer: redisServer(),
    environment: {
      SYNC_DELAY_MS: '30',
      MAX_ATTEMPTS: '2',
      SWEEP_INTERVAL_SECONDS: '1',
      RECONCILE_INTERVAL_MINUTES: '30',
      ...environment,
    },
  });
  system = running;
  const [good, bad] = [widget(running, 'GOOD'), widget(running, 'BAD')];
  running.magento.setFault(call =>
    isWrite(call) && JSON.stringify(call.body).includes('BAD') ? jsonError(400, 'no') : undefined,
  );
  stockActions.add(running.inventree.shop, good, 1);
  stockActions.add(running.inventree.shop, bad, 1);
  const beat = { event: 'stock_sync.heartbeat', plugin: '0.1.0', inventree: '1.4.0', queue: true };
  await running.send(beat);
  await running.send({ event: 'stock_stockitem.saved', model: 'StockItem', id: good.pk });
  await until('the part is in sync', () => shown(running, 'GOOD') === 51);
  await until(
    'the other part is dead-lettered',
    () => messages(running).some(line => line.includes('Dead letter: part')),
    15_000,
    () => messages(running),
  );
  return running;
}

it('every key is in docs/redis.md, and expires where the docs say so', async () => {
  const running = await eventfulShop();
  running.magento.setMaintenance(true);
  await running.send({ event: 'stock_stockitem.saved', part: 1 });
  await until(
    'a breaker is open',
    async () => (await running.database.redis.keys('*breaker*')).length > 0,
    10_000,
    () => messages(running),
  );
  const documented = documentedKeys();
  expect(documented.length).toBeGreaterThan(15);
  const { redis } = running.database;
  const keys = (await redis.keys('*')).filter(key => key !== 'test:reserved');
  expect(keys.filter(key => !key.startsWith('{stock-sync}:'))).toEqual([]);
  const problems: string[] = [];
  for (const key of keys) {
    const row = documented.find(({ pattern }) => pattern.test(key.slice('{stock-sync}:'.length)));
    if (!row) problems.push(`${key} is not documented`);
    const mustExpire = row && /^\d+ (s\b|days?|hours?|minutes?)/.test(row.bound);
    if (mustExpire && (await redis.ttl(key)) < 0 && (await redis.exists(key)) === 1)
      problems.push(`${key} never expires`);
  }
  expect(problems).toEqual([]);
  running.magento.setMaintenance(false);
});

it('two shops with prefixes of their own share one Redis', async () => {
  const first = await eventfulShop();
  const second = await startSystem({ redisServer: redisServer(), workers: 0, sends: 'none' });
  ends.push(() => second.stop());
  // The second shop, in the database of the first.
  const environment = {
    ...second.environment,
    REDIS_URL: first.environment.REDIS_URL ?? '',
    REDIS_PREFIX: 'other-shop',
    WEBHOOK_SECRET: TEST_SECRET,
  };
  const ingest = await startService('ingest', environment);
  const worker = await startService('worker', environment);
  ends.push(
    () => ingest.stop(),
    () => worker.stop(),
  );
  second.inventree.sendTo({ url: ingest.url, secret: TEST_SECRET, sends: 'plugin' });
  const item = widget(second, 'GOOD');
  stockActions.add(second.inventree.shop, item, 5);
  await until('the second shop is in sync', () => shown(second, 'GOOD') === 55);
  expect(shown(first, 'GOOD')).toBe(51);
  const keys = await first.database.redis.keys('*');
  expect(keys.filter(key => !/^(\{stock-sync\}|\{other-shop\}|test):/.test(key))).toEqual([]);
});

it('works on a Redis Cluster, where all keys of a command must be in one slot', async () => {
  const url = await startClusterNode();
  const running = await startSystem({
    redisServer: redisServer(),
    redisUrlFor: () => url,
    environment: {
      REDIS_CLUSTER: 'true',
      SYNC_DELAY_MS: '30',
      SWEEP_INTERVAL_SECONDS: '1',
      RECONCILE_INTERVAL_MINUTES: '30',
    },
  });
  system = running;
  const item = widget(running);
  stockActions.add(running.inventree.shop, item, 30);
  await until(
    'the part is in sync',
    () => shown(running) === 80,
    15_000,
    () => messages(running),
  );
  running.magento.setMaintenance(true);
  stockActions.add(running.inventree.shop, item, 1);
  await until('work waits', () => messages(running).some(line => line.includes('Work waits')));
  running.magento.setMaintenance(false);
  await until(
    'the part is in sync again',
    () => shown(running) === 81,
    20_000,
    () => messages(running),
  );
  expect(messages(running).filter(line => /CROSSSLOT|MOVED/.test(line))).toEqual([]);
});

/** A cluster of one node that has all slots: it refuses commands whose keys are in several slots. */
async function startClusterNode(): Promise<string> {
  const port = await new Promise<number>(resolve => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port: free } = server.address() as AddressInfo;
      server.close(() => resolve(free));
    });
  });
  const folder = mkdtempSync(join(tmpdir(), 'stock-sync-cluster-'));
  const settings = [
    '--port',
    String(port),
    '--bind',
    '127.0.0.1',
    '--dir',
    folder,
    '--cluster-announce-ip',
    '127.0.0.1',
    '--cluster-enabled',
    'yes',
    '--save',
    '',
  ];
  // Ports above 55535 have no room for the cluster bus at its usual distance.
  const node: ChildProcess = spawn(
    process.env.REDIS_PROGRAM ?? 'redis-server',
    [...settings, '--cluster-port', String(port > 40_000 ? port - 20_000 : port + 10_000)],
    { stdio: 'ignore' },
  );
  ends.push(() => {
    node.kill('SIGKILL');
    rmSync(folder, { recursive: true, force: true });
  });
  const redis = new Redis(port, '127.0.0.1', { retryStrategy: () => 50 });
  redis.on('error', () => undefined);
  await redis.ping();
  await redis.call('CLUSTER', 'ADDSLOTSRANGE', '0', '16383');
  await until('the cluster is up', async () =>
    String(await redis.call('CLUSTER', 'INFO')).includes('cluster_state:ok'),
  );
  redis.disconnect();
  return `redis://127.0.0.1:${port}`;
}
