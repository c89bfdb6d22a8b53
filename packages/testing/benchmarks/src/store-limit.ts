import { startSystem, type System } from '@stock-sync/end-to-end';
import { reserveDatabase } from '@stock-sync/servers';
import { startMagento, stockActions, type FakeMagento, type StockItem } from '@stock-sync/fakes';
import { Queue, Worker } from 'bullmq';
import { Redis } from 'ioredis';
import { setTimeout as sleep } from 'node:timers/promises';
import { gauge } from './large-shop';
import { median, type Report } from './report';
import { addStockedPart, isShown, sendSaved } from './stocked-parts';

const SKUS = 1_200;
const ROUNDS = 3;
/** The slow algorithms are measured with fewer SKUs: their rate does not depend on the number. */
const ONE_BY_ONE_SKUS = 40;
const BATCH = 100;
/** So many changes of all SKUs make a worker as quick as it is in a shop where it has run for days. */
const WARM_UP_CHANGES = 3;
const WARM_CHANGES = 3;

/**
 * SKUs a second until the store is right, with a store as slow as Magento 2.4.7: ours on a first start and with known
 * products, against a bare loop that posts ready-made batches, the one-by-one algorithm of other bridges, and a plain
 * BullMQ worker that does the same for each event.
 */
export async function benchStoreLimit(redisUrl: string, report: Report): Promise<void> {
  const own: Own[] = [];
  const [raw, one, four, plain]: [number[], number[], number[], number[]] = [[], [], [], []];
  for (let round = 0; round < ROUNDS; round++) {
    raw.push(await rawLoop());
    one.push(await oneByOne(1));
    four.push(await oneByOne(4));
    plain.push(await plainWorker(redisUrl));
    const { first, known, warm } = await ours(redisUrl);
    own.push({ first, known, warm });
    report.say(
      `store limit, round ${round + 1}: raw loop ${raw.at(-1)?.toFixed(0)} SKU/s, ours first start ` +
        `${first.rate.toFixed(0)}, products known ${known.rate.toFixed(0)}, later ${warm.rate.toFixed(0)}, one by ` +
        `one ${one.at(-1)?.toFixed(1)} and ${four.at(-1)?.toFixed(1)} (4 at once), plain BullMQ worker ` +
        `${plain.at(-1)?.toFixed(1)}`,
    );
  }
  const rates = (when: keyof Own) => own.map(one => one[when].rate);
  const against = (ours: readonly number[], theirs: readonly number[]) =>
    ours.map((rate, round) => rate / (theirs[round] ?? 1));
  const figure = (name: string, values: number[], atLeast?: number) =>
    report.add({ name, values, unit: 'x', ...(atLeast !== undefined && { goal: { atLeast } }) });
  figure('1,200 SKUs, first start, against the raw loop', against(rates('first'), raw), 0.8);
  figure('1,200 SKUs, products known, against the raw loop', against(rates('known'), raw), 0.9);
  figure('1,200 SKUs, once the worker is warm, against the raw loop', against(rates('warm'), raw), 0.9);
  figure('1,200 SKUs, products known, against one by one', against(rates('known'), one), 60);
  figure('1,200 SKUs, products known, against 4 at once', against(rates('known'), four));
  figure('1,200 SKUs, products known, against a plain BullMQ worker', against(rates('known'), plain));
  const ownMs = "a worker's own processor time for each synced SKU";
  report.add({ name: ownMs, values: own.map(({ known }) => known.ownMs), unit: 'ms' });
  report.add({ name: `${ownMs}, once it is warm`, values: own.map(({ warm }) => warm.ownMs), unit: 'ms' });
  report.add({ name: 'raw loop', values: raw, unit: 'SKU/s' });
  if (median(raw) === 0) throw new Error('the raw loop wrote nothing');
}

const skuOf = (n: number) => `PART-${String(n).padStart(4, '0')}`;

async function filledStore(skus: number): Promise<FakeMagento> {
  const magento = await startMagento({ latency: true });
  for (let n = 0; n < skus; n++) magento.store.addProduct(skuOf(n), { quantity: 1 });
  return magento;
}

