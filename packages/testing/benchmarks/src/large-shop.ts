import { setTimeout as sleep } from 'node:timers/promises';
import { chunk } from '@stock-sync/domain';
import { startSystem, type ServiceProcess, type System } from '@stock-sync/end-to-end';
import { connectToRedis, openParts } from '@stock-sync/state';
import type { Report } from './report';

/** A shop with 50 of each part, except the first few, of which it has 51 that Redis and the store do not know yet. */
export async function startLargeShop(redisUrl: string, parts: number, differ: number): Promise<System> {
  const system = await startSystem({ redisServer: redisUrl, sends: 'none', workers: 0 });
  const { shop } = system.inventree;
  const connection = connectToRedis(system.database.url, { whileUnreachable: { wait: true } });
  const state = openParts(connection);
  for (let n = 0; n < parts; n++) {
    const part = shop.addPart({ name: `WIDGET-${String(n).padStart(6, '0')}` });
    shop.insertItem({ part: part.pk, quantity: n < differ ? 51 : 50 });
    system.magento.store.addProduct(part.name, { quantity: 50 });
  }
  const all = [...shop.parts.values()];
  const last = { outcome: 'unchanged', at: Date.now(), target: { default: '50' }, throttledRuns: 0 } as const;
  for (const some of chunk(all, 5_000)) {
    await Promise.all(some.map(({ pk, name }) => state.set(pk, { sku: name, ...last }, undefined)));
  }
  connection.redis.disconnect();
  return system;
}

const SMALL = 20_000;
export const LARGE = 200_000;
/** A small shop is done in two seconds, which vary a lot. */
const SMALL_ROUNDS = 5;

/** Measures shops of two sizes in which some parts differ, and compares the time per part. */
export async function inTwoSizes(
  what: string,
  redisUrl: string,
  differ: number,
  report: Report,
  measure: (system: System, parts: number) => Promise<{ seconds: number; line: string }>,
): Promise<void> {
  const timePerPart = async (parts: number) => {
    const system = await startLargeShop(redisUrl, parts, differ);
    const { seconds, line } = await measure(system, parts);
    report.say(
      `${what}, ${parts.toLocaleString('en')} parts of which ${differ} differ: ${seconds.toFixed(1)} s; ${line}`,
    );
    await system.stop();
    return seconds / parts;
  };
  const small: number[] = [];
  for (let round = 0; round < SMALL_ROUNDS; round++) small.push(await timePerPart(SMALL));
  const large = await timePerPart(LARGE);
  report.add({
    name: `${what}, time per part, ${LARGE.toLocaleString('en')} against ${SMALL.toLocaleString('en')} parts`,
    values: small.map(one => large / one),
    unit: 'x',
    goal: { atMost: 1.1 },
  });
}

/** A number that a service measures, summed over its labels; 0 where it is not set yet. */
export async function gauge(service: ServiceProcess, name: string): Promise<number> {
  const text = await (await fetch(`${service.url}/metrics`)).text();
  const values = [...text.matchAll(new RegExp(`^${name}(?:\\{.*\\})? (\\S+)`, 'gm'))];
  return values.reduce((sum, [, value]) => sum + Number(value), 0);
}

/** Watches a worker until one of its gauges is set: the gauge, and its memory before and at most, in MiB. */
export async function watched(worker: ServiceProcess, name: string) {
  const memory = async () => Math.round((await gauge(worker, 'process_resident_memory_bytes')) / 2 ** 20);
  const before = await memory();
  let most = before;
  let seconds = 0;
  while (seconds === 0) {
    most = Math.max(most, await memory());
    await sleep(500);
    seconds = await gauge(worker, name);
  }
  return { seconds, before, most };
}
