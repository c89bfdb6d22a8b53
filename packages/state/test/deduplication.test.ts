import { setTimeout as sleep } from 'node:timers/promises';
import { reserveDatabase, type RedisDatabase } from '@stock-sync/end-to-end';
import { Queue, RateLimitError, Worker, type Job } from 'bullmq';
import {
  connectToRedis,
  keysFor,
  openJobQueues,
  QUEUES,
  type JobQueues,
  type RedisConnection,
  type SyncJob,
} from '../src';

/** What BullMQ does with the deduplication key, and with the next run, however a job ends. */

let database: RedisDatabase;
let queues: JobQueues;
let bull: Queue;
let workers: Worker[];
const prefix = keysFor('stock-sync').queuePrefix;
const connections: RedisConnection[] = [];

function connection() {
  const opened = connectToRedis(database.url, { whileUnreachable: { wait: true } });
  connections.push(opened);
  return opened;
}

beforeEach(async () => {
  database = await reserveDatabase(process.env.TEST_REDIS_URL ?? '');
  queues = openJobQueues(connection(), { eventDelayMs: 20 });
  bull = new Queue(QUEUES.parts, { connection: connection().redis, prefix });
  workers = [];
});
afterEach(async () => {
  await Promise.all(workers.map(worker => worker.close(true)));
  await Promise.all([queues.close(), bull.close()]);
  for (const { redis } of connections.splice(0)) redis.disconnect();
  await database.release();
});

const part = (event: string): SyncJob => ({ kind: 'part', part: 45, event, acceptedAt: Date.now() });

function work(run: (job: Job) => Promise<void>, more: object = {}): Worker {
  const worker = new Worker(QUEUES.parts, run, {
    connection: connection().redis,
    prefix,
    settings: { backoffStrategy: () => 100 },
    concurrency: 5,
    limiter: { max: 1_000_000, duration: 1_000 },
    ...more,
  });
  worker.on('error', () => undefined);
  workers.push(worker);
  return worker;
}

function remember(ran: string[], job: Job): Promise<void> {
  ran.push((job.data as SyncJob).event);
  return Promise.resolve();
}

async function quiet(): Promise<void> {
  for (;;) {
    const counts = await bull.getJobCounts('waiting', 'active', 'delayed');
    if (Object.values(counts).every(count => count === 0)) return;
    await sleep(10);
  }
}

