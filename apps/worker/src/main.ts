import {
  connectToRedis,
  openCallPlaces,
  openCursor,
  openDeadLetters,
  openGoodSkus,
  openKnownParts,
  openLastReconcile,
  openLastSweep,
  openNewestSourceItems,
  openOutages,
  openReconcileTurn,
  openSyncQueue,
  openWriteGuard,
  DEAD_LETTER_QUEUE,
  LOOKUP_QUEUE,
  SYNC_QUEUE,
} from '@stock-sync/queue';
import {
  addOperatorRoutes,
  closeServer,
  createLog,
  createWebApplication,
  endOnSignal,
  listen,
  portOf,
  runMain,
  type Environment,
  type Log,
} from '@stock-sync/service';
import {
  connectToSystems,
  settingsFingerprint,
  systemsConfiguration,
  type SystemsConfiguration,
} from '@stock-sync/systems';
import { Worker } from 'bullmq';
import type { Express } from 'express';
import { batchesAtOnce } from './batch-loader';
import { createKnownGood } from './known-good';
import { createLayDownLetter } from './lay-down-letter';
import { createLookAgain, createLookAgainLater } from './look-again';
import { createWorkerMetrics } from './metrics';
import { createNewProducts } from './new-products';
import { createOutagePause } from './outage-pause';
import { createPartReads } from './part-reads';
import { createProcessJob, type ProcessJobs } from './process-job';
import { createProducts } from './products';
import { createReconcileJob } from './reconcile-job';
import { createRememberFailure } from './remember-failure';
import { createResolveStockItem } from './resolve-stock-item';
import { createSkuBearers } from './sku-bearers';
import { createShownStock } from './shown-stock';
import { createStockWrites } from './stock-writes';
import { createStoreStock } from './store-stock';
import { createStoreDeductions } from './store-deductions';
import { createSweep } from './sweep';
import { NotYetError } from './sync-errors';
import { createTrackedChanges } from './tracked-changes';
import { createSyncPart } from './sync-part';

/** A job whose worker does not renew its lock for so long is taken over; looked for as often as the second says. */
const LOCK_MS = 8_000;
const STALLED_LOOK_MS = 3_000;
/** How often a worker asks whether a pause is over, in milliseconds: another may have ended it early. */
const PAUSE_LOOK_MS = 1_000;
/** How often a worker looks whether what is to be done regularly still is, in milliseconds. */
const SCHEDULES_LOOK_MS = 10_000;
/** A worker that is to end gives back what it has not finished after so long, in milliseconds. */
const GIVE_BACK_MS = 6_000;
/** Jobs that find out which parts are to be looked at, at once. */
const LOOKUPS_AT_ONCE = 10;
/** A job is given up after so many times the limit of a single call: it makes some, and may wait for those of others. */
const JOB_TIMEOUTS = 20;
/** BullMQ pauses a queue only where a rate limit is set; this one is never reached. */
const NO_LIMIT = { max: 1_000_000_000, duration: 1_000 };

type Redis = ReturnType<typeof connectToRedis>;

