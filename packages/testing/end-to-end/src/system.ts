import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  postWebhook,
  startInvenTree,
  startMagento,
  type FakeInvenTree,
  type FakeMagento,
  type FakeMagentoOptions,
} from '@stock-sync/fakes';
import { reserveDatabase, type RedisDatabase } from '@stock-sync/servers';
import { startService, type LogLine, type ServiceProcess } from './service-process';

export interface SystemOptions {
  /** A Redis server with an empty database. */
  redisServer: string;
  /** The URL by which the services reach that database, e.g. through a proxy. */
  redisUrlFor?: (url: string) => string;
  workers?: number;
  /** Settings of the services, beside those for the fakes. */
  environment?: Record<string, string>;
  /** Whether InvenTree has our plugin: its endpoint, and its webhooks. */
  plugin?: boolean;
  /** `bare`: InvenTree's own events, without parts. `none`: the test sends webhooks itself. */
  sends?: 'plugin' | 'bare' | 'none';
  sendAgainAfterMs?: number;
  latency?: boolean;
  magento?: FakeMagentoOptions;
  /** Whether Ctrl-C in our terminal does not reach the services. */
  detached?: boolean;
}

/** A fake InvenTree and a fake Magento with ingest and workers between them. */
export interface System {
  inventree: FakeInvenTree;
  magento: FakeMagento;
  database: RedisDatabase;
  ingest: ServiceProcess;
  workers: ServiceProcess[];
  /** The environment of the services. */
  environment: Record<string, string>;
  /** Sends a webhook; resolves with the status of the answer. */
  send(content: unknown, id?: string): Promise<number>;
  /** The log lines of all workers. */
  workerLog(): LogLine[];
  startWorker(more?: Record<string, string>): Promise<ServiceProcess>;
  /** Resolves when every webhook is accepted and no job is left. */
  quiet(): Promise<void>;
  stop(): Promise<void>;
}

/** `whsec_` and 24 bytes in base64, for demo and tests only. */
export const TEST_SECRET = 'whsec_dGVzdC1zZWNyZXQtb2YtMjQtYnl0ZXMhISE=';

/** The keys of a queue in Redis. */
export const queueKey = (queue: 'parts' | 'lookups' | 'dead-letters', key: string) =>
  `{stock-sync}:queue:${queue}:${key}`;

/** Lookups that are requested now; others (resyncs, schedules) are due later. */
const REQUESTED = ['stock-item', 'sweep', 'reconcile', 'reconcile-command'];

/** Jobs that wait, are delayed or running, but for those that are due later. */
export async function unfinishedJobs(redis: RedisDatabase['redis']): Promise<number> {
  // In one transaction: a job that becomes due between two reads would be in neither.
  const found = await redis
    .multi()
    .zrange(queueKey('lookups', 'delayed'), '0', '-1')
    .llen(queueKey('lookups', 'wait'))
    .llen(queueKey('lookups', 'active'))
    .llen(queueKey('parts', 'wait'))
    .llen(queueKey('parts', 'active'))
    .zcard(queueKey('parts', 'delayed'))
    .exec();
  const replies = (found ?? []).map(([error, reply]) => {
    if (error) throw error;
    return reply;
  });
  const [delayed, ...counts] = replies as [string[], ...number[]];
  const ids = delayed.filter(id => !id.startsWith('repeat:'));
  const jobs = await Promise.all(ids.map(id => redis.hget(queueKey('lookups', id), 'data')));
  const requested = jobs.filter(data => REQUESTED.includes((JSON.parse(data ?? '{}') as { kind?: string }).kind ?? ''));
  return counts.reduce((sum, count) => sum + count, requested.length);
}

/** The settings by which our services reach these fakes; without sweeps, which would hide what an event should do. */
export function settingsFor(inventree: FakeInvenTree, magento: FakeMagento): Record<string, string> {
  return {
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
    SWEEP_INTERVAL_SECONDS: '0',
    RECONCILE_INTERVAL_MINUTES: '0',
  };
}

/** Starts ingest and workers between a fake InvenTree and a fake Magento. */
export async function startSystem(options: SystemOptions): Promise<System> {
  const database = await reserveDatabase(options.redisServer);
  const inventree = await startInvenTree({ plugin: options.plugin ?? true, latency: options.latency ?? false });
  const magento = await startMagento({ latency: options.latency ?? false, ...options.magento });
  const environment: Record<string, string> = {
    REDIS_URL: options.redisUrlFor?.(database.url) ?? database.url,
    ...settingsFor(inventree, magento),
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
        still = (await unfinishedJobs(database.redis)) === 0 ? still + 1 : 0;
        await sleep(10);
      }
    },
    async stop() {
      inventree.sendTo();
      await Promise.all([ingest.stop(), ...workers.map(worker => worker.stop())]);
      try {
        await Promise.all([inventree.close(), magento.close()]);
      } finally {
        await database.release();
      }
    },
  };
}
