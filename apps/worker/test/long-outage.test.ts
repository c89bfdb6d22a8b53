import { setTimeout as sleep } from 'node:timers/promises';
import { claimDatabase, type RedisDatabase } from '@stock-sync/end-to-end';
import { createMagentoClient, type MagentoClient } from '@stock-sync/magento-client';
import {
  connectToRedis,
  openDeadLetters,
  openOutages,
  openSyncQueue,
  SYNC_QUEUE,
  type DeadLetters,
  type SyncQueue,
} from '@stock-sync/queue';
import type { Log } from '@stock-sync/service';
import { startMagento, type MagentoStandIn } from '@stock-sync/stand-ins';
import { Worker } from 'bullmq';
import type { WorkerMetrics } from '../src/metrics';
import { createOutagePause, PAUSES, type OutagePause } from '../src/outage-pause';
import { createProcessJob } from '../src/process-job';

/** Time is scaled: half a minute stands for two hours, and so a pause of a minute is a quarter of a second. */
const SCALE = 240;
const TWO_HOURS_MS = (2 * 60 * 60 * 1000) / SCALE;
const scaled = ({ first, longest }: { first: number; longest: number }) => ({
  first: first / SCALE,
  longest: longest / SCALE,
});

let database: RedisDatabase;
let magento: MagentoStandIn;
let client: MagentoClient;
let queue: SyncQueue;
let deadLetters: DeadLetters;
let attemptsMade: number[];
const ends: (() => unknown)[] = [];

beforeEach(async () => {
  database = await claimDatabase(process.env.TEST_REDIS_URL ?? '');
  magento = await startMagento();
  client = createMagentoClient({
    baseUrl: magento.url,
    credentials: { accessToken: magento.integration.accessToken },
    timeoutMs: 5_000,
    verifyTls: true,
  });
  const redis = connectToRedis(database.url, { whileAway: { wait: true } });
  queue = openSyncQueue(redis, { delayMs: 0, attempts: 2, failFast: false });
  deadLetters = openDeadLetters(redis);
  attemptsMade = [];
  ends.push(() => redis.disconnect());
});
afterEach(async () => {
  await Promise.all([queue.close(), deadLetters.close()]);
  for (const end of ends.splice(0).reverse()) await end();
  client.close();
  await magento.close();
  await database.release();
});

/** A worker whose jobs ask the store for their part's SKU. */
function startWorker(): OutagePause {
  const redis = connectToRedis(database.url, { whileAway: { wait: true } });
  const log = { info: () => undefined, warn: () => undefined, error: () => undefined } as unknown as Log;
  const counter = { inc: () => undefined, observe: () => undefined };
  const outagePause = createOutagePause({
    queue,
    outages: openOutages(redis),
    onOver: () => Promise.resolve(),
    isWell: () => Promise.resolve(false),
    settings: 'the same',
    log,
    pauses: { away: scaled(PAUSES.away), refused: scaled(PAUSES.refused) },
  });
  const notAsked = () => Promise.reject(new Error('not asked for'));
  const processJob = createProcessJob({
    syncPart: async ({ part }) => {
      await client.readSourceItems([`SKU-${part}`]);
      return { outcome: 'unchanged', part, sku: `SKU-${part}` };
    },
    resolveStockItem: notAsked,
    lookAgain: notAsked,
    lookAgainLater: notAsked,
    rememberFailure: notAsked,
    sweep: notAsked,
    reconcile: notAsked,
    outagePause,
    deadLetters,
    attempts: 2,
    longestMs: 60_000,
    givenBack: new Promise<never>(() => undefined),
    queue,
    metrics: { outcomes: counter, lag: counter } as unknown as WorkerMetrics,
    log,
  });
  const own = redis.duplicate({ enableAutoPipelining: false });
  const worker = new Worker(SYNC_QUEUE, processJob, {
    connection: own,
    concurrency: 50,
    limiter: { max: 1_000_000, duration: 1_000 },
    maximumRateLimitDelay: 1_000 / SCALE,
  });
  worker.on('completed', job => attemptsMade.push(job.attemptsMade));
  ends.push(
    () => redis.disconnect(),
    () => own.disconnect(),
    () => outagePause.stop(),
    () => worker.close(),
  );
  return outagePause;
}

const PARTS = 200;

it('two hours of maintenance: no dead letter, no attempt counted, one try after each pause, and all is done afterwards', async () => {
  const pauses = [startWorker(), startWorker()];
  magento.setMaintenance(true);
  for (let part = 1; part <= PARTS; part++) {
    await queue.enqueue([{ kind: 'part', part, event: 'test', acceptedAt: Date.now() }]);
    await sleep(TWO_HOURS_MS / PARTS);
  }
  const outage = pauses[0]?.current()[0];
  expect((Date.now() - (outage?.since ?? 0)) * SCALE).toBeGreaterThan(1.9 * 60 * 60 * 1000);
  // Two hours have 120 pauses of a minute, and a few shorter ones before; one call more for each worker that failed first.
  expect(outage?.pauses).toBeLessThanOrEqual(130);
  expect(magento.calls.length).toBeLessThanOrEqual((outage?.pauses ?? 0) + 10);
  expect(magento.calls.length).toBeGreaterThanOrEqual(60);
  expect(attemptsMade).toEqual([]);

  magento.setMaintenance(false);
  const until = Date.now() + 20_000;
  while (attemptsMade.length < PARTS && Date.now() < until) await sleep(20);
  expect(attemptsMade).toHaveLength(PARTS);
  expect(await deadLetters.list()).toEqual([]);
  expect(await queue.counts()).toEqual({ waiting: 0, delayed: 0, active: 0 });
}, 90_000);
