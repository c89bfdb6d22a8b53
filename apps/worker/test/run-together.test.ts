import { setTimeout as sleep } from 'node:timers/promises';
import { queueKey } from '@stock-sync/end-to-end';
import { reserveDatabase, type RedisDatabase } from '@stock-sync/servers';
import { CallError } from '@stock-sync/http-client';
import { createLog } from '@stock-sync/service';
import {
  connectToRedis,
  openDeadLetters,
  openJobQueues,
  openPartClaims,
  QUEUES,
  type DeadLetters,
  type JobOf,
  type JobQueues,
  type RedisConnection,
} from '@stock-sync/state';
import type { Worker } from 'bullmq';
import type { Breaker } from '../src/breaker/breaker';
import { startJobWorker } from '../src/job-workers';
import type { JobHandlers } from '../src/jobs/handlers';
import { NotYetError, WaitError } from '../src/jobs/job-errors';
import type { JobRun } from '../src/jobs/job-run';
import { createRunJob } from '../src/jobs/run-job';
import type { WorkerMetrics } from '../src/metrics';

/** How a job of several parts ends, for each of them. */

const PARTS = [1, 2, 3, 4, 5, 6];
const log = createLog({ service: 'test', level: 'error', format: 'text' });
jest.spyOn(log, 'error').mockImplementation(() => log as never);

let database: RedisDatabase;
let connection: RedisConnection;
let queues: JobQueues;
let deadLetters: DeadLetters;
let worker: Worker | undefined;
let stopping: AbortController;
/** Each run of a part, in order: "3", or "3 alone". */
let runs: string[];
let resynced: number[];

beforeEach(async () => {
  database = await reserveDatabase(process.env.TEST_REDIS_URL ?? '');
  connection = connectToRedis(database.url, { whileUnreachable: { wait: true } });
  queues = openJobQueues(connection, { eventDelayMs: 20 });
  deadLetters = openDeadLetters(connection);
  stopping = new AbortController();
  [runs, resynced] = [[], []];
});
afterEach(async () => {
  await worker?.close();
  await Promise.all([queues.close(), deadLetters.close()]);
  connection.redis.disconnect();
  await database.release();
});

const enqueue = (event = 'test', parts = PARTS) =>
  queues.enqueue(parts.map(part => ({ kind: 'part', part, event, webhook: `msg-${part}` })));

/** Starts a worker whose parts are synced by `sync`. */
function start(sync: (job: JobOf<'part'>, nth: number) => Promise<void> | void, breaker: Partial<Breaker> = {}): void {
  const counter = { inc: () => undefined, observe: () => undefined };
  const handlers = {
    part: async (job: JobOf<'part'>, { alone }: JobRun) => {
      runs.push(alone ? `${job.part} alone` : String(job.part));
      await sync(job, runs.filter(run => run.startsWith(String(job.part))).length);
      return { outcome: 'unchanged', part: job.part, sku: `SKU-${job.part}` };
    },
  };
  const run = createRunJob({
    handlers: handlers as unknown as JobHandlers,
    breaker: { requireForQueue: () => undefined, judge: () => Promise.resolve('item'), ...breaker } as Breaker,
    queues,
    partClaims: openPartClaims(connection),
    deadLetters,
    parts: {} as never,
    products: {} as never,
    resyncLater: {
      parts: some => {
        resynced.push(...some);
        return Promise.resolve();
      },
      skus: () => Promise.resolve(),
    },
    recordHistory: () => Promise.resolve(),
    onUpdate: () => undefined,
    maxAttempts: 2,
    timeLimitMs: 20_000,
    stopping: stopping.signal,
    now: Date.now,
    metrics: { outcomes: counter, lag: counter } as unknown as WorkerMetrics,
    log,
  });
  worker = startJobWorker(QUEUES.parts, run, 100, connection, log);
}

async function quiet(): Promise<void> {
  for (const until = Date.now() + 20_000; Date.now() < until; await sleep(20)) {
    const { waiting, delayed, active } = await queues.counts();
    if (waiting + delayed + active === 0) return;
  }
  throw new Error('not quiet after 20 s');
}

const refused = () => new CallError('Magento', 'refused', 'the SKU is refused');

it('each part is synced once, as if it had a job of its own, with its event and its webhook', async () => {
  const jobs: JobOf<'part'>[] = [];
  start(job => void jobs.push(job));
  await enqueue();
  await quiet();
  expect(runs).toEqual(PARTS.map(String));
  expect(jobs.map(({ part, event, webhook }) => [part, event, webhook])).toEqual(
    PARTS.map(part => [part, 'test', `msg-${part}`]),
  );
  expect(await queues.counts()).toEqual({ waiting: 0, delayed: 0, active: 0, parts: 0 });
});

it('a part that fails gets a job of its own, with attempts and a dead letter; no other one is repeated', async () => {
  start(({ part }) => {
    if (part === 3) throw refused();
  });
  await enqueue();
  await quiet();
  expect(runs).toEqual([...PARTS.map(String), '3 alone', '3 alone']);
  expect(await deadLetters.list()).toMatchObject([{ id: 'part-3', attempts: 2, reason: 'the SKU is refused' }]);
});

