import { reserveDatabase, startTcpProxy, type RedisDatabase, type TcpProxy } from '@stock-sync/servers';
import { Queue } from 'bullmq';
import { connectToRedis, openJobQueues, parseJob, QUEUES, type RedisConnection, type SyncJob } from '../src';

let database: RedisDatabase;
let proxy: TcpProxy;
let connection: RedisConnection;

beforeEach(async () => {
  database = await reserveDatabase(process.env.TEST_REDIS_URL ?? '');
  const { hostname, port, pathname } = new URL(database.url);
  proxy = await startTcpProxy(hostname, Number(port));
  connection = connectToRedis(`redis://127.0.0.1:${proxy.port}${pathname}`, {
    whileUnreachable: { fail: true, afterMs: 2_000 },
  });
});
afterEach(async () => {
  connection.redis.disconnect();
  await proxy.close();
  await database.release();
});

const isReady = () => new Promise<void>(resolve => connection.redis.once('ready', () => resolve()));

it('work again after the connection broke while a queue was opened', async () => {
  await isReady();
  const queues = openJobQueues(connection, { failFast: true });
  const job: SyncJob = { kind: 'part', part: 45, event: 'test', acceptedAt: Date.now() };

  const first = queues.enqueue([job]);
  // The queue is opened in the next turn of the event loop; this comes right after its first command was sent.
  setImmediate(() => proxy.cut());
  await expect(first).rejects.toThrow();
  const isReadyAgain = isReady();
  proxy.restore();
  await isReadyAgain;

  await queues.enqueue([job]);
  expect(await connection.redis.llen(`${connection.keys.queuePrefix}:parts:wait`)).toBe(1);
});

it('say which parts changed together with others, because calls that are shared wait for these', async () => {
  await isReady();
  const queues = openJobQueues(connection);
  const part = (id: number): SyncJob => ({ kind: 'part', part: id, event: 'test', acceptedAt: Date.now() });
  await queues.enqueue([part(45)]);
  await Promise.all([queues.enqueue([part(46)]), queues.enqueue([part(47)])]);

  const jobs = new Queue(QUEUES.parts, { connection: connection.redis, prefix: connection.keys.queuePrefix });
  const queued = (await jobs.getJobs(['waiting'])).map(({ data }) => parseJob(data));
  expect(queued).toEqual(
    expect.arrayContaining([
      expect.objectContaining({ part: 46, together: true }),
      expect.objectContaining({ part: 47, together: true }),
    ]),
  );
  expect(queued.find(job => job.kind === 'part' && job.part === 45)).not.toHaveProperty('together');
  await jobs.close();
});