describe('an event', () => {
  it('merges into a delayed job, whose delay counts from the first event', async () => {
    const ran: string[] = [];
    for (const event of ['first', 'second', 'third']) await queues.enqueue([part(event)]);
    work(job => remember(ran, job));
    await quiet();
    expect(ran).toEqual(['first']);
  });

  it('during a run causes one more run, however many events come', async () => {
    const ran: string[] = [];
    let running = 0;
    let most = 0;
    work(async job => {
      most = Math.max(most, ++running);
      ran.push((job.data as SyncJob).event);
      await sleep(150);
      running--;
    });
    await queues.enqueue([part('first')]);
    await sleep(100);
    for (const event of ['second', 'third']) await queues.enqueue([part(event)]);
    await quiet();
    expect([ran, most]).toEqual([['first', 'third'], 1]);
  });

  it.each<[string, (job: Job) => Error]>([
    ['fails and is tried again', () => new Error('no')],
    ['returns because its queue is paused', () => new RateLimitError()],
  ])('during a run that %s is not lost: a run starts after it', async (_, failure) => {
    const began: { event: string; at: number }[] = [];
    work(async job => {
      began.push({ event: (job.data as SyncJob).event, at: Date.now() });
      await sleep(120);
      if (began.length === 1) {
        const error = failure(job);
        if (error instanceof RateLimitError) await queues.pause(QUEUES.parts, 50);
        throw error;
      }
    });
    await queues.enqueue([part('first')]);
    await sleep(80);
    const acceptedAt = Date.now();
    await queues.enqueue([part('second')]);
    await quiet();
    expect(began.some(({ at }) => at >= acceptedAt)).toBe(true);
  });

  it('for a job that waits for its next attempt starts that attempt at once', async () => {
    const began: number[] = [];
    work(async job => {
      began.push(Date.now());
      if (began.length > 1) return;
      await queues.backsOff(job.data as SyncJob);
      throw new Error('no');
    });
    const options = { deduplication: { id: 'part:45', keepLastIfActive: true }, attempts: 3, backoff: 30_000 };
    await bull.add('part', part('first'), options);
    while ((await bull.getDelayedCount()) === 0) await sleep(5);
    await queues.enqueue([part('second')]);
    await quiet();
    expect(began).toHaveLength(2);
  });

  it('during the last run of a job that fails for good causes one more run', async () => {
    const ran: string[] = [];
    work(async job => {
      ran.push((job.data as SyncJob).event);
      await sleep(80);
      if ((job.data as SyncJob).event === 'first') throw new Error('no');
    });
    await bull.add('part', part('first'), { deduplication: { id: 'part:45', keepLastIfActive: true }, attempts: 1 });
    await sleep(50);
    await queues.enqueue([part('second')]);
    await quiet();
    expect(ran).toEqual(['first', 'second']);
  });

  it('after an operator removed the job, or obliterated the queue, creates a new job', async () => {
    await queues.enqueue([part('removed')]);
    const [job] = await bull.getJobs(['delayed']);
    await job?.remove();
    await queues.enqueue([part('again')]);
    expect((await bull.getJobs(['delayed'])).map(j => (j.data as SyncJob).event)).toEqual(['again']);
    await bull.obliterate({ force: true });
    await queues.enqueue([part('and again')]);
    expect((await bull.getJobs(['delayed'])).map(j => (j.data as SyncJob).event)).toEqual(['and again']);
  });

  it('after the job vanished (an outage of Redis) creates a new job', async () => {
    await queues.enqueue([part('vanished')]);
    const [job] = await bull.getJobs(['delayed']);
    await database.redis.del(bull.toKey(job?.id ?? ''), bull.toKey('delayed'));
    await queues.enqueue([part('again')]);
    expect((await bull.getJobs(['delayed'])).map(j => (j.data as SyncJob).event)).toEqual(['again']);
  });

  it('during a run whose worker dies is not lost: another worker takes over, and one more run follows', async () => {
    const ran: string[] = [];
    const dying = work(() => sleep(60_000, undefined, { ref: false }), {
      lockDuration: 300,
      lockRenewTime: 60_000,
      skipStalledCheck: true,
    });
    await queues.enqueue([part('first')]);
    await sleep(100);
    await queues.enqueue([part('second')]);
    void dying.close(true);
    work(job => remember(ran, job), { stalledInterval: 100, maxStalledCount: 10 });
    await quiet();
    expect(ran).toEqual(['first', 'second']);
  });
});

describe('jobs that are enqueued together', () => {
  /** Queues that record everything that they send to Redis. */
  async function watchedQueues(eventDelayMs: number) {
    const sent: string[] = [];
    const opened = connection();
    const { redis } = opened;
    const other = openJobQueues(opened, { eventDelayMs, failFast: true });
    await redis.ping();
    await other.enqueue([part('warm up')]);
    const stream = redis.stream as NodeJS.WritableStream & { write: (data: string | Buffer) => boolean };
    const write = stream.write.bind(stream);
    stream.write = data => {
      sent.push(data.toString());
      return write(data);
    };
    return { sent, other };
  }

  it('go in one round trip, each part once', async () => {
    const { sent, other } = await watchedQueues(60_000);
    const jobs = Array.from({ length: 1_000 }, (_, n): SyncJob => ({
      kind: 'part',
      part: 1 + (n % 50),
      event: 'x',
      acceptedAt: 0,
    }));
    await Promise.all([other.enqueue(jobs.slice(0, 500)), other.enqueue(jobs.slice(500))]);
    expect(await bull.getDelayedCount()).toBe(50);
    // Besides, one question: which of them wait for their next attempt.
    expect(sent.filter(command => !/smismember/i.test(command))).toHaveLength(1);
    expect(sent.length).toBeLessThanOrEqual(2);
    await other.close();
  });

  it('wake Redis when they are due, so that they are not late on a quiet server', async () => {
    const { sent, other } = await watchedQueues(100);
    // Under load, several go in one write.
    const pings = () => sent.join('').match(/\r\nping\r\n/gi)?.length ?? 0;
    while (pings() < 5) await sleep(5);
    await sleep(50);
    expect(pings()).toBe(5);
    const enqueuedAt = Date.now();
    await Promise.all([other.enqueue([part('x')]), other.enqueue([part('x')])]);
    await sleep(20);
    await other.enqueue([part('x')]);
    while (pings() < 6) await sleep(5);
    expect(Date.now() - enqueuedAt).toBeGreaterThanOrEqual(100);
    while (pings() < 15) await sleep(5);
    await sleep(150);
    expect(pings()).toBe(15);
    await other.close();
  });
});
