import { requestReconcile, startService, TEST_SECRET, type ServiceProcess } from '@stock-sync/end-to-end';
import { startRedis, type RedisProcess } from '@stock-sync/servers';
import { connectToRedis, openCircuitBreakers } from '@stock-sync/state';
import {
  startInvenTree,
  startMagento,
  type Fault,
  type FakeInvenTree,
  type FakeMagento,
  type FakeCall,
  type WebhookTarget,
} from '@stock-sync/fakes';
import { setTimeout as sleep } from 'node:timers/promises';
import { expectedQuantity, RULES } from './expected-quantity';
import { randomFrom, type Random } from './random';
import type { CallFault, Happening, Schedule } from './schedule';
import { userAction } from './user-actions';

/** An accepted webhook: its parts, and when it was sent. */
export interface Accepted {
  parts: number[];
  sentAt: number;
}

/** The whole system, and what can happen to it. */
export interface World {
  inventree: FakeInvenTree;
  magento: FakeMagento;
  redis: RedisProcess;
  accepted: Accepted[];
  /** How often each thing happened. */
  totals: Map<string, number>;
  /** What happened, with the milliseconds since the start. */
  story: string[];
  happen(what: Happening): void;
  /** Ends every fault, and restarts everything that was stopped. */
  calm(): Promise<void>;
  /** Requests a reconcile. */
  requestReconcile(): Promise<void>;
  serviceLogs(): string[];
  stop(): Promise<void>;
}

/** SKUs as a shop may have them. */
const SKU_KINDS = ['PLAIN', 'With space', 'a/b', 'Größe-Ω', 'comma,1'];
export const skuOf = (n: number) => `${SKU_KINDS[n % SKU_KINDS.length] ?? ''}-${n}`;

/** A part that is not sold online, and one whose product appears later. */
const NOT_SOLD = 'NOT-SOLD';
const SOLD_LATER = 'SOLD-LATER';

const FIRST_QUANTITY = 10;
/** Where webhooks go while ingest is down. Its own port might belong to another test by then. */
const NOWHERE = 'http://127.0.0.1:1';
/** How long it takes at most until a store that answers nothing is probed, in milliseconds. */
const PROBES_WITHIN_MS = 8_000;
const PAGE: Fault = { answer: { status: 503, headers: { 'content-type': 'text/html' }, body: '<title>Busy</title>' } };
const jsonAnswer = (status: number, body: unknown, headers: Record<string, string> = {}): Fault => ({
  answer: { status, headers: { 'content-type': 'application/json', ...headers }, body },
});
const PAGE_403: Fault = {
  answer: { status: 403, headers: { 'content-type': 'text/html' }, body: '<title>403 Forbidden</title>' },
};
const UNAUTHORIZED = jsonAnswer(401, {
  message: "The consumer isn't authorized to access %resources.",
  parameters: { resources: 'Magento_InventoryApi::source' },
});
const TEXT_500 = jsonAnswer(500, 'An error has happened during application run.');

/**
 * Starts everything, with every SKU in sync.
 * @param besideRoot the repository of another version, which every second process of an app is started from
 */
