import { createInvenTreeClient } from '@stock-sync/inventree-client';
import { createMagentoClient } from '@stock-sync/magento-client';
import {
  connectToRedis,
  openCallPlaces,
  openDeadLetters,
  openKnownParts,
  openLastLook,
  openLastSweep,
  openLocationsVersion,
  openOutages,
  openSyncQueue,
  openWriteGuard,
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
import { Worker } from 'bullmq';
import type { Express } from 'express';
import { batchesAtOnce, createBatchLoader } from './batch-loader';
import { workerConfiguration, type WorkerConfiguration } from './configuration';
import { createLookAtEverything } from './look-at-everything';
import { createWorkerMetrics } from './metrics';
import { createOutagePause } from './outage-pause';
import { createPartReads, JOBS_APART_MS } from './part-reads';
import { createProcessJob } from './process-job';
import { createProducts } from './products';
import { createResolveStockItem } from './resolve-stock-item';
import { createSkuBearers } from './sku-bearers';
import { createSourceLocations } from './source-locations';
import { createStockWrites } from './stock-writes';
import { createStoreAccess } from './store-access';
import { createSweep } from './sweep';
import { createSyncPart } from './sync-part';

/** A job whose worker does not renew its lock for so long is taken over; looked for as often as the second says. */
const LOCK_MS = 10_000;
const STALLED_LOOK_MS = 5_000;
/** A job is given up after so many times the limit of a single call: it makes some, and may wait for those of others. */
const JOB_TIMEOUTS = 20;
/** SKUs in one read of Magento. */
const MOST_SKUS = 100;
/** BullMQ pauses a queue only where a rate limit is set; this one is never reached. */
const NO_LIMIT = { max: 1_000_000_000, duration: 1_000 };

async function main(environment: Environment): Promise<void> {
  const configuration = workerConfiguration(environment);
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
  const outagePause = createOutagePause({ queue, outages: openOutages(redis), log });
  const inventreePlaces = configuration.INVENTREE_CONCURRENCY;
  const metrics = createWorkerMetrics({ queue, deadLetters, outage: outagePause.current });

  const connection = {
    timeoutMs: configuration.TIMEOUT * 1000,
    verifyTls: configuration.VERIFY_SSL,
    caFile: configuration.CA_FILE,
  };
  const inventree = createInvenTreeClient({
    ...connection,
    baseUrl: configuration.INVENTREE_URL,
    token: configuration.INVENTREE_TOKEN,
    limit: openCallPlaces(redis, 'inventree', inventreePlaces).within,
    partsAtOnce: inventreePlaces,
  });
  const magento = createMagentoClient({
    ...connection,
    baseUrl: configuration.MAGENTO_URL,
    credentials: configuration.credentials,
  });
  const access = createStoreAccess({
    magento,
    stockApi: configuration.MAGENTO_STOCK_API,
    sourceMap: configuration.SOURCE_MAP,
    log,
  });
  const skuField = configuration.SKU_FIELD;

  const rules = {
    stockBasis: configuration.STOCK_BASIS,
    allowDecimals: configuration.ALLOW_DECIMALS,
    safetyStock: configuration.SAFETY_STOCK,
  };
  const locationsVersion = openLocationsVersion(redis);
  const sourceLocations = createSourceLocations({
    inventree,
    version: locationsVersion,
    sourceMap: configuration.SOURCE_MAP,
  });

  const syncPart = createSyncPart({
    startRead: guard.startRead,
    readPart: createPartReads({ inventree, knownParts, skuField, limit: batchesAtOnce(inventreePlaces) }),
    bearersOf: createSkuBearers({ inventree, knownParts, skuField }),
    findProduct: createProducts({ magento, knownParts }),
    readShown: createBatchLoader({
      most: MOST_SKUS,
      quietMs: JOBS_APART_MS,
      run: async skus => (await access()).read(skus),
    }),
    write: createStockWrites({
      access,
      guard,
      places: openCallPlaces(redis, 'magento', configuration.MAGENTO_CONCURRENCY),
    }),
    sourceLocations,
    knownParts,
    queue,
    skuField,
    rules,
    dryRun,
    log,
  });
  const processJob = createProcessJob({
    syncPart,
    resolveStockItem: createResolveStockItem({ inventree, knownParts, queue, log }),
    lookAtEverything: createLookAtEverything({
      inventree,
      queue,
      lastLook: openLastLook(redis),
      locationsVersion,
      log,
    }),
    sweep: createSweep({
      inventree,
      sourceLocations,
      knownParts,
      queue,
      lastSweep: openLastSweep(redis),
      turn: openCallPlaces(redis, 'sweep', 1),
      skuField,
      rules,
      writes: dryRun === undefined,
      mostZeroedPercent: configuration.RECONCILE_MAX_ZEROED_PERCENT,
      metrics,
      log,
    }),
    outagePause,
    deadLetters,
    attempts: configuration.MAX_ATTEMPTS,
    longestMs: JOB_TIMEOUTS * configuration.TIMEOUT * 1000,
    metrics,
    log,
  });

  const worker = new Worker(SYNC_QUEUE, processJob, {
    connection: redis.duplicate({ enableAutoPipelining: false }),
    concurrency: configuration.WORKER_CONCURRENCY,
    limiter: NO_LIMIT,
    lockDuration: LOCK_MS,
    stalledInterval: STALLED_LOOK_MS,
    maxStalledCount: Number.MAX_SAFE_INTEGER,
  });
  worker.on('error', error => log.debug(`BullMQ: ${error.message}`));

  // Not waited for: Redis may be away.
  queue
    .every('sweep', configuration.SWEEP_INTERVAL_SECONDS)
    .catch((error: unknown) => log.error(`nothing is swept: ${(error as Error).message}`));

  const application = createWebApplication();
  addOperatorRoutes(application, metrics.registry, () => {
    const outage = outagePause.current();
    if (outage) return `${outage.system} since ${new Date(outage.since).toISOString()}: ${outage.reason}`;
    return redis.status === 'ready' ? undefined : 'Redis is away';
  });
  const server = await listenNear(application, configuration.WORKER_PORT, log);

  endOnSignal(log, async () => {
    await worker.close();
    outagePause.stop();
    await closeServer(server);
    await Promise.all([queue.close(), deadLetters.close()]);
    redis.disconnect();
    inventree.close();
    magento.close();
  });
  log.info(`working, ${configuration.WORKER_CONCURRENCY} jobs at once; health and metrics on port ${portOf(server)}`);
}

/** Says why nothing will be written, and what to do about it; undefined where the store is written. */
function dryRunReason(
  { ENABLE_SYNC, DRY_RUN }: WorkerConfiguration,
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
