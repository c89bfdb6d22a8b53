import { setTimeout as sleep } from 'node:timers/promises';
import { startSystem, type ServiceProcess, type System } from '@stock-sync/end-to-end';
import { connectToRedis, openKnownParts } from '@stock-sync/queue';

/** A shop whose parts have 50 each, but for the first few, which have 51, as Redis and the store do not know yet. */
async function startLargeShop(redisUrl: string, parts: number, differ: number): Promise<System> {
  const system = await startSystem({ redisServer: redisUrl, sends: 'none', workers: 0 });
  const { shop } = system.inventree;
  const redis = connectToRedis(system.database.url, { whileAway: { wait: true } });
  const known = openKnownParts(redis);
  for (let n = 0; n < parts; n++) {
    const part = shop.addPart({ name: `WIDGET-${String(n).padStart(6, '0')}` });
    shop.insertItem({ part: part.pk, quantity: n < differ ? 51 : 50 });
    system.magento.store.addProduct(part.name, { quantity: 50 });
  }
  const all = [...shop.parts.values()];
  const seen = { confirmed: '50', outcome: 'unchanged', at: Date.now(), stormRuns: 0, seen: '50' } as const;
  for (let start = 0; start < all.length; start += 5_000) {
    const some = all.slice(start, start + 5_000);
    await Promise.all(some.map(({ pk, name }) => known.remember(pk, { sku: name, ...seen }, undefined)));
  }
  redis.disconnect();
  return system;
}

const SIZES = [20_000, 200_000];

/** Measures shops of two sizes, of which so many parts differ, and how much more a part costs in the large one. */
export async function inTwoSizes(
  what: string,
  redisUrl: string,
  differ: number,
  measure: (system: System, parts: number) => Promise<{ seconds: number; line: string }>,
): Promise<void> {
  const took: number[] = [];
  for (const parts of SIZES) {
    const system = await startLargeShop(redisUrl, parts, differ);
    const { seconds, line } = await measure(system, parts);
    took.push(seconds / parts);
    console.log(
      `${what}, ${parts.toLocaleString('en')} parts of which ${differ} differ: ${seconds.toFixed(1)} s; ${line}`,
    );
    await system.stop();
  }
  const [small = 0, large = 0] = took;
  console.log(`${what}, time a part in the large shop: ${(large / small).toFixed(2)} x that in the small one`);
}

/** A gauge of a service; 0 where it has none yet. */
async function gauge(service: ServiceProcess, name: string): Promise<number> {
  const text = await (await fetch(`${service.url}/metrics`)).text();
  return Number(new RegExp(`^${name} (\\S+)`, 'm').exec(text)?.[1] ?? 0);
}

/** What a worker takes until a gauge of it is set: that gauge, and its memory before and at most, in MiB. */
export async function watched(worker: ServiceProcess, name: string) {
  const memory = async () => Math.round((await gauge(worker, 'process_resident_memory_bytes')) / 2 ** 20);
  const before = await memory();
  let most = before;
  let seconds = 0;
  while (seconds === 0) {
    most = Math.max(most, await memory());
    await sleep(100);
    seconds = await gauge(worker, name);
  }
  return { seconds, before, most };
}
