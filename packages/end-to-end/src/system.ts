import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  postWebhook,
  startInvenTree,
  startMagento,
  type InvenTreeStandIn,
  type MagentoStandIn,
  type MagentoStandInOptions,
} from '@stock-sync/stand-ins';
import { claimDatabase, type RedisDatabase } from './redis-database';
import { startService, type LogLine, type ServiceProcess } from './service-process';

export interface SystemOptions {
  /** A Redis server; the system takes an empty database of it. */
  redisServer: string;
  /** Another way to that database, e.g. through a proxy that can be cut. */
  redisUrlFor?: (url: string) => string;
  workers?: number;
  /** Variables of the services, beside those that name the stand-ins. */
  environment?: Record<string, string>;
  /** Whether InvenTree has our plugin: its endpoint, and its webhooks. */
  plugin?: boolean;
  /** `bare`: InvenTree's own events, without parts. `none`: the test sends them itself. */
  sends?: 'plugin' | 'bare' | 'none';
  sendAgainAfterMs?: number;
  latency?: boolean;
  magento?: MagentoStandInOptions;
  /** Whether the services do not hear Ctrl-C in our terminal. */
  detached?: boolean;
}

/** InvenTree and Magento stand-ins with ingest and workers between them. */
export interface System {
  inventree: InvenTreeStandIn;
  magento: MagentoStandIn;
  database: RedisDatabase;
  ingest: ServiceProcess;
  workers: ServiceProcess[];
  /** The services' environment. */
  environment: Record<string, string>;
  /** Posts a webhook; the status of the answer. */
  send(content: unknown, id?: string): Promise<number>;
  /** All workers' log lines. */
  workerLog(): LogLine[];
  startWorker(more?: Record<string, string>): Promise<ServiceProcess>;
  /** Resolves when every webhook is accepted and no job waits, is delayed or under way. */
  quiet(): Promise<void>;
  stop(): Promise<void>;
}

/** `whsec_` and 24 bytes in base64, for demo and tests only. */
export const TEST_SECRET = 'whsec_dGVzdC1zZWNyZXQtb2YtMjQtYnl0ZXMhISE=';
const [PARTS, LOOKUPS] = ['bull:stock-sync', 'bull:stock-sync-lookup'];

/** Jobs that wait, are delayed or under way; not what is only due later: looking again after a doubt, the next sweep. */
export async function jobsUnderWay(redis: RedisDatabase['redis']): Promise<number> {
  const counts = await Promise.all([
    ...[PARTS, LOOKUPS].flatMap(queue => [redis.llen(`${queue}:wait`), redis.llen(`${queue}:active`)]),
    redis.zcard(`${PARTS}:delayed`),
  ]);
  const delayed = (await redis.zrange(`${LOOKUPS}:delayed`, '0', '-1')).filter(id => !id.startsWith('repeat:'));
  const names = await Promise.all(delayed.map(id => redis.hget(`${LOOKUPS}:${id}`, 'name')));
  const asked = names.filter(name => name === 'stock-item' || name === 'reconcile');
  return counts.reduce((sum, count) => sum + count, asked.length);
}

/** Starts the whole way of a change. */
export async function startSystem(options: SystemOptions): Promise<System> {
  const database = await claimDatabase(options.redisServer);
  const inventree = await startInvenTree({ plugin: options.plugin ?? true, latency: options.latency ?? false });
  const magento = await startMagento({ latency: options.latency ?? false, ...options.magento });
  const environment: Record<string, string> = {
    REDIS_URL: options.redisUrlFor?.(database.url) ?? database.url,
    INVENTREE_URL: inventree.url,
    INVENTREE_TOKEN: inventree.tokens.viewer,
    MAGENTO_URL: magento.url,
    MAGENTO_ACCESS_TOKEN: magento.integration.accessToken,
    MAGENTO_CONSUMER_KEY: magento.integration.consumerKey,
    MAGENTO_CONSUMER_SECRET: magento.integration.consumerSecret,
    MAGENTO_ACCESS_TOKEN_SECRET: magento.integration.accessTokenSecret,
    WEBHOOK_SECRET: TEST_SECRET,
    ENABLE_SYNC: 'true',
    TIMEOUT: '5',
    // Not to hide what an event should have done.
    SWEEP_INTERVAL_SECONDS: '0',
    RECONCILE_INTERVAL_MINUTES: '0',
    ...options.environment,
  };
  const launch = { detached: options.detached ?? false };
  const ingest = await startService('ingest', environment, launch);
  const workers: ServiceProcess[] = [];
  const startWorker = async (more: Record<string, string> = {}) => {
    const worker = await startService('worker', { ...environment, ...more }, launch);
    workers.push(worker);
    return worker;
  };
  await Promise.all(Array.from({ length: options.workers ?? 1 }, () => startWorker()));
  const sends = options.sends ?? 'plugin';
  if (sends !== 'none') {
    const again = options.sendAgainAfterMs === undefined ? {} : { againAfterMs: options.sendAgainAfterMs };
    inventree.sendTo({ url: ingest.url, secret: TEST_SECRET, sends, ...again });
  }

  return {
    inventree,
    magento,
    database,
    ingest,
    workers,
    environment,
    startWorker,
    send: (content, id = `msg_${randomUUID()}`) =>
      postWebhook({ url: ingest.url, secret: TEST_SECRET }, JSON.stringify(content), id),
    workerLog: () => workers.flatMap(worker => worker.log),
    async quiet() {
      await inventree.idle();
      for (let still = 0; still < 3;) {
        still = (await jobsUnderWay(database.redis)) === 0 ? still + 1 : 0;
        await sleep(10);
      }
    },
    async stop() {
      inventree.sendTo();
      await Promise.all([ingest.stop(), ...workers.map(worker => worker.stop())]);
      await Promise.all([inventree.close(), magento.close()]);
      await database.release();
    },
  };
}
