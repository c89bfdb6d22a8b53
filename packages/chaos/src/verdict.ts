import { jobsUnderWay } from '@stock-sync/end-to-end';
import { connectToRedis, openDeadLetters } from '@stock-sync/queue';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Schedule } from './schedule';
import type { World } from './world';

/** How long it must stay right. */
const STAYS_MS = 1_500;

/**
 * Waits until the store is right and nothing is left to do; all that is wrong then. `patienceMs`: how long that may take; what a
 * killed worker had in hand is taken over, pauses end, a write that got no answer is looked at again after 15 s.
 */
export async function verdictOf(world: World, schedule: Schedule, patienceMs: number): Promise<string[]> {
  const redis = connectToRedis(world.redis.url, { whileAway: { wait: true } });
  const until = Date.now() + patienceMs;
  const problems: string[] = [];
  do {
    await sleep(50);
    const left = await jobsUnderWay(redis);
    const wrong = divergent(world).flatMap(({ n, told }) => (n === schedule.refused?.sku ? [] : [told]));
    problems.splice(0, Infinity, ...wrong, ...(left > 0 ? [`${left} jobs are still there`] : []));
  } while (problems.length > 0 && Date.now() < until);

  const from = world.magento.store.history.length;
  await sleep(STAYS_MS);
  for (const { sku, quantity } of world.magento.store.history.slice(from)) {
    const wanted = wantedOf(world, sku);
    if (wanted !== undefined && quantity !== wanted) problems.push(`${sku} moved away from ${wanted} to ${quantity}`);
  }
  if (world.magento.mostWritersOfOneSku() > 1) problems.push('two writers of one SKU at once');
  problems.push(...(await wrongLetters(redis, world, schedule)));
  redis.disconnect();
  if (!schedule.happenings.some(({ what }) => what.kind === 'empty redis')) problems.push(...untraceable(world));
  return problems;
}

function wantedOf({ inventree: { shop } }: World, sku: string): number | undefined {
  const part = [...shop.parts.values()].find(({ name }) => name.toLowerCase() === sku.toLowerCase());
  return part && Math.max(0, Math.floor(shop.inStock(part.pk)));
}

function divergent(world: World): { n: number; told: string }[] {
  const { shop } = world.inventree;
  return [...shop.parts.values()].flatMap(({ name }, n) => {
    const wanted = wantedOf(world, name) ?? 0;
    const item = world.magento.store.sourceItem(name);
    const isRight = item?.quantity === wanted && item.status === (wanted > 0 ? 1 : 0);
    if (isRight) return [];
    return [{ n, told: `${name} shows ${item?.quantity} (status ${item?.status}), should show ${wanted}` }];
  });
}

/** Letters that nothing explains, and the SKU that the store never takes where no letter tells of it. */
async function wrongLetters(
  redis: ReturnType<typeof connectToRedis>,
  world: World,
  { refused }: Schedule,
): Promise<string[]> {
  const deadLetters = openDeadLetters(redis);
  const letters = await deadLetters.list();
  await deadLetters.close();
  const explained = refused && [...world.inventree.shop.parts.keys()][refused.sku];
  const untold = letters.some(({ part }) => part === explained)
    ? []
    : divergent(world).filter(({ n }) => n === refused?.sku);
  const unexplained = letters
    .filter(({ part }) => part === null || part !== explained)
    .map(({ id, sku, reason }) => `dead letter ${id} (${sku ?? ''}): ${reason}`);
  return [...unexplained, ...untold.map(({ told }) => `${told}, and no dead letter says why`)];
}

/** Parts that an accepted webhook named, and that were not read from InvenTree after it. */
function untraceable({ accepted, inventree: { calls } }: World): string[] {
  const latest = new Map<number, number>();
  for (const { parts, sentAt } of accepted) {
    for (const part of parts) latest.set(part, Math.max(sentAt, latest.get(part) ?? 0));
  }
  const readAt = new Map<number, number>();
  for (const { method, path, body, at, status } of calls) {
    if (status !== 200) continue;
    const one = /^\/api\/part\/(\d+)\/$/.exec(path)?.[1];
    const many = method === 'POST' && path.startsWith('/plugin/') ? (body as { parts?: number[] }).parts : undefined;
    for (const part of many ?? (one ? [Number(one)] : [])) readAt.set(part, Math.max(at, readAt.get(part) ?? 0));
  }
  return [...latest]
    .filter(([part, sentAt]) => (readAt.get(part) ?? 0) < sentAt)
    .map(([part]) => `part ${part} was accepted and not read afterwards`);
}
