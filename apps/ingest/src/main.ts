import { setTimeout as sleep } from 'node:timers/promises';
import { connectToRedis, openBridge, openKnownParts, openSyncQueue, openWebhookIds } from '@stock-sync/queue';
import { closeServer, createLog, endOnSignal, listen, portOf, runMain, type Environment } from '@stock-sync/service';
import type { Change } from '@stock-sync/sync-core';
import { watchBridge } from './bridge-watch';
import { ingestConfiguration } from './configuration';
import { createIngestMetrics } from './metrics';
import { createRefusalLog } from './refusal-log';
import { createIngestApplication } from './routes';

/** How long a sender may wait for Redis, in milliseconds, before it is told to send again. */
const REDIS_PATIENCE_MS = 3_000;
/** The least that Standard Webhooks asks of a secret, in bytes. */
const SECRET_BYTES = 24;

async function main(environment: Environment): Promise<void> {
  const configuration = ingestConfiguration(environment);
  const log = createLog({ service: 'ingest', level: configuration.LOG_LEVEL, format: configuration.LOG_FORMAT });
  const redis = connectToRedis(configuration.REDIS_URL, {
    whileAway: { fail: true, afterMs: REDIS_PATIENCE_MS },
    onChange: (state, reason) =>
      state === 'there' ? log.info('Redis is there') : log.error(`Redis is away, webhooks are answered 503: ${reason}`),
  });
  const queue = openSyncQueue(redis, {
    delayMs: configuration.SYNC_DELAY_MS,
    attempts: configuration.MAX_ATTEMPTS,
    failFast: true,
  });
  const switches: Record<Change, boolean> = {
    created: configuration.SYNC_ON_CREATE,
    updated: configuration.SYNC_ON_UPDATE,
    deleted: configuration.SYNC_ON_DELETE,
  };
  for (const [change, on] of Object.entries(switches)) {
    if (!on)
      log.warn(
        `events that tell of something ${change} are ignored: SYNC_ON_${change.slice(0, -1).toUpperCase()} is off`,
      );
  }
  if (configuration.WEBHOOK_SECRET.some(secret => secret.length < SECRET_BYTES)) {
    log.warn(`a secret in WEBHOOK_SECRET is shorter than ${SECRET_BYTES} bytes: easier to guess than it should be`);
  }

  // Whoever sends as soon as the port is open should not be turned away because we were not yet connected.
  await Promise.race([new Promise(resolve => redis.once('ready', resolve)), sleep(REDIS_PATIENCE_MS)]);

  const bridge = openBridge(redis);
  const metrics = createIngestMetrics();
  const bridgeWatch = watchBridge(bridge, log, metrics);
  const application = createIngestApplication({
    secrets: configuration.WEBHOOK_SECRET,
    isSwitchedOn: change => switches[change],
    queue,
    webhookIds: openWebhookIds(redis),
    knownParts: openKnownParts(redis),
    bridge,
    bridgeState: bridgeWatch.state,
    metrics,
    log,
    logRefusal: createRefusalLog(log),
    requestsPerMinute: configuration.INGEST_RATE_LIMIT,
    notReady: () =>
      redis.ping().then(
        () => undefined,
        (error: unknown) => `Redis: ${(error as Error).message}`,
      ),
  });
  const server = await listen(application, configuration.INGEST_PORT);

  endOnSignal(log, async () => {
    bridgeWatch.stop();
    await closeServer(server);
    await queue.close();
    redis.disconnect();
  });
  log.info(`listening on port ${portOf(server)}`);
}

runMain(main);