function callerOf({ url, integration }: FakeMagento) {
  return async (method: string, path: string, body?: unknown) => {
    const headers = { authorization: `Bearer ${integration.accessToken}`, 'content-type': 'application/json' };
    const answer = await fetch(`${url}/rest/V1${path}`, {
      method,
      headers,
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    if (!answer.ok) throw new Error(`${method} ${path} was answered ${answer.status}: ${await answer.text()}`);
    return answer.json();
  };
}

/** Runs `task` for each number below `count`, so many at once; resolves with the tasks a second. */
async function rateOf(count: number, atOnce: number, task: (n: number) => Promise<void>): Promise<number> {
  let next = 0;
  const startedAt = performance.now();
  const run = async () => {
    while (next < count) await task(next++);
  };
  await Promise.all(Array.from({ length: atOnce }, run));
  return (count * 1_000) / (performance.now() - startedAt);
}

const sourceItem = (sku: string) => ({ sku, source_code: 'default', quantity: 50, status: 1 });

/** The store's limit: ready-made batches of 100, two at a time, and nothing else. */
async function rawLoop(): Promise<number> {
  const magento = await filledStore(SKUS);
  const call = callerOf(magento);
  const rate = await rateOf(SKUS / BATCH, 2, async batch => {
    const sourceItems = Array.from({ length: BATCH }, (_, n) => sourceItem(skuOf(batch * BATCH + n)));
    await call('POST', '/inventory/source-items', { sourceItems });
  });
  await magento.close();
  return rate * BATCH;
}

/** What other bridges do: GET the product, PUT its stock item, for each SKU. */
async function oneByOne(atOnce: number): Promise<number> {
  const magento = await filledStore(ONE_BY_ONE_SKUS);
  const call = callerOf(magento);
  const rate = await rateOf(ONE_BY_ONE_SKUS, atOnce, n => syncOne(call, skuOf(n)));
  await magento.close();
  return rate;
}

async function syncOne(call: ReturnType<typeof callerOf>, sku: string): Promise<void> {
  const product = (await call('GET', `/products/${sku}`)) as {
    extension_attributes: { stock_item: { item_id: number } };
  };
  const { item_id: itemId } = product.extension_attributes.stock_item;
  const stockItem = { qty: 50, is_in_stock: true };
  await call('PUT', `/products/${sku}/stockItems/${itemId}`, { stockItem });
}

/** The same by a BullMQ worker, one job for each event, without deduplication or batches. */
async function plainWorker(redisUrl: string): Promise<number> {
  const magento = await filledStore(ONE_BY_ONE_SKUS);
  const database = await reserveDatabase(redisUrl);
  const connection = new Redis(database.url, { maxRetriesPerRequest: null });
  const call = callerOf(magento);
  const queue = new Queue('plain', { connection });
  const worker = new Worker<{ sku: string }>('plain', ({ data }) => syncOne(call, data.sku), {
    connection,
    concurrency: 4,
  });
  let done = 0;
  const all = new Promise<void>(resolve => worker.on('completed', () => ++done === ONE_BY_ONE_SKUS && resolve()));
  const startedAt = performance.now();
  await queue.addBulk(Array.from({ length: ONE_BY_ONE_SKUS }, (_, n) => ({ name: 'part', data: { sku: skuOf(n) } })));
  await all;
  const rate = (ONE_BY_ONE_SKUS * 1_000) / (performance.now() - startedAt);
  await Promise.all([worker.close(), queue.close()]);
  connection.disconnect();
  await database.release();
  await magento.close();
  return rate;
}

/** SKUs a second until all are right, and the worker's own processor time for each, in milliseconds. */
interface Change {
  rate: number;
  ownMs: number;
}

/** Ours on a first start, with known products right after it, and once the worker is warm. */
interface Own {
  first: Change;
  known: Change;
  warm: Change;
}

/** Ours: every part is counted, the plugin's webhooks arrive, and the store becomes right; several times. */
async function ours(redisUrl: string): Promise<Own> {
  const system = await startSystem({ redisServer: redisUrl, latency: true, sends: 'none' });
  const [worker] = system.workers;
  if (!worker) throw new Error('expected a worker');
  const items = Array.from({ length: SKUS }, (_, n) => addStockedPart(system, skuOf(n), 1));
  // Only what a first start cannot have made before: connections, and the store's API.
  await sleep(1_000);
  let quantity = 50;
  const change = async (): Promise<Change> => {
    const ownSeconds = () => gauge(worker, 'process_cpu_seconds_total');
    const before = await ownSeconds();
    const rate = await changeAll(system, items, quantity++);
    await system.quiet();
    return { rate, ownMs: (((await ownSeconds()) - before) * 1_000) / SKUS };
  };
  const first = await change();
  const known = await change();
  for (let n = 0; n < WARM_UP_CHANGES; n++) await change();
  const warm: Change[] = [];
  for (let n = 0; n < WARM_CHANGES; n++) warm.push(await change());
  await system.stop();
  return {
    first,
    known,
    warm: { rate: median(warm.map(({ rate }) => rate)), ownMs: median(warm.map(({ ownMs }) => ownMs)) },
  };
}

async function changeAll(system: System, items: readonly StockItem[], quantity: number): Promise<number> {
  for (const item of items) stockActions.count(system.inventree.shop, item, quantity);
  const startedAt = performance.now();
  await sendSaved(system, items);
  while (!items.every(item => isShown(system, item))) await sleep(10);
  return (items.length * 1_000) / (performance.now() - startedAt);
}
