import {
  addOperatorRoutes,
  closeServer,
  createLog,
  createWebApplication,
  errorMessage,
  listen,
  portOf,
  runMain,
  startTracing,
  stopOnSignal,
  withinPatience,
  type Environment,
  type Log,
} from '@stock-sync/service';
import {
  areSettingsNew,
  connectToRedis,
  findRedisProblems,
  migrate,
  moveEarlierParts,
  openActiveAlerts,
  openActivity,
  openCanarySkus,
  openCircuitBreakers,
  openCursor,
  openDeadLetters,
  openFencing,
  openHistory,
  openHistoryDatabase,
  openJobQueues,
  openLastReconcile,
  openLastSweep,
  openLocationsVersion,
  openPartClaims,
  openParts,
  openProducts,
  openReconcileProgress,
  openRulesInForce,
  openSemaphore,
  openSourceItemsEnd,
  openStartProblems,
  openStockItems,
  QUEUES,
  readStatus,
} from '@stock-sync/state';
import type { Express } from 'express';
import { startHistoryCopy } from './history-copy';
import { createBreaker } from './breaker/breaker';
import { createProbes } from './breaker/probes';
import { createPartJobsUnderWay } from './calls/part-jobs-under-way';
import { createPartReads } from './calls/part-reads';
import { createProductLookups } from './calls/product-lookups';
import { createSellingRulesLookups } from './calls/selling-rules';
import { createSkuLookups } from './calls/sku-lookups';
import { createStockWrites } from './calls/stock-writes';
import { createStoreReads } from './calls/store-reads';
import { connectToSystems } from './connections';
import { createExplain } from './jobs/explain';
import { createFindPartOfStockItem } from './jobs/find-part-of-stock-item';
import { jobHandlers } from './jobs/handlers';
import { createLeaveSku } from './jobs/leave-sku';
import { createMarkDeadLetter } from './jobs/mark-dead-letter';
import { createNewProducts } from './jobs/new-products';
import { createReconcile } from './jobs/reconcile';
import { createRecordHistory } from './jobs/record-history';
import { createResync, createResyncLater } from './jobs/resync';
import { createRunJob } from './jobs/run-job';
import { createSalesDocuments } from './jobs/sales-documents';
import { createSweep } from './jobs/sweep';
import { createSyncPart } from './jobs/sync-part';
import { createSyncSku, type DryRun } from './jobs/sync-sku';
import { createTestNotification } from './jobs/test-notification';
import { createTrackedChanges } from './jobs/tracked-changes';
import { startJobWorker, startJobWorkers } from './job-workers';
import { createWorkerMetrics } from './metrics';
import { createEmailChannel, createWebhookChannel, type Channel } from './notifications/channels';
import { startNotifier } from './notifications/notifier';
import { openOrders } from './orders';
import { rulesFingerprint } from './rule-settings';
import { readWorkerSettings, settingsFingerprint, type WorkerSettings } from './settings';
import { createStartChecks } from './start-checks';

/** How often a worker checks that the schedules exist, in milliseconds. */
const SCHEDULES_CHECK_MS = 10_000;
/** How often the counts for the charts of the dashboard are sent, in milliseconds. */
const FLUSH_MS = 2_000;
/** A worker that stops returns its unfinished jobs after this time, in milliseconds. */
const RETURN_MS = 6_000;
/** Jobs of the lookup queue at once. */
const LOOKUPS_AT_ONCE = 10;
/**
 * The time limit of a job, as a multiple of the timeout of a call: a job makes several, and waits for those of others.
 */
const JOB_TIMEOUTS = 20;

