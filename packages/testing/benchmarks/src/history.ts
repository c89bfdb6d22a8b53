import { reserveDatabase } from '@stock-sync/servers';
import { connectToRedis, openHistory } from '@stock-sync/state';

const ENTRIES = 1_000_000;
const SKUS = 20_000;
const AT_ONCE = 2_000;

/** What the history of 1,000,000 syncs costs: memory in Redis and time for each entry, and what a page takes. */
export async function benchHistory(redisUrl: string): Promise<void> {
  const database = await reserveDatabase(redisUrl);
  const connection = connectToRedis(database.url, { whileUnreachable: { wait: true } });
  const history = openHistory(connection, { days: 30, entries: 2 * ENTRIES });
  const memory = async () => Number(/used_memory:(\d+)/.exec(await connection.redis.info('memory'))?.[1]);
  try {
    const before = await memory();
    const startedAt = performance.now();
    for (let first = 0; first < ENTRIES; first += AT_ONCE) {
      await Promise.all(Array.from({ length: AT_ONCE }, (_, index) => history.record([entry(first + index)])));
    }
    const bytes = ((await memory()) - before) / ENTRIES;
    const micros = ((performance.now() - startedAt) * 1_000) / ENTRIES;
    const ofSku = await timed(() => history.page({ sku: 'WIDGET-77' }, 50));
    const ofAll = await timed(() => history.page({}, 100));
    console.log(
      `history, ${ENTRIES} entries of ${SKUS} SKUs: ${bytes.toFixed(0)} bytes and ${micros.toFixed(0)} µs each; ` +
        `the page of a SKU ${ofSku.toFixed(0)} ms, the latest of all ${ofAll.toFixed(0)} ms`,
    );
  } finally {
    connection.redis.disconnect();
    await database.release();
  }
}

function entry(index: number) {
  return {
    sku: `WIDGET-${index % SKUS}`,
    part: index % SKUS,
    outcome: 'updated',
    cause: 'stock_stockitem.saved',
    from: String(index % 500),
    to: String((index + 7) % 500),
    note: null,
    waitedMs: 110,
    tookMs: 90,
    worker: 'shop-server:1234',
    webhook: `msg_${index.toString(16).padStart(32, '0')}`,
  } as const;
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const startedAt = performance.now();
  await work();
  return performance.now() - startedAt;
}