it('only those that have to wait for a system are run again, together', async () => {
  let isDown = true;
  start(
    ({ part }) => {
      if (part > 2 && isDown) throw part % 2 === 0 ? refused() : new WaitError('Magento is down', 0);
    },
    { judge: () => Promise.resolve('wait') },
  );
  await enqueue();
  while ((await queues.counts()).parts !== 4) await sleep(5);
  isDown = false;
  await quiet();
  expect(runs).toEqual([...PARTS, 3, 4, 5, 6].map(String));
  expect(await deadLetters.list()).toEqual([]);
});

it('nothing runs while the breaker is open', async () => {
  let isOpen = true;
  start(() => undefined, {
    requireForQueue: () => {
      if (isOpen) throw new WaitError('Magento is down', 0);
    },
  });
  await enqueue();
  await sleep(500);
  expect(runs).toEqual([]);
  isOpen = false;
  await quiet();
  expect(runs).toEqual(PARTS.map(String));
});

it('a part that must run a moment later does, and an event for another one does not wait for it', async () => {
  let [secondOf2At, thirdOf5At] = [0, 0];
  start(async ({ part }, nth) => {
    if (part === 2 && nth === 1) await enqueue('meanwhile', [2]);
    if (part === 2 && nth === 2) secondOf2At = Date.now();
    if (part === 5 && nth < 3) throw new NotYetError('it was written a moment ago', 400);
    if (part === 5) thirdOf5At = Date.now();
  });
  await enqueue();
  await quiet();
  expect(runs.filter(run => run === '5')).toHaveLength(3);
  expect(runs.filter(run => run === '2')).toHaveLength(2);
  expect(runs).toHaveLength(9);
  expect(secondOf2At).toBeLessThan(thirdOf5At);
});

it('an event while its part is synced causes one more run afterwards, however many come', async () => {
  let isRunning = false;
  start(async ({ part }, nth) => {
    if (part !== 4) return;
    expect(isRunning).toBe(false);
    isRunning = true;
    if (nth === 1) for (let n = 0; n < 3; n++) await enqueue(`event ${n}`, n === 1 ? PARTS : [4]);
    await sleep(50);
    isRunning = false;
  });
  await enqueue();
  await quiet();
  expect(runs.filter(run => run === '4')).toHaveLength(2);
});

it('no part is synced by two jobs at once, however many services enqueue it at the same time', async () => {
  const services = Array.from({ length: 4 }, () => {
    const other = connectToRedis(database.url, { whileUnreachable: { wait: true } });
    return { redis: other.redis, queues: openJobQueues(other, { eventDelayMs: 20 }) };
  });
  const running = new Set<number>();
  const twice: number[] = [];
  start(async ({ part }) => {
    if (running.has(part)) twice.push(part);
    running.add(part);
    await sleep(30);
    running.delete(part);
  });
  for (let round = 0; round < 20; round++) {
    await Promise.all(
      services.map(service => service.queues.enqueue(PARTS.map(part => ({ kind: 'part', part, event: 'test' })))),
    );
    await sleep(round * 3);
  }
  await quiet();
  for (const service of services) {
    await service.queues.close();
    service.redis.disconnect();
  }
  expect(twice).toEqual([]);
  expect(new Set(runs.map(Number))).toEqual(new Set(PARTS));
});

it('parts whose worker died are synced again, and once more later: it may have left a write', async () => {
  await enqueue();
  await setTakeovers(1);
  start(() => undefined);
  await quiet();
  expect(runs).toEqual(PARTS.map(String));
  expect(resynced.sort()).toEqual(PARTS);
});

it('parts of which one may kill its worker each get a job of their own', async () => {
  await enqueue();
  await setTakeovers(3);
  start(() => undefined);
  await quiet();
  // Six jobs, which run side by side.
  expect(runs.sort()).toEqual(PARTS.map(part => `${part} alone`));
});

it('a worker that stops returns the parts that are not done', async () => {
  start(({ part }) => (part > 4 ? sleep(60_000, undefined, { ref: false }) : undefined));
  await enqueue();
  while ((await queues.counts()).parts > 2) await sleep(10);
  stopping.abort();
  await worker?.close();
  expect(await queues.counts()).toMatchObject({ active: 0, parts: 2 });
  const [job] = await database.redis.keys(queueKey('parts', 'parts-*'));
  expect(JSON.parse((await database.redis.hget(job ?? '', 'data')) ?? '')).toMatchObject({
    parts: [{ part: 5 }, { part: 6 }],
  });
});

/** As if workers had died while they ran the job. */
async function setTakeovers(count: number): Promise<void> {
  const [job] = await database.redis.keys(queueKey('parts', 'parts-*'));
  await database.redis.hset(job ?? '', 'stc', count);
}