async function main(environment: Environment): Promise<void> {
  const configuration = systemsConfiguration(environment);
  const log = createLog({ service: 'worker', level: configuration.LOG_LEVEL, format: configuration.LOG_FORMAT });
  const dryRun = dryRunReason(configuration, log);

  const redis = connectToRedis(configuration.REDIS_URL, {
    whileAway: { wait: true },
    onChange: (state, reason) =>
      state === 'there' ? log.info('Redis is there') : log.error(`Redis is away, work waits: ${reason}`),
  });
  const queue = openSyncQueue(redis, {
    delayMs: configuration.SYNC_DELAY_MS,
    attempts: configuration.MAX_ATTEMPTS,
    failFast: false,
  });
  const deadLetters = openDeadLetters(redis);
  const knownParts = openKnownParts(redis);
  const guard = openWriteGuard(redis);
  const askForReconcile = async (event: string) => {
    if (configuration.RECONCILE_INTERVAL_MINUTES === 0) return;
    await queue.enqueue([{ kind: 'reconcile', event, acceptedAt: Date.now() }]);
  };

  const systems = connectToSystems(configuration, redis, log);
  const { inventree, magento, access, sourceLocations, rules } = systems;
  const skuField = configuration.SKU_FIELD;

  const goodSkus = openGoodSkus(redis, knownParts);
  const lookAgainLater = createLookAgainLater(queue);
  const knownGood = createKnownGood({
    access,
    guard,
    goodSkus,
    onTry: async sku => {
      const bearers = await knownParts.bearersOf([sku]);
      await lookAgainLater(bearers.flat(), 'written to see whether the store takes writes');
    },
  });
  const outagePause = createOutagePause({
    queue,
    outages: openOutages(redis),
    onOver: ({ system }) => askForReconcile(`${system} is back`),
    isWell: async ({ system, duringWrite }) => {
      if (system === 'Magento') return knownGood.works(duringWrite ? 'write' : 'read');
      return inventree.testConnection().then(
        () => true,
        () => false,
      );
    },
    settings: settingsFingerprint(configuration),
    log,
  });
  const metrics = createWorkerMetrics({ queue, deadLetters, outages: outagePause.current });

  const syncPart = createSyncPart({
    startRead: guard.startRead,
    readPart: createPartReads({
      inventree,
      knownParts,
      skuField,
      limit: batchesAtOnce(configuration.INVENTREE_CONCURRENCY),
    }),
    bearersOf: createSkuBearers({ inventree, knownParts, skuField }),
    findProduct: createProducts({ magento, knownParts }),
    readShown: createShownStock({ access, knownGood }),
    write: createStockWrites({
      access,
      guard,
      places: openCallPlaces(redis, 'magento', configuration.MAGENTO_CONCURRENCY),
      knownGood,
      goodSkus,
      onDoubt: parts => lookAgainLater(parts, 'a write got no answer'),
    }),
    sourceLocations,
    knownParts,
    queue,
    skuField,
    rules,
    dryRun,
    log,
  });
  let giveBack: () => void = () => undefined;
  const givenBack = new Promise<never>((_, reject) => {
    giveBack = () => reject(new NotYetError('the worker ends', Date.now()));
  });
  givenBack.catch(() => undefined);

  const comparing = {
    inventree,
    sourceLocations,
    knownParts,
    queue,
    skuField,
    rules,
    writes: dryRun === undefined,
    mostZeroedPercent: configuration.RECONCILE_MAX_ZEROED_PERCENT,
    metrics,
    log,
  };

  const isMagentoAway = () => outagePause.current().some(({ system }) => system === 'Magento');

  const processJob = createProcessJob({
    syncPart,
    resolveStockItem: createResolveStockItem({ inventree, knownParts, queue, log }),
    lookAgainLater,
    rememberFailure: createRememberFailure(knownParts),
    lookAgain: createLookAgain(queue, deadLetters),
    reconcile: createReconcileJob({
      ...comparing,
      magento,
      access,
      readsWork: () => knownGood.works('read'),
      locationsVersion: systems.locationsVersion,
      lastReconcile: openLastReconcile(redis),
      turn: openReconcileTurn(redis),
    }),
    sweep: createSweep({
      ...comparing,
      lastSweep: openLastSweep(redis),
      turn: openCallPlaces(redis, 'sweep', 1),
      lookAtDeductions: createStoreDeductions({
        magento,
        knownParts,
        queue,
        isMagentoAway,
        cursors: {
          shipments: openCursor(redis, 'shipments'),
          creditmemos: openCursor(redis, 'creditmemos'),
        },
        log,
      }),
      lookAtNewProducts: createNewProducts({
        magento,
        access,
        knownParts,
        queue,
        newest: openNewestSourceItems(redis),
        isMagentoAway,
        log,
      }),
      storeStock: createStoreStock({ magento, access, readsWork: () => knownGood.works('read') }),
      lookAtTracked: createTrackedChanges({
        inventree,
        queue,
        cursor: openCursor(redis, 'tracking'),
      }),
    }),
    outagePause,
    deadLetters,
    attempts: configuration.MAX_ATTEMPTS,
    givenBack,
    queue,
    longestMs: JOB_TIMEOUTS * configuration.TIMEOUT * 1000,
    metrics,
    log,
  });

  const workers = [
    openWorker(SYNC_QUEUE, processJob, configuration.WORKER_CONCURRENCY, redis, log),
    openWorker(LOOKUP_QUEUE, processJob, LOOKUPS_AT_ONCE, redis, log),
    openWorker(DEAD_LETTER_QUEUE, createLayDownLetter({ queue, log }), 1, redis, log),
  ];

  // Not waited for: Redis may be away. And again and again: it may be emptied.
  const keepSchedules = () => {
    Promise.all([
      queue.every('sweep', configuration.SWEEP_INTERVAL_SECONDS),
      queue.every('reconcile', configuration.RECONCILE_INTERVAL_MINUTES * 60),
    ]).catch((error: unknown) => log.error(`nothing is swept or reconciled: ${(error as Error).message}`));
  };
  keepSchedules();
  askForReconcile('start-up').catch((error: unknown) => log.error(`no reconcile: ${(error as Error).message}`));
  const schedule = setInterval(keepSchedules, SCHEDULES_LOOK_MS);

  const application = createWebApplication();
  addOperatorRoutes(application, metrics.registry, () => {
    const outages = outagePause
      .current()
      .map(({ system, since, reason }) => `${system} since ${new Date(since).toISOString()}: ${reason}`);
    if (redis.status !== 'ready') outages.push('Redis is away');
    return outages.length > 0 ? outages.join('; ') : undefined;
  });
  const server = await listenNear(application, configuration.WORKER_PORT, log);

  endOnSignal(log, async () => {
    clearInterval(schedule);
    setTimeout(giveBack, GIVE_BACK_MS).unref();
    await Promise.all(workers.map(worker => worker.close()));
    outagePause.stop();
    await closeServer(server);
    await Promise.all([queue.close(), deadLetters.close()]);
    redis.disconnect();
    systems.close();
  });
  log.info(`working, ${configuration.WORKER_CONCURRENCY} jobs at once; health and metrics on port ${portOf(server)}`);
}

