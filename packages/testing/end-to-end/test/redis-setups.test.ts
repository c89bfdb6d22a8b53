import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startInvenTree, startMagento, postWebhook, type FakeInvenTree, type FakeMagento } from '@stock-sync/fakes';
import { Redis } from 'ioredis';
import { keptPort } from '@stock-sync/servers';
import { settingsFor, startService, TEST_SECRET, type ServiceProcess } from '../src';
import { until } from './support';

/** Redis as shops set it up: with TLS and a user of its own, with Sentinels, as a Cluster. All on real servers. */

const TLS = join(__dirname, '../../../http-client/test/tls');
const PROGRAM = process.env.REDIS_PROGRAM ?? 'redis-server';

const ends: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

/** Starts a Redis server with these lines of configuration. */
function startServer(lines: readonly string[], ...more: string[]): ChildProcess {
  const folder = mkdtempSync(join(tmpdir(), 'stock-sync-redis-setup-'));
  const file = join(folder, 'redis.conf');
  writeFileSync(file, ['bind 127.0.0.1', `dir ${folder}`, 'save ""', 'protected-mode no', ...lines, ''].join('\n'));
  const server = spawn(PROGRAM, [file, ...more], { stdio: 'ignore' });
  ends.push(() => {
    server.kill('SIGKILL');
    rmSync(folder, { recursive: true, force: true });
  });
  return server;
}

interface Shop {
  inventree: FakeInvenTree;
  magento: FakeMagento;
  ingest: ServiceProcess;
  /** Has a part counted, and waits until the store shows it. */
  count(quantity: number): Promise<void>;
}

/** Ingest and a worker on this Redis, between a fake InvenTree and a fake Magento, with one part. */
async function startShop(redis: Record<string, string>): Promise<Shop> {
  const inventree = await startInvenTree({ plugin: true });
  const magento = await startMagento({});
  const environment = {
    ...redis,
    ...settingsFor(inventree, magento),
    SYNC_DELAY_MS: '10',
  };
  const ingest = await startService('ingest', environment);
  const worker = await startService('worker', environment);
  ends.push(async () => {
    await Promise.all([ingest.stop(), worker.stop()]);
    await Promise.all([inventree.close(), magento.close()]);
  });
  const part = inventree.shop.addPart({ name: 'WIDGET-123' });
  magento.store.addProduct('WIDGET-123', { quantity: 999 });
  const item = inventree.shop.insertItem({ part: part.pk, quantity: 0 });
  let sent = 0;
  return {
    inventree,
    magento,
    ingest,
    async count(quantity) {
      item.quantity = quantity;
      const body = JSON.stringify({ event: 'stockitem.counted', part: part.pk });
      const target = { url: ingest.url, secret: TEST_SECRET };
      const id = `msg_${++sent}`;
      await until('ingest accepts the event', async () => (await postWebhook(target, body, id)) === 202, 30_000);
      await until('the store is right', () => magento.store.shown('WIDGET-123')?.quantity === quantity, 30_000);
    },
  };
}

it('works with TLS, as a user who may use the keys of this shop alone', async () => {
  const port = await keptPort();
  startServer([
    'port 0',
    `tls-port ${port}`,
    `tls-cert-file ${join(TLS, 'certificate.pem')}`,
    `tls-key-file ${join(TLS, 'key.pem')}`,
    `tls-ca-cert-file ${join(TLS, 'certificate.pem')}`,
    'tls-auth-clients no',
    'appendonly yes',
    'maxmemory-policy noeviction',
    'user default off',
    // As in docs/redis.md.
    'user stock-sync on >a-password ~{stock-sync}:* &{stock-sync}:* +@all -@admin -@dangerous +info +config|get',
  ]);
  const shop = await startShop({
    REDIS_URL: `rediss://stock-sync:a-password@localhost:${port}`,
    NODE_EXTRA_CA_CERTS: join(TLS, 'certificate.pem'),
  });
  await shop.count(50);
  await shop.count(30);
  const refused = shop.ingest.log.filter(({ message }) => message.includes('NOPERM'));
  expect(refused).toEqual([]);
});

