import { setTimeout as sleep } from 'node:timers/promises';
import { queueKey } from '@stock-sync/end-to-end';
import { reserveDatabase, type RedisDatabase } from '@stock-sync/servers';
import { createLog } from '@stock-sync/service';
import { connectToRedis, openJobQueues, QUEUES, type JobQueues, type RedisConnection } from '@stock-sync/state';
import { startJobWorker, startJobWorkers } from '../src/job-workers';

const JOBS = 300;
const MOST = 200;
const log = createLog({ service: 'test', level: 'error', format: 'text' });

let database: RedisDatabase;
let connection: RedisConnection;
let queues: JobQueues;

beforeEach(async () => {
  database = await reserveDatabase(process.env.TEST_REDIS_URL ?? '');
  connection = connectToRedis(database.url, { whileUnreachable: { wait: true } });
  queues = openJobQueues(connection);
});
/** @param alone whether each gets a job of its own */
const enqueueParts = (alone: boolean) =>
  queues.enqueue(Array.from({ length: JOBS }, (_, part) => ({ kind: 'part', part, event: 'test', alone })));
afterEach(async () => {
  await queues.close();
  connection.redis.disconnect();
  await database.release();
});

describe('the workers of BullMQ in one process', () => {
  it('start the first jobs before they have fetched all that they may run, and later run so many', async () => {
    await enqueueParts(true);
    let [running, most, done] = [0, 0, 0];
    let fetchedAtFirst: Promise<number> | undefined;
    const mayEnd = (async () => {
      while (most < MOST) await sleep(20);
      // So long, one more than allowed could start.
      await sleep(200);
    })();
    const workers = startJobWorkers(
      QUEUES.parts,
      async () => {
        fetchedAtFirst ??= database.redis.llen(queueKey('parts', 'active'));
        most = Math.max(most, ++running);
        await mayEnd;
        running--;
        done++;
      },
      MOST,
      connection,
      log,
    );
    while (done < JOBS) await sleep(20);
    expect(await fetchedAtFirst).toBeLessThan(100);
    expect(most).toBe(MOST);
    await Promise.all(workers.map(worker => worker.close()));
  });

  it('run no more than one job where no more is allowed', async () => {
    await enqueueParts(true);
    let [running, most, done] = [0, 0, 0];
    const workers = startJobWorkers(
      QUEUES.parts,
      async () => {
        most = Math.max(most, ++running);
        await sleep(1);
        running--;
        done++;
      },
      1,
      connection,
      log,
    );
    while (done < 50) await sleep(20);
    expect(most).toBe(1);
    await Promise.all(workers.map(worker => worker.close()));
  });

  it('count the parts of a job, and leave to other workers what is more than they may run', async () => {
    await enqueueParts(false);
    let [running, most, done] = [0, 0, 0];
    const workers = startJobWorkers(
      QUEUES.parts,
      async ({ data }) => {
        const { parts } = data as { parts: unknown[] };
        running += parts.length;
        most = Math.max(most, running);
        await sleep(300);
        running -= parts.length;
        done += parts.length;
      },
      50,
      connection,
      log,
    );
    while (done < JOBS) await sleep(20);
    expect(most).toBe(50);
    await Promise.all(workers.map(worker => worker.close()));
  });

  it('start what is due where a job has failed meanwhile', async () => {
    const starts: number[] = [];
    let attempts = 0;
    const worker = startJobWorker(
      QUEUES.lookups,
      async ({ data }) => {
        const { kind } = data as { kind: string };
        if (kind === 'find-orders') return void starts.push(Date.now());
        attempts++;
        await sleep(700);
        throw new Error('it fails');
      },
      10,
      connection,
      log,
    );
    await queues.schedule('find-orders', 1);
    for (let order = 1; order <= 5; order++) {
      await queues.enqueue([{ kind: 'order', order, incrementId: String(order), event: 'test' }]);
      while (attempts < 2 * order) await sleep(20);
      await sleep(800);
    }
    const pauses = starts.slice(1).map((at, index) => at - (starts[index] ?? at));
    expect(Math.max(...pauses)).toBeLessThan(3_500);
    await worker.close();
  });
});
