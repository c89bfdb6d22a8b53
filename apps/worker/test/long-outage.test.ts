import { setTimeout as sleep } from 'node:timers/promises';
import { reserveDatabase, type RedisDatabase } from '@stock-sync/servers';
import { startMagento, type FakeMagento } from '@stock-sync/fakes';
import { createMagentoClient, type MagentoClient } from '@stock-sync/magento-client';
import type { Log } from '@stock-sync/service';
import {
  connectToRedis,
  openCircuitBreakers,
  openDeadLetters,
  openJobQueues,
  openPartClaims,
  QUEUES,
  type DeadLetters,
  type JobQueues,
  type RedisConnection,
} from '@stock-sync/state';
import { Worker } from 'bullmq';
import { createBreaker, PAUSES, type Breaker } from '../src/breaker/breaker';
import type { Probes } from '../src/breaker/probes';
import type { JobHandlers } from '../src/jobs/handlers';
import { createRunJob } from '../src/jobs/run-job';
import type { WorkerMetrics } from '../src/metrics';

/** Time is scaled: half a minute stands for two hours, and a pause of a minute is a quarter of a second. */
const SCALE = 240;
const TWO_HOURS_MS = (2 * 60 * 60 * 1000) / SCALE;
const scaled = ({ first, longest }: { first: number; longest: number }) => ({
  first: first / SCALE,
  longest: longest / SCALE,
});

let database: RedisDatabase;
let magento: FakeMagento;
let client: MagentoClient;
let connection: RedisConnection;
let queues: JobQueues;
let deadLetters: DeadLetters;
let attemptsMade: number[];
const ends: (() => unknown)[] = [];

beforeEach(async () => {
  database = await reserveDatabase(process.env.TEST_REDIS_URL ?? '');
  magento = await startMagento();
  client = createMagentoClient({
    baseUrl: magento.url,
    credentials: { accessToken: magento.integration.accessToken },
    timeoutMs: 5_000,
    verifyTls: true,
  });
  connection = connectToRedis(database.url, { whileUnreachable: { wait: true } });
  queues = openJobQueues(connection);
  deadLetters = openDeadLetters(connection);
  attemptsMade = [];
  ends.push(() => connection.redis.disconnect());
});
afterEach(async () => {
  await Promise.all([queues.close(), deadLetters.close()]);
  for (const end of ends.splice(0).reverse()) await end();
  client.close();
  await magento.close();
  await database.release();
});

/** A worker whose jobs read the SKU of their part from the store. */
function startWorker(): Breaker {
  const log = { info: () => undefined, warn: () => undefined, error: () => undefined } as unknown as Log;
  const counter = { inc: () => undefined, observe: () => undefined };
  const probe = () =>
    client.probeReads('source-items').then(
      () => undefined,
      (error: unknown) => error as never,
    );
  const breaker = createBreaker({
    state: openCircuitBreakers(connection),
    probes: { run: probe, runShared: probe } satisfies Probes,
    queues,
    onClosed: () => Promise.resolve(),
    settings: 'the same',
    log,
    pauses: { unreachable: scaled(PAUSES.unreachable), credentials: scaled(PAUSES.credentials) },
    checkMs: 500 / SCALE,
  });
  const handlers = {
    part: async ({ part }: { part: number }) => {
      await breaker.guard('magento-read', [`SKU-${part}`], async skus => {
        await client.readSourceItems(skus);
        return skus.map(() => true);
      });
      return { outcome: 'unchanged', part, sku: `SKU-${part}` };
    },
  };
  const runJob = createRunJob({
    handlers: handlers as unknown as JobHandlers,
    breaker,
    queues,
    deadLetters,
    parts: {} as never,
    products: {} as never,
    resyncLater: {} as never,
    recordHistory: () => Promise.resolve(),
    onUpdate: () => undefined,
    now: Date.now,
    maxAttempts: 2,
    timeLimitMs: 60_000,
    stopping: new AbortController().signal,
    partClaims: openPartClaims(connection),
    metrics: { outcomes: counter, lag: counter } as unknown as WorkerMetrics,
    log,
  });
  const own = connection.duplicate();
  const worker = new Worker(QUEUES.parts, runJob, {
    connection: own,
    prefix: connection.keys.queuePrefix,
    concurrency: 50,
    limiter: { max: 1_000_000, duration: 1_000 },
    maximumRateLimitDelay: 1_000 / SCALE,
  });
  worker.on('completed', job => attemptsMade.push(job.attemptsMade));
  ends.push(
    () => own.disconnect(),
    () => breaker.stop(),
    () => worker.close(),
  );
  return breaker;
}

const PARTS = 200;
/** Calls of one probe that fails. */
const CALLS_PER_PROBE = 1;

it('two hours of maintenance cost no attempt and no dead letter, and one probe after each pause', async () => {
  const [breaker] = [startWorker(), startWorker()];
  magento.setMaintenance(true);
  for (let part = 1; part <= PARTS; part++) {
    await queues.enqueue([{ kind: 'part', part, event: 'test' }]);
    await sleep(TWO_HOURS_MS / PARTS);
  }
  const open = breaker.open()[0];
  expect((Date.now() - (open?.since ?? Date.now())) * SCALE).toBeGreaterThan(1.9 * 60 * 60 * 1000);
  // Two hours have 120 pauses of a minute, and a few shorter ones before.
  expect(open?.failedProbes).toBeLessThanOrEqual(130);
  expect(open?.failedProbes).toBeGreaterThanOrEqual(60);
  // Besides the probes, the first call of each worker, and the probe that followed it.
  expect(magento.calls.length).toBeLessThanOrEqual(CALLS_PER_PROBE * (open?.failedProbes ?? 0) + 10);
  expect(attemptsMade).toEqual([]);

  magento.setMaintenance(false);
  const until = Date.now() + 20_000;
  while (attemptsMade.length < PARTS && Date.now() < until) await sleep(20);
  // One attempt each: the one that succeeded.
  expect(attemptsMade).toEqual(Array<number>(PARTS).fill(1));
  expect(await deadLetters.list()).toEqual([]);
  expect(await queues.counts()).toEqual({ waiting: 0, delayed: 0, active: 0, parts: 0 });
}, 90_000);
