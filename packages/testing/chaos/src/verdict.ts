import { unfinishedJobs } from '@stock-sync/end-to-end';
import { connectToRedis, openDeadLetters, type RedisConnection } from '@stock-sync/state';
import { setTimeout as sleep } from 'node:timers/promises';
import { expectedQuantity } from './expected-quantity';
import type { Schedule } from './schedule';
import type { World } from './world';

/** How long the store must stay right, in milliseconds. */
const STAYS_MS = 1_500;

/**
 * Waits until the store is right and no job is left, and returns everything that is wrong then.
 * @param patienceMs how long that may take: jobs of killed workers are taken over, pauses end, writes without an answer
 *   are synced again after 15 s
 */
export async function verdictOf(world: World, schedule: Schedule, patienceMs: number): Promise<string[]> {
  const connection = connectToRedis(world.redis.url, { whileUnreachable: { wait: true } });
  const until = Date.now() + patienceMs;
  const problems: string[] = [];
  do {
    await sleep(50);
    const left = await unfinishedJobs(connection.redis);
    const wrong = wrongSkus(world, schedule).flatMap(({ index, problem }) =>
      index === schedule.refused?.sku ? [] : [problem],
    );
    problems.splice(0, Infinity, ...wrong, ...(left > 0 ? [`${left} jobs are left`] : []));
  } while (problems.length > 0 && Date.now() < until);

  const from = world.magento.store.history.length;
  await sleep(STAYS_MS);
  for (const { sku, quantity } of world.magento.store.history.slice(from)) {
    const part = [...world.inventree.shop.parts.values()].find(({ name }) => name.toLowerCase() === sku.toLowerCase());
    const expected = part && expectedQuantity(world.inventree.shop, part.pk, schedule.hasRules);
    if (expected !== undefined && quantity !== expected)
      problems.push(`${sku} changed from ${expected} to ${quantity}`);
  }
  if (world.magento.maxWritersPerSku() > 1) problems.push('two writers of one SKU at the same time');
  problems.push(...(await wrongDeadLetters(connection, world, schedule)));
  connection.redis.disconnect();
  if (!schedule.happenings.some(({ what }) => what.kind === 'empty redis')) problems.push(...unreadParts(world));
  return problems;
}

function wrongSkus(world: World, { hasRules }: Schedule): { index: number; problem: string }[] {
  const { shop } = world.inventree;
  return [...shop.parts.values()].flatMap(({ pk, name }, index) => {
    const expected = expectedQuantity(shop, pk, hasRules);
    const item = world.magento.store.sourceItem(name);
    if (!world.magento.store.product(name)) {
      return item ? [{ index, problem: `${name} has no product, and a source item was created` }] : [];
    }
    // At 0 the status sells nothing.
    const isRight = item?.quantity === expected && (expected === 0 || item.status === 1);
    if (isRight) return [];
    return [{ index, problem: `${name} shows ${item?.quantity} (status ${item?.status}), should show ${expected}` }];
  });
}

/** Dead letters without a reason, and a refused SKU that is wrong without a dead letter. */
async function wrongDeadLetters(connection: RedisConnection, world: World, schedule: Schedule): Promise<string[]> {
  const { refused } = schedule;
  const opened = openDeadLetters(connection);
  const deadLetters = await opened.list();
  await opened.close();
  const refusedPart = refused && [...world.inventree.shop.parts.keys()][refused.sku];
  const unexpected = deadLetters
    .filter(({ part }) => part === null || part !== refusedPart)
    .map(({ id, sku, reason }) => `dead letter ${id} (${sku ?? ''}): ${reason}`);
  if (deadLetters.some(({ part }) => part === refusedPart)) return unexpected;
  const missing = wrongSkus(world, schedule).filter(({ index }) => index === refused?.sku);
  return [...unexpected, ...missing.map(({ problem }) => `${problem}, and no dead letter explains it`)];
}

/** Parts that an accepted webhook named, and that were not read from InvenTree afterwards. */
function unreadParts({ accepted, inventree: { calls } }: World): string[] {
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