async function main(environment: Environment): Promise<void> {
  const settings = readWorkerSettings(environment);
  const log = createLog({ service: 'worker', level: settings.LOG_LEVEL, format: settings.LOG_FORMAT });
  const dryRun = dryRunOf(settings, log);
  const writes = dryRun === undefined;

  const tracing = await startTracing('worker', settings.OTEL_EXPORTER_OTLP_ENDPOINT);
  const connection = connectToRedis(settings.REDIS_URL, {
    prefix: settings.REDIS_PREFIX,
    cluster: settings.REDIS_CLUSTER,
    whileUnreachable: { wait: true },
    telemetry: tracing?.telemetry,
    onChange: (state, reason) =>
      state === 'reachable'
        ? log.info('Redis is reachable')
        : log.error(`Redis is unreachable: ${reason}. Work waits and resumes by itself`),
  });
  const { redis, now } = connection;
  const queues = openJobQueues(connection);
  const deadLetters = openDeadLetters(connection);
  const parts = openParts(connection);
  const products = openProducts(connection);
  const stockItems = openStockItems(connection);
  const fencing = openFencing(connection);
  const canarySkus = openCanarySkus(connection);
  const resyncLater = createResyncLater(queues, parts);
  const fingerprint = settingsFingerprint(settings);
  const rulesInForce = openRulesInForce(connection, rulesFingerprint(settings.rules));
  const requestReconcile = async (event: string, retriesFailed = false) => {
    if (settings.RECONCILE_INTERVAL_MINUTES === 0 && !retriesFailed) return;
    await queues.enqueue([{ kind: 'reconcile', event, retriesFailed }]);
  };

  const activity = openActivity(connection);
  const connections = connectToSystems(settings, connection, log, (system, isFailure) => {
    activity.called(system, isFailure);
    metrics.calls.inc({ system, result: isFailure ? 'failed' : 'answered' });
  });
  const { inventree, magento } = connections;
  const breaker = createBreaker({
    state: openCircuitBreakers(connection),
    probes: createProbes({
      connections,
      canarySkus,
      fencing,
      resyncLater,
    }),
    queues,
    settings: fingerprint,
    onClosed: name => requestReconcile(`${name.startsWith('magento') ? 'Magento' : 'InvenTree'} is reachable again`),
    log,
  });
  const orders = openOrders({ settings, connection, connections, breaker, queues, deadLetters, now, log });
  const metrics = createWorkerMetrics({
    queues,
    deadLetters,
    unbooked: orders.unbooked,
    openBreakers: breaker.open,
    now,
  });

  const partJobs = createPartJobsUnderWay();
  const storeReads = createStoreReads({ connections, breaker, jobs: partJobs });
  const productLookups = createProductLookups({ connections, breaker, jobs: partJobs, products, now });
  const stopping = new AbortController();
  const bounds = { days: settings.HISTORY_DAYS, entries: settings.HISTORY_ENTRIES };
  const history = openHistory(connection, bounds);
  const recordHistory = createRecordHistory({ history, now });
  const common = { connections, parts, queues, rulesInForce, recordHistory, orders: orders.stock, now, log };
  const onPartGone = settings.ON_PART_GONE;
  const comparison = { writes, onPartGone, maxZeroedPercent: settings.RECONCILE_MAX_ZEROED_PERCENT, metrics };

  const partClaims = openPartClaims(connection);
  const stockWrites = createStockWrites({
    connections,
    breaker,
    fencing,
    slots: openSemaphore(connection, 'magento', settings.MAGENTO_CONCURRENCY),
    canarySkus,
    resyncLater,
    orders: orders.stock,
    jobs: partJobs,
    partClaims,
  });
  const locationsVersion = openLocationsVersion(connection);
  const partReads = createPartReads({
    connections,
    breaker,
    stockItems,
    callsAtOnce: settings.INVENTREE_CONCURRENCY,
    jobs: partJobs,
  });
  const skuLookups = createSkuLookups({ connections, breaker, jobs: partJobs, parts });
  const notifier = startNotifier({
    channels: channelsFrom(settings),
    settings: {
      outageMs: settings.NOTIFY_AFTER_MINUTES * 60_000,
      stuckOrderMs: settings.ORDERS_STUCK_HOURS * 60 * 60_000,
      tokenExpiresAt: settings.INVENTREE_TOKEN_EXPIRES,
    },
    readStatus: () => readStatus(connection, { queues, deadLetters }),
    readUnbookedOrders: orders.readUnbooked,
    active: openActiveAlerts(connection),
    lease: openSemaphore(connection, 'notifier', 1),
    shop: settings.REDIS_PREFIX,
    dashboardUrl: settings.DASHBOARD_URL,
    log,
  });
  const historyCopy =
    settings.HISTORY_DATABASE_URL === undefined
      ? undefined
      : startHistoryCopy({
          history,
          database: openHistoryDatabase(settings.HISTORY_DATABASE_URL, settings.REDIS_PREFIX),
          lease: openSemaphore(connection, 'history-copy', 1),
          days: settings.HISTORY_DATABASE_DAYS,
          now,
          log,
        });
  const handlers = jobHandlers({
    ...orders.jobs({ partReads, skuLookups, parts, dryRun }),
    testNotification: createTestNotification({ notifier, connection }),
    explain: createExplain({ ...common, connection, partReads, skuLookups, storeReads }),
    syncPart: createSyncPart({
      ...common,
      enqueueShortOrders: orders.enqueueShortOrders,
      fencing,
      partReads,
      storeReads,
      jobs: partJobs,
      syncSku: createSyncSku({
        ...common,
        partReads,
        skuLookups,
        productLookups,
        storeReads,
        sellingRules: createSellingRulesLookups({ magento, breaker }),
        stockWrites,
        dryRun,
      }),
      leaveSku: createLeaveSku({ ...common, partReads, productLookups, storeReads, stockWrites, onPartGone, writes }),
    }),
    findPartOfStockItem: createFindPartOfStockItem({ ...common, stockItems }),
    resync: createResync(queues, deadLetters),
    sweep: createSweep({
      ...common,
      ...comparison,
      storeReads,
      lastSweep: openLastSweep(connection),
      locationsVersion,
      lease: openSemaphore(connection, 'sweep', 1),
      salesDocuments: createSalesDocuments({
        magento,
        breaker,
        productLookups,
        parts,
        queues,
        cursors: {
          shipments: openCursor(connection, 'shipments'),
          creditmemos: openCursor(connection, 'creditmemos'),
        },
        log,
      }),
      newProducts: createNewProducts({ ...common, breaker, end: openSourceItemsEnd(connection) }),
      trackedChanges: createTrackedChanges({ inventree, queues, cursor: openCursor(connection, 'tracking') }),
    }),
    reconcile: createReconcile({
      ...common,
      ...comparison,
      breaker,
      storeReads,
      productLookups,
      connection,
      lease: openSemaphore(connection, 'reconcile', 1),
      lastReconcile: openLastReconcile(connection),
      progress: openReconcileProgress(connection),
      locationsVersion,
    }),
  });
  const runJob = createRunJob({
    handlers,
    breaker,
    queues,
    deadLetters,
    parts,
    products,
    resyncLater,
    recordHistory,
    onUpdate: activity.updated,
    maxAttempts: settings.MAX_ATTEMPTS,
    timeLimitMs: JOB_TIMEOUTS * settings.TIMEOUT * 1000,
    partClaims,
    stopping: stopping.signal,
    now,
    metrics,
    log,
  });

  // Commands that block get a connection for each worker from BullMQ.
  const shared = { ...connection, redis: connection.duplicate() };
  const workers = [
    ...startJobWorkers(QUEUES.parts, runJob, settings.WORKER_CONCURRENCY, shared, log),
    startJobWorker(QUEUES.lookups, runJob, LOOKUPS_AT_ONCE, shared, log),
    startJobWorker(QUEUES.deadLetters, createMarkDeadLetter({ queues, log }).run, 1, shared, log),
  ];

  /** An older worker cannot read a job of several parts, and ends it without them. */
  async function enqueueLeftParts(): Promise<void> {
    const left = await partClaims.releaseLeft();
    if (left.length === 0) return;
    log.info(`A worker of an older version left ${left.length} parts, which are synced now: ${left.join(', ')}`);
    await queues.enqueue(left.map(part => ({ kind: 'part', part, event: 'left by an older version' })));
  }

  // None of this is awaited, because Redis may be unreachable; and schedules are checked again, because it may be
  // emptied.
  const keepSchedules = () => {
    Promise.all([
      queues.schedule('sweep', settings.SWEEP_INTERVAL_SECONDS),
      queues.schedule('reconcile', settings.RECONCILE_INTERVAL_MINUTES * 60),
      queues.schedule('find-orders', orders.intervalSeconds),
    ]).catch((error: unknown) =>
      log.error(`Sweep, reconcile and the search for orders are not scheduled: ${errorMessage(error)}`),
    );
    enqueueLeftParts().catch((error: unknown) =>
      log.error(`The parts that an older worker left are not enqueued: ${errorMessage(error)}`),
    );
  };

  async function moveAndReconcile(): Promise<void> {
    const moved = await migrate(connection);
    if (moved) log.info(`Moved the state of version 0.1 to keys with a prefix: ${JSON.stringify(moved)}`, { ...moved });
    const earlier = await moveEarlierParts(connection);
    if (earlier > 0) {
      log.info(`Moved what was remembered of ${earlier} parts to keys that take less memory`, { parts: earlier });
    }
    const areNew = await areSettingsNew(connection, fingerprint);
    await requestReconcile(areNew ? 'start-up with other settings' : 'start-up', areNew);
  }
  // The first sweep compares with what was moved.
  void moveAndReconcile()
    .catch((error: unknown) => log.error(`No reconcile at start-up: ${errorMessage(error)}`))
    .then(keepSchedules);
  const startChecks = createStartChecks({
    magento,
    stockApi: connections.stockApi,
    offerRules: connections.offerRules,
    redisProblems: () => findRedisProblems(connection),
    requireMagento: () => breaker.requireNow('magento-read'),
    sourceMap: settings.SOURCE_MAP,
    stored: openStartProblems(connection),
    log,
  });
  void startChecks.run();
  const schedules = setInterval(keepSchedules, SCHEDULES_CHECK_MS);
  const flushing = setInterval(() => void activity.flush(), FLUSH_MS);

  const application = createWebApplication();
  addOperatorRoutes(application, metrics.registry, async () => {
    const reasons = breaker
      .open()
      .map(({ name, since, reason }) => `${name} is waiting since ${new Date(since).toISOString()}: ${reason}`);
    if (redis.status === 'ready') await redis.ping();
    else reasons.push('Redis is unreachable');
    return reasons.length > 0 ? reasons.join('; ') : undefined;
  });
  const server = await listenNear(application, settings.WORKER_PORT, log);

  stopOnSignal(log, async () => {
    clearInterval(schedules);
    clearInterval(flushing);
    await activity.flush();
    startChecks.stop();
    notifier.stop();
    const copyEnded = historyCopy?.stop();
    setTimeout(() => stopping.abort(), RETURN_MS).unref();
    await Promise.all(workers.map(worker => worker.close()));
    breaker.stop();
    await closeServer(server);
    await Promise.all([queues.close(), deadLetters.close()]);
    await withinPatience(Promise.all([copyEnded, tracing?.stop()]));
    redis.disconnect();
    connections.close();
  });
  log.info(`Working, ${settings.WORKER_CONCURRENCY} parts at once; health and metrics are on port ${portOf(server)}`);
}