it('follows the Sentinels to another server when the primary one dies', async () => {
  const [first, second, watcher] = [await keptPort(), await keptPort(), await keptPort()];
  const settings = ['appendonly yes', 'maxmemory-policy noeviction'];
  const primary = startServer([`port ${first}`, ...settings]);
  startServer([`port ${second}`, `replicaof 127.0.0.1 ${first}`, ...settings]);
  startServer(
    [
      `port ${watcher}`,
      `sentinel monitor mymaster 127.0.0.1 ${first} 1`,
      'sentinel down-after-milliseconds mymaster 1000',
      'sentinel failover-timeout mymaster 5000',
    ],
    '--sentinel',
  );
  const asked = new Redis({ port: watcher, maxRetriesPerRequest: null });
  ends.push(() => asked.disconnect());
  const replicas = async () => (await asked.call('SENTINEL', 'replicas', 'mymaster')) as unknown[];
  await until('the Sentinel knows both servers', async () => (await replicas()).length === 1, 30_000);

  const shop = await startShop({ REDIS_URL: `redis://127.0.0.1:${watcher}?sentinel=mymaster` });
  await shop.count(50);
  primary.kill('SIGKILL');
  await shop.count(30);
  expect(await asked.call('SENTINEL', 'get-master-addr-by-name', 'mymaster')).toEqual(['127.0.0.1', String(second)]);
});

it('follows a Cluster of three nodes to the replica when the node with our keys dies', async () => {
  const nodes = await Promise.all([1, 2, 3, 4].map(() => startClusterNode()));
  const [first, , , replica] = nodes;
  if (!first || !replica) throw new Error('expected four nodes');
  for (const { port, bus } of nodes) {
    await first.redis.call('CLUSTER', 'MEET', '127.0.0.1', port, bus);
  }
  const SLOTS = 16_384;
  const owners = nodes.slice(0, 3);
  const bounds = owners.map((_, n) => Math.floor((SLOTS * n) / 3));
  for (const [n, { redis }] of owners.entries()) {
    await redis.call('CLUSTER', 'ADDSLOTSRANGE', bounds[n] ?? 0, (bounds[n + 1] ?? SLOTS) - 1);
  }
  const slot = Number(await first.redis.call('CLUSTER', 'KEYSLOT', '{stock-sync}:'));
  const owner = owners.findLast((_, n) => (bounds[n] ?? 0) <= slot);
  const other = owners.find(node => node !== owner);
  if (!owner || !other) throw new Error('expected an owner of the slot');
  await until('all nodes know each other', async () => {
    const infos = await Promise.all(nodes.map(({ redis }) => redis.call('CLUSTER', 'INFO')));
    return infos.every(info => /cluster_state:ok[^]*cluster_known_nodes:4/.test(String(info)));
  });
  await replica.redis.call('CLUSTER', 'REPLICATE', String(await owner.redis.call('CLUSTER', 'MYID')));
  const roleOf = async ({ redis }: ClusterNode) => (await redis.info('replication')).split('\r\n');
  await until('the replica has everything', async () => (await roleOf(replica)).includes('master_link_status:up'));

  const shop = await startShop({ REDIS_URL: `redis://127.0.0.1:${other.port}`, REDIS_CLUSTER: 'true' });
  await shop.count(50);
  owner.server.kill('SIGKILL');
  await shop.count(30);
  expect(await roleOf(replica)).toContain('role:master');
}, 90_000);

interface ClusterNode {
  server: ChildProcess;
  redis: Redis;
  port: number;
  bus: number;
}

/** An empty node, which waits to be told of the others. */
async function startClusterNode(): Promise<ClusterNode> {
  const [port, bus] = [await keptPort(), await keptPort()];
  const server = startServer([
    `port ${port}`,
    `cluster-port ${bus}`,
    'cluster-enabled yes',
    'cluster-announce-ip 127.0.0.1',
    'cluster-node-timeout 1000',
    'appendonly yes',
    'maxmemory-policy noeviction',
  ]);
  const redis = new Redis({ port, maxRetriesPerRequest: null });
  redis.on('error', () => undefined);
  ends.push(() => redis.disconnect());
  await redis.ping();
  return { server, redis, port, bus };
}
