import { setTimeout as sleep } from 'node:timers/promises';
import type { Change } from '@stock-sync/domain';
import {
  closeServer,
  createLog,
  errorMessage,
  listen,
  portOf,
  readSettings,
  runMain,
  startTracing,
  stopOnSignal,
  withinPatience,
  type Environment,
} from '@stock-sync/service';
import {
  connectToRedis,
  openDeadLetters,
  openHistory,
  openJobQueues,
  openKnownInstance,
  openOutcomeCounts,
  openParts,
  openPluginHeartbeat,
  openStartProblems,
  openStockItems,
  openWebhookIds,
} from '@stock-sync/state';
import { createIngestMetrics } from './metrics';
import { watchPlugin } from './plugin-watch';
import { createRefusalLog } from './refusal-log';
import { createIngestApplication, createOperatorApplication } from './routes';
import { ingestSettings } from './settings';

/** How long a sender waits for Redis, in milliseconds, before it is asked to send again. */
const REDIS_TIMEOUT_MS = 3_000;
/** The least that Standard Webhooks requires of a secret, in bytes. */
const SECRET_BYTES = 24;

async function main(environment: Environment): Promise<void> {
  const settings = readSettings(environment, ingestSettings);
  const log = createLog({ service: 'ingest', level: settings.LOG_LEVEL, format: settings.LOG_FORMAT });
  const tracing = await startTracing('ingest', settings.OTEL_EXPORTER_OTLP_ENDPOINT);
  const connection = connectToRedis(settings.REDIS_URL, {
    prefix: settings.REDIS_PREFIX,
    cluster: settings.REDIS_CLUSTER,
    whileUnreachable: { fail: true, afterMs: REDIS_TIMEOUT_MS },
    telemetry: tracing?.telemetry,
    onChange: (state, reason) =>
      state === 'reachable'
        ? log.info('Redis is reachable')
        : log.error(`Redis is unreachable, so webhooks are answered 503: ${reason}`),
  });
  const { redis } = connection;
  const queues = openJobQueues(connection, { eventDelayMs: settings.SYNC_DELAY_MS, failFast: true });
  const enabled: Record<Change, boolean> = {
    created: settings.SYNC_ON_CREATE,
    updated: settings.SYNC_ON_UPDATE,
    deleted: settings.SYNC_ON_DELETE,
  };
  for (const [change, isEnabled] of Object.entries(enabled)) {
    if (isEnabled) continue;
    log.warn(`SYNC_ON_${change.slice(0, -1).toUpperCase()} is off: events about something ${change} are ignored`);
  }
  if (settings.WEBHOOK_SECRET.some(secret => secret.length < SECRET_BYTES)) {
    log.warn(
      `WEBHOOK_SECRET has a secret of less than ${SECRET_BYTES} bytes, which is easier to guess than it should be`,
    );
  }

  // A sender that connects as soon as the port is open must not be refused because Redis was not connected yet.
  await Promise.race([new Promise(resolve => redis.once('ready', resolve)), sleep(REDIS_TIMEOUT_MS)]);

  const heartbeat = openPluginHeartbeat(connection);
  const metrics = createIngestMetrics();
  const pluginWatch = watchPlugin(heartbeat, log, metrics, connection.now);
  const parts = openParts(connection);
  const deadLetters = openDeadLetters(connection);
  const application = createIngestApplication({
    connection,
    parts,
    deadLetters,
    history: openHistory(connection),
    outcomeCounts: openOutcomeCounts(parts),
    dashboardUrl: settings.DASHBOARD_URL,
    secrets: settings.WEBHOOK_SECRET,
    storeSecrets: settings.MAGENTO_WEBHOOK_SECRET,
    isEnabled: change => enabled[change],
    queues,
    webhookIds: openWebhookIds(connection),
    stockItems: openStockItems(connection),
    heartbeat,
    knownInstance: openKnownInstance(connection),
    onlyInstance: settings.INVENTREE_INSTANCE
      ? { id: settings.INVENTREE_INSTANCE, url: 'of INVENTREE_INSTANCE' }
      : undefined,
    metrics,
    log,
    logRefusal: createRefusalLog(log),
    requestsPerMinute: settings.INGEST_RATE_LIMIT,
    tracing,
  });
  const operatorApplication = createOperatorApplication({
    pluginWatch,
    startProblems: openStartProblems(connection),
    registry: metrics.registry,
    notReady: () =>
      redis.ping().then(
        () => undefined,
        (error: unknown) => `Redis is unreachable: ${errorMessage(error)}`,
      ),
  });
  const server = await listen(application, settings.INGEST_PORT);
  const operatorServer = await listen(operatorApplication, settings.INGEST_OPERATOR_PORT);

  stopOnSignal(log, async () => {
    pluginWatch.stop();
    await Promise.all([closeServer(server), closeServer(operatorServer)]);
    await Promise.all([queues.close(), deadLetters.close()]);
    redis.disconnect();
    await withinPatience(Promise.resolve(tracing?.stop()));
  });
  const operatorPort = portOf(operatorServer);
  log.info(`Listening for webhooks on port ${portOf(server)}; health, metrics and status are on port ${operatorPort}`);
}

runMain(main);
