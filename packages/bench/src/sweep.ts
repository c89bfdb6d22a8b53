import { setTimeout as sleep } from 'node:timers/promises';
import { startSystem } from '@stock-sync/end-to-end';
import { connectToRedis, openKnownParts } from '@stock-sync/queue';

const SIZES = [20_000, 200_000];
const DIFFER = 200;

/** How long one sweep takes, what memory and Redis it needs, for shops of two sizes; nothing of it should grow faster than the shop. */
export async function benchSweep(redisUrl: string): Promise<void> {
  const took: number[] = [];
  for (const parts of SIZES) {
    const system = await startSystem({ redisServer: redisUrl, sends: 'none', workers: 0 });
    const { shop } = system.inventree;
    const redis = connectToRedis(system.database.url, { whileAway: { wait: true } });
    const known = openKnownParts(redis);
    for (let n = 0; n < parts; n++) {
      const part = shop.addPart({ name: `WIDGET-${String(n).padStart(6, '0')}` });
      shop.insertItem({ part: part.pk, quantity: n < DIFFER ? 51 : 50 });
    }
    const all = [...shop.parts.values()];
    for (let start = 0; start < all.length; start += 5_000) {
      await Promise.all(
        all
          .slice(start, start + 5_000)
          .map(({ pk, name }) =>
            known.remember(
              pk,
              { sku: name, confirmed: '50', outcome: 'unchanged', at: Date.now(), stormRuns: 0, seen: '50' },
              undefined,
            ),
          ),
      );
    }
    const bytesOf = async (pattern: string, count: number) => {
      const keys = pattern.includes('*') ? await redis.keys(pattern) : [pattern];
      const some = keys.slice(0, 1_000);
      const sizes = await Promise.all(
        some.map(async key => Number(await redis.call('MEMORY', 'USAGE', key, 'SAMPLES', 0))),
      );
      return Math.round((sizes.reduce((total, size) => total + size, 0) / some.length) * (keys.length / count));
    };
    const state = await bytesOf('stock-sync:parts', parts);
    const bearers = await bytesOf('stock-sync:sku:*', parts);

    const worker = await system.startWorker({ SWEEP_INTERVAL_SECONDS: '3600' });
    const metric = async (name: string) => {
      const text = await (await fetch(`${worker.url}/metrics`)).text();
      return Number(new RegExp(`^${name} (\\S+)`, 'm').exec(text)?.[1] ?? 0);
    };
    const before = await metric('process_resident_memory_bytes');
    let most = before;
    while ((await metric('stock_sync_sweep_seconds')) === 0) {
      most = Math.max(most, await metric('process_resident_memory_bytes'));
      await sleep(100);
    }
    const seconds = await metric('stock_sync_sweep_seconds');
    took.push(seconds / parts);
    console.log(
      `sweep, ${parts.toLocaleString('en')} parts of which ${DIFFER} differ: ${seconds.toFixed(1)} s; ` +
        `worker ${Math.round(before / 2 ** 20)} MiB before, ${Math.round(most / 2 ** 20)} MiB at most; ` +
        `Redis ${state} bytes a part for what was seen, ${bearers} for who bears its SKU`,
    );
    redis.disconnect();
    await system.stop();
  }
  const [small = 0, large = 0] = took;
  console.log(`sweep, time a part in the large shop: ${(large / small).toFixed(2)} x that in the small one`);
}
