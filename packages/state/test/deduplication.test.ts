import { setTimeout as sleep } from 'node:timers/promises';
import { reserveDatabase, type RedisDatabase } from '@stock-sync/servers';
import { Queue, RateLimitError, UnrecoverableError, Worker, type Job } from 'bullmq';
import {
  connectToRedis,
  keysFor,
  openJobQueues,
  openPartClaims,
  parseJob,
  QUEUES,
  type JobOf,
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
    let mayEnd = false;
    let running = 0;
    let most = 0;
    work(async job => {
      most = Math.max(most, ++running);
      ran.push((job.data as SyncJob).event);
      while (!mayEnd) await sleep(5);
      running--;
    });
    await queues.enqueue([part('first')]);
    while (running === 0) await sleep(5);
    const { isAnyTold } = openPartClaims(connection());
    expect(await isAnyTold([{ part: 45 }])).toBe(false);
    for (const event of ['second', 'third']) await queues.enqueue([part(event)]);
    expect(await isAnyTold([{ part: 45 }])).toBe(true);
    mayEnd = true;
    await quiet();
    expect(await isAnyTold([{ part: 45 }])).toBe(false);
    expect([ran, most]).toEqual([['first', 'third'], 1]);
  });

  it.each<[string, (job: Job) => Error]>([
    ['fails and is tried again', () => new Error('no')],
    ['returns because its queue is paused', () => new RateLimitError()],
  ])('during a run that %s is not lost: a run starts after it', async (_, failure) => {
    let runs = 0;
    let mayEnd = false;
    work(async job => {
      runs++;
      while (!mayEnd) await sleep(5);
      if (runs === 1) {
        const error = failure(job);
        if (error instanceof RateLimitError) await queues.pause(QUEUES.parts, 50);
        throw error;
      }
    });
    await queues.enqueue([part('first')]);
    while (runs === 0) await sleep(5);
    await queues.enqueue([part('second')]);
    mayEnd = true;
    await quiet();
    expect(runs).toBeGreaterThan(1);
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
    let mayEnd = false;
    work(async job => {
      ran.push((job.data as SyncJob).event);
      while (!mayEnd) await sleep(5);
      if ((job.data as SyncJob).event === 'first') throw new Error('no');
    });
    await bull.add('part', part('first'), { deduplication: { id: 'part:45', keepLastIfActive: true }, attempts: 1 });
    while (ran.length === 0) await sleep(5);
    await queues.enqueue([part('second')]);
    mayEnd = true;
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

describe('a job of several parts', () => {
  const five = [1, 2, 3, 4, 5];
  const partsOf = (event: string, ids = five) => ids.map((id): SyncJob => ({ ...part(event), part: id }) as SyncJob);
  const jobs = async () => (await bull.getJobs(['waiting', 'delayed', 'active'])).map(({ data }) => parseJob(data));
  const claims = () => openPartClaims(connection());
  const jobsOf = (ids: readonly number[]) =>
    ids.map((id): JobOf<'part'> => ({ kind: 'part', part: id, event: 'test', acceptedAt: 0 }));

  it('stands for each of its parts: an event for one of them merges into it while it waits', async () => {
    await queues.enqueue(partsOf('first'));
    await queues.enqueue(partsOf('second', [3]));
    await queues.enqueue(partsOf('third', [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]));
    const events = (await jobs()).map(job => (job.kind === 'parts' ? job.parts.map(one => one.event) : []));
    expect(events.sort((a, b) => a.join().localeCompare(b.join()))).toEqual([
      Array<string>(5).fill('first'),
      Array<string>(5).fill('third'),
    ]);
    expect(await queues.jobOfPart(3)).toMatch(/^parts-/);
    expect(await queues.counts()).toEqual({ waiting: 0, delayed: 2, active: 0, parts: 10 });
  });

  it('remembers an event that comes while it runs, and knows of it when the part is done', async () => {
    await queues.enqueue(partsOf('first'));
    const told: boolean[] = [];
    const following: unknown[] = [];
    work(async job => {
      await queues.enqueue(partsOf('meanwhile', [2]));
      told.push(await claims().isAnyTold(jobsOf([1, 3, 4, 5])), await claims().isAnyTold(jobsOf(five)));
      await queues.enqueue(partsOf('later', five));
      for (const one of five) following.push(await claims().release({ job: job.id ?? '', part: one }));
    });
    await quiet();
    expect(told).toEqual([false, true]);
    expect(following).toMatchObject(five.map(id => ({ kind: 'part', part: id, event: 'later' })));
    expect(await queues.counts()).toEqual({ waiting: 0, delayed: 0, active: 0, parts: 0 });
  });

  it('no longer stands for a part that is done: the next event enqueues it', async () => {
    const ran: string[] = [];
    await queues.enqueue(partsOf('first'));
    work(async job => {
      ran.push(job.name);
      for (const one of five) await claims().release({ job: job.id ?? '', part: one });
    });
    await quiet();
    await queues.enqueue(partsOf('second', [2]));
    await queues.enqueue(partsOf('third', five));
    await quiet();
    expect(ran).toEqual(['5 parts', 'part 2', '4 parts']);
  });

  it('that Redis lost stands for nothing: one event or many enqueue its parts anew', async () => {
    await queues.enqueue(partsOf('first'));
    await queues.enqueue(partsOf('more', [11, 12, 13, 14, 15]));
    for (const job of await bull.getJobs(['delayed'])) await job.remove();
    await queues.enqueue(partsOf('second', [3]));
    await queues.enqueue(partsOf('third', [1, 2, 3, 4, 5, 11, 12]));
    const parts = (await jobs()).map(job => (job.kind === 'parts' ? job.parts.map(one => one.part) : [3]));
    expect(parts.sort((a, b) => a.length - b.length)).toEqual([[3], [1, 2, 4, 5, 11, 12]]);
    expect(await queues.counts()).toMatchObject({ delayed: 2, parts: 7 });
  });

  it('that ended without its parts, as in an older version, leaves them to a newer one', async () => {
    await queues.enqueue(partsOf('first'));
    expect(await claims().releaseLeft()).toEqual([]);
    work(() => Promise.reject(new UnrecoverableError('it is not one of our jobs')));
    await quiet();
    expect(await queues.jobOfPart(3)).toMatch(/^parts-/);
    expect(await claims().releaseLeft()).toEqual(five);
    expect(await queues.jobOfPart(3)).toBeUndefined();
    expect(await claims().releaseLeft()).toEqual([]);
    expect(await claims().count()).toEqual({ jobs: 0, parts: 0 });
  });

  it('is released by nobody else', async () => {
    await queues.enqueue(partsOf('first'));
    expect(await claims().release({ job: 'another', part: 3 })).toBeUndefined();
    expect(await queues.counts()).toMatchObject({ parts: 5 });
  });

  it('leaves the parts that another job claimed, before Redis had it, to that one', async () => {
    expect(await claims().claim('parts-late', jobsOf(five))).toEqual(five.map(() => 'ours'));
    expect(await claims().claim('parts-first', jobsOf([1, 2]))).toEqual(['ours', 'ours']);
    for (const id of ['parts-late', 'parts-first']) await bull.add('parts', {}, { jobId: id });
    expect(await claims().claim('parts-third', jobsOf([1, 5]))).toEqual(['told', 'told']);
    expect(await claims().keep('parts-late', jobsOf(five))).toEqual([false, false, true, true, true]);
    expect(await claims().keep('parts-first', jobsOf([1, 2]))).toEqual([true, true]);
    expect(await claims().count()).toEqual({ jobs: 2, parts: 5 });
    for (const id of [3, 4, 5]) await claims().release({ job: 'parts-late', part: id });
    expect(await claims().count()).toEqual({ jobs: 1, parts: 2 });
    expect(await claims().claim('parts-third', jobsOf([1, 5]))).toEqual(['told', 'ours']);
  });

  it('keeps its parts where the other job never came, or is done', async () => {
    await claims().claim('parts-ours', jobsOf([1, 2, 3]));
    await claims().claim('parts-never', jobsOf([1]));
    await claims().claim('parts-done', jobsOf([2]));
    for (const id of ['parts-ours', 'parts-done']) await bull.add('parts', {}, { jobId: id });
    await claims().release({ job: 'parts-done', part: 2 });
    expect(await claims().keep('parts-ours', jobsOf([1, 2, 3]))).toEqual([true, true, true]);
    expect(await claims().claim('parts-third', jobsOf([1, 2, 3]))).toEqual(['told', 'told', 'told']);
  });

  it('that starts again reads its parts again, so earlier events need no further run', async () => {
    await queues.enqueue(partsOf('first'));
    const following: unknown[] = [];
    work(async job => {
      await queues.enqueue(partsOf('meanwhile'));
      if (job.attemptsMade === 0) throw new Error('no');
      await claims().keep(job.id ?? '', jobsOf(five));
      await queues.enqueue(partsOf('later', [2, 3, 4, 5]));
      for (const id of five) following.push(await claims().release({ job: job.id ?? '', part: id }));
    });
    await quiet();
    expect(following).toMatchObject([undefined, ...[2, 3, 4, 5].map(id => ({ part: id, event: 'later' }))]);
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

  it('go in few round trips, each part once, many of them in a job', async () => {
    const { sent, other } = await watchedQueues(60_000);
    const jobs = Array.from({ length: 1_000 }, (_, n): SyncJob => ({
      kind: 'part',
      part: 1 + (n % 50),
      event: 'x',
      acceptedAt: 0,
    }));
    await Promise.all([other.enqueue(jobs.slice(0, 500)), other.enqueue(jobs.slice(500))]);
    // The part of the first job that waits, and two jobs with the others.
    expect(await bull.getDelayedCount()).toBe(3);
    expect(await queues.counts()).toMatchObject({ delayed: 3, parts: 50 });
    // The claims of both, these jobs, and a question: which of the parts wait for their next attempt.
    const isClock = (command: string) => /^\*1\r\n\$4\r\ntime\r\n$/i.test(command);
    expect(sent.filter(command => !isClock(command)).length).toBeLessThanOrEqual(4);
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