function channelsFrom(settings: WorkerSettings): Channel[] {
  const { NOTIFY_WEBHOOK_URL, NOTIFY_EMAIL_TO: to, NOTIFY_EMAIL_FROM: from, SMTP_URL: smtpUrl } = settings;
  return [
    ...(NOTIFY_WEBHOOK_URL ? [createWebhookChannel(NOTIFY_WEBHOOK_URL)] : []),
    ...(to && smtpUrl ? [createEmailChannel({ smtpUrl, from, to })] : []),
  ];
}

/** Says why nothing will be written, and what to do about it; undefined where the store is written. */
function dryRunOf({ ENABLE_SYNC, DRY_RUN }: WorkerSettings, log: Log): DryRun | undefined {
  if (!ENABLE_SYNC) {
    log.warn(
      'ENABLE_SYNC is off: nothing is written to Magento, and the log says what would be written. ' +
        'Set ENABLE_SYNC=true when that looks right.',
    );
    return 'ENABLE_SYNC off';
  }
  if (!DRY_RUN) return undefined;
  log.warn('DRY_RUN is on: nothing is written to Magento, and the log says what would be written.');
  return 'DRY_RUN';
}

/** Listens on this port or, where another worker of the same machine has it, on any free one. */
async function listenNear(application: Express, port: number, log: Log) {
  try {
    return await listen(application, port);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error;
    log.info(`WORKER_PORT ${port} is in use, probably by another worker: health and metrics are on a free port`);
    return listen(application, 0);
  }
}

runMain(main);