export async function startWorld(schedule: Schedule, redisProgram: string, besideRoot?: string): Promise<World> {
  const random = randomFrom(schedule.seed);
  const startedAt = Date.now();
  const totals = new Map<string, number>();
  const story: string[] = [];
  const accepted: Accepted[] = [];
  const seenIds = new Set<string>();
  const note = (what: string) => {
    totals.set(what, (totals.get(what) ?? 0) + 1);
    story.push(`${Date.now() - startedAt} ms: ${what}`);
  };

  const redis = await startRedis(redisProgram);
  const inventree = await startInvenTree({ plugin: schedule.plugin });
  const magento = await startMagento();
  const { shop } = inventree;
  const locations = ['Main', 'Shelf', 'Van'].map(name => shop.addLocation(name));
  for (let n = 0; n < schedule.parts; n++) {
    const part = shop.addPart({ name: skuOf(n) });
    shop.insertItem({ part: part.pk, quantity: FIRST_QUANTITY, location: locations[n % 3]?.pk ?? null });
    magento.store.addProduct(part.name, { quantity: expectedQuantity(shop, part.pk, schedule.hasRules) });
  }

  for (const name of [NOT_SOLD, SOLD_LATER]) {
    shop.insertItem({ part: shop.addPart({ name }).pk, quantity: FIRST_QUANTITY, location: null });
  }

  const environment: Record<string, string> = {
    REDIS_URL: redis.url,
    INVENTREE_URL: inventree.url,
    INVENTREE_TOKEN: inventree.tokens.viewer,
    MAGENTO_URL: magento.url,
    MAGENTO_ACCESS_TOKEN: magento.integration.accessToken,
    WEBHOOK_SECRET: TEST_SECRET,
    ENABLE_SYNC: 'true',
    TIMEOUT: '1',
    // Enough for the pauses between attempts to outlast every fault of a seed.
    MAX_ATTEMPTS: '6',
    SYNC_DELAY_MS: '50',
    // In a shop this small, a single part is much of it.
    RECONCILE_MAX_ZEROED_PERCENT: '100',
    SWEEP_INTERVAL_SECONDS: schedule.heals ? '3' : '0',
    RECONCILE_INTERVAL_MINUTES: schedule.heals ? '1' : '0',
    ...(schedule.hasRules && RULES),
  };
  /** All that were ever started. */
  const services: ServiceProcess[] = [];
  const starts = { ingest: 0, worker: 0 };
  let ending = false;
  const start = async (app: 'ingest' | 'worker'): Promise<ServiceProcess> => {
    const isOther = starts[app]++ % 2 === 1;
    const service = await startService(app, environment, { root: isOther ? besideRoot : undefined });
    if (isOther && besideRoot !== undefined) note(`${app} of the other version started`);
    services.push(service);
    if (ending) service.kill('SIGKILL');
    return service;
  };
  let ingest = await start('ingest');
  const workers = await Promise.all(Array.from({ length: schedule.workers }, () => start('worker')));

  const target: WebhookTarget = {
    url: ingest.url,
    secret: TEST_SECRET,
    sends: 'plugin',
    fate() {
      const { lost, doubled, delayed } = schedule.webhooks;
      if (random.chance(lost)) {
        note('webhook lost');
        return { lost: true };
      }
      const delayMs = random.chance(delayed) ? random.between(1, 1_500) : 0;
      const isDoubled = random.chance(doubled);
      if (delayMs > 0) note('webhook delayed');
      if (isDoubled) note('webhook doubled');
      return { delayMs, ...(isDoubled && { againAfterMs: random.between(0, 2_000) }) };
    },
    onAccepted(body, id, sentAt) {
      // A repeated webhook contains nothing new.
      if (seenIds.has(id)) return;
      seenIds.add(id);
      const { events = [] } = body as { events?: { parts?: number[] }[] };
      accepted.push({ parts: events.flatMap(event => event.parts ?? []), sentAt });
    },
  };
  inventree.sendTo(target);

  const running = new Set<Promise<unknown>>();
  const stopped = new Set<ServiceProcess>();
  const faults = { magento: new Set<Faults>(), inventree: new Set<Faults>() };
  let refuses = false;
  magento.setFault(
    call => (refuses ? refusal(schedule, call) : undefined) ?? faultOf(faults.magento, call, random, note, 'Magento'),
  );
  inventree.setFault(call => faultOf(faults.inventree, call, random, note, 'InvenTree'));
  const during = (work: Promise<unknown>) => {
    running.add(work);
    void work.finally(() => running.delete(work));
  };

  async function kill(whom: 'ingest' | 'worker' | 'redis', downMs: number): Promise<void> {
    note(`${whom} killed`);
    if (whom === 'redis') {
      await redis.kill();
      await sleep(downMs);
      await redis.start();
    } else if (whom === 'ingest') {
      target.url = NOWHERE;
      ingest.kill('SIGKILL');
      await ingest.ended;
      await sleep(downMs);
      if (ending) return;
      ingest = await start('ingest');
      target.url = ingest.url;
    } else {
      const place = random.between(0, workers.length - 1);
      const worker = workers[place];
      if (!worker || worker.process.signalCode !== null) return;
      worker.kill('SIGKILL');
      await worker.ended;
      await sleep(downMs);
      if (!ending) workers[place] = await start('worker');
    }
  }

  async function suspendWorker(forMs: number): Promise<void> {
    const worker = random.one(workers);
    note('worker stopped');
    worker.kill('SIGSTOP');
    stopped.add(worker);
    await sleep(forMs);
    worker.kill('SIGCONT');
    stopped.delete(worker);
  }

  async function killWhileProbing(): Promise<void> {
    const hang: Faults = { fault: 'hang', share: 1 };
    faults.magento.add(hang);
    const connection = connectToRedis(redis.url, { whileUnreachable: { wait: true } });
    const breakers = openCircuitBreakers(connection);
    const until = Date.now() + PROBES_WITHIN_MS;
    try {
      while (!(await breakers.current()).some(({ state }) => state === 'half-open')) {
        // No work, and therefore no probe.
        if (ending || Date.now() > until) return;
        await sleep(20);
      }
    } finally {
      connection.redis.disconnect();
      faults.magento.delete(hang);
    }
    note('all workers killed while one probed');
    await Promise.all(
      workers.map(async (worker, place) => {
        if (worker.process.signalCode !== null) return;
        worker.kill('SIGKILL');
        await worker.ended;
        if (!ending) workers[place] = await start('worker');
      }),
    );
  }

  return {
    inventree,
    magento,
    redis,
    accepted,
    totals,
    story,
    happen(what) {
      switch (what.kind) {
        case 'user action':
          story.push(`${Date.now() - startedAt} ms: user: ${userAction(shop, random, what.part)}`);
          totals.set('user actions', (totals.get('user actions') ?? 0) + 1);
          break;
        case 'stocktake':
          shop.transaction(() => {
            for (let part = 0; part < shop.parts.size; part++) {
              story.push(`${Date.now() - startedAt} ms: stocktake: ${userAction(shop, random, part)}`);
            }
          });
          totals.set('stocktakes', (totals.get('stocktakes') ?? 0) + 1);
          break;
        case 'kill':
          during(kill(what.whom, what.downMs));
          break;
        case 'stop a worker':
          during(suspendWorker(what.forMs));
          break;
        case 'kill while probing':
          during(killWhileProbing());
          break;
        case 'maintenance': {
          const system = what.system === 'magento' ? magento : inventree;
          note(`${what.system} in maintenance`);
          system.setMaintenance(true);
          during(sleep(what.forMs).then(() => system.setMaintenance(false)));
          break;
        }
        case 'faults': {
          const some: Faults = { fault: what.fault, share: what.share };
          faults[what.system].add(some);
          during(sleep(what.forMs).then(() => faults[what.system].delete(some)));
          break;
        }
        case 'by hand': {
          const { name } = random.one([...shop.parts.values()].filter(part => magento.store.product(part.name)));
          note('store changed by hand');
          magento.store.writeSourceItem(name, 'default', random.between(0, 500), random.between(0, 1));
          break;
        }
        case 'product appears':
          note('product appeared');
          magento.store.addProduct(SOLD_LATER, { quantity: 0 });
          break;
        case 'refuse':
          refuses = true;
          break;
        case 'empty redis':
          note('redis emptied');
          during(emptied(redis.url));
          break;
      }
    },
    async calm() {
      while (running.size > 0) await Promise.all(running);
      for (const worker of stopped) worker.kill('SIGCONT');
      await inventree.idle();
    },
    requestReconcile: () => requestReconcile(redis.url, 'chaos'),
    serviceLogs: () =>
      services.flatMap((service, n) =>
        service.log.map(line => `${n} ${String(line.timestamp)} ${line.level} ${line.message}`),
      ),
    async stop() {
      ending = true;
      inventree.sendTo();
      // An ingest that was killed twice at once was started twice.
      for (const service of services) service.kill('SIGKILL');
      await Promise.all(services.map(service => service.ended));
      await Promise.all([inventree.close(), magento.close()]);
      await redis.stop();
    },
  };
}