/** Takes jobs of a queue. */
function openWorker(name: string, processJob: ProcessJobs, concurrency: number, redis: Redis, log: Log): Worker {
  const worker = new Worker(name, processJob, {
    connection: redis.duplicate({ enableAutoPipelining: false }),
    concurrency,
    limiter: NO_LIMIT,
    maximumRateLimitDelay: PAUSE_LOOK_MS,
    lockDuration: LOCK_MS,
    stalledInterval: STALLED_LOOK_MS,
    maxStalledCount: Number.MAX_SAFE_INTEGER,
  });
  worker.on('error', error => log.debug(`BullMQ: ${error.message}`));
  return worker;
}

/** Says why nothing will be written, and what to do about it; undefined where the store is written. */
function dryRunReason(
  { ENABLE_SYNC, DRY_RUN }: SystemsConfiguration,
  log: Log,
): 'DRY_RUN' | 'ENABLE_SYNC off' | undefined {
  if (!ENABLE_SYNC) {
    log.warn(
      'ENABLE_SYNC is off: nothing is written to Magento, each change is only logged as it would be made. ' +
        'Set ENABLE_SYNC=true when what the log says looks right.',
    );
    return 'ENABLE_SYNC off';
  }
  if (!DRY_RUN) return undefined;
  log.warn('DRY_RUN is on: nothing is written to Magento, each change is only logged as it would be made.');
  return 'DRY_RUN';
}

/** On the port it was told, or, where a second worker of the same machine has that one, on any free one. */
async function listenNear(application: Express, port: number, log: Log) {
  try {
    return await listen(application, port);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error;
    log.warn(`WORKER_PORT ${port} is taken (by another worker?): health and metrics go to a free port`);
    return listen(application, 0);
  }
}

runMain(main);