interface Faults {
  fault: CallFault;
  share: number;
}

/** The fault of a call, if any. */
function faultOf(
  faults: ReadonlySet<Faults>,
  call: FakeCall,
  random: Random,
  note: (what: string) => void,
  system: string,
): Fault | undefined {
  const some = [...faults].find(({ share }) => random.chance(share));
  if (!some) return undefined;
  const fault = callFault(some.fault, call, random);
  if (fault) note(`${system}: ${some.fault}`);
  return fault;
}

function callFault(fault: CallFault, call: FakeCall, random: Random): Fault | undefined {
  switch (fault) {
    case 'page 503':
      return PAGE;
    case 'JSON 500':
      return jsonAnswer(500, {
        message: 'Internal Error. Details are available in Magento log file.',
        error: 'DataError',
      });
    case 'text 500':
      return TEXT_500;
    case '429':
      return jsonAnswer(429, { message: 'Too Many Requests' }, { 'retry-after': '1' });
    case 'reset before':
      return { reset: 'before' };
    case 'reset after':
      return { reset: 'after' };
    case 'hang':
      return { hang: true };
    case 'slow':
      return { answerAfterMs: random.between(100, 800) };
    case 'page 403':
      return PAGE_403;
    case 'single 401':
      return UNAUTHORIZED;
    case 'empty list':
      return emptyList(call);
    case 'answered late':
      return { answerAfterMs: random.between(600, 1_800) };
    case 'done late':
      return call.method === 'GET' ? undefined : { beginAfterMs: random.between(1_500, 6_000) };
  }
}

/** The answer of an InvenTree that has lost its rows, to calls that list some. */
function emptyList({ method, path, body }: FakeCall): Fault | undefined {
  if (path === '/api/stock/' || path === '/api/part/') {
    return jsonAnswer(200, { count: 0, next: null, previous: null, results: [] });
  }
  if (!path.startsWith('/plugin/')) return undefined;
  if (method === 'GET') return jsonAnswer(200, { parts: [], next: null });
  return jsonAnswer(200, { parts: [], missing: (body as { parts?: number[] }).parts ?? [] });
}

/** The answer to a write of the SKU that the store refuses. */
function refusal({ refused }: Schedule, call: FakeCall): Fault | undefined {
  if (!refused || call.method !== 'POST') return undefined;
  if (!JSON.stringify(call.body).includes(JSON.stringify(skuOf(refused.sku)))) return undefined;
  switch (refused.by) {
    case 'message 400':
      return jsonAnswer(400, { message: 'Could not save %1', parameters: ['Source Item'] });
    case 'text 500':
      return TEXT_500;
    case 'page 403':
      return PAGE_403;
    case 'page 502':
      return { answer: { status: 502, headers: { 'content-type': 'text/html' }, body: '<title>Bad Gateway</title>' } };
    case 'hang':
      return { hang: true };
  }
}

async function emptied(url: string): Promise<void> {
  const { redis } = connectToRedis(url, { whileUnreachable: { wait: true } });
  await redis.flushall();
  redis.disconnect();
}
