import { setTimeout as sleep } from 'node:timers/promises';
import { startSystem, type System } from '@stock-sync/end-to-end';
import { stockActions } from '@stock-sync/fakes';
import { bytesOf } from './redis-bytes';
import type { Report } from './report';
import { addStockedParts, isShown, savedEvent } from './stocked-parts';

const WAITING = 20_000;
const PARTS = 20_000;
const EVENTS = 1_000_000;
const EVENTS_EACH = 200;
const AT_ONCE = 8;
/** By then every part is known, and the queues have kept as many finished jobs as they keep. */
const FIRST = EVENTS / 2;

/** What Redis holds for each part that waits or is known, and whether it grows with the number of events. */
export async function benchSoak(redisUrl: string, report: Report): Promise<void> {
  const alone = await startSystem({ redisServer: redisUrl, sends: 'none', workers: 0 });
  const empty = await usedBytes(alone);
  for (let start = 0; start < WAITING; start += EVENTS_EACH) {
    const parts = Array.from({ length: EVENTS_EACH }, (_, n) => start + n + 1);
    await alone.send({ events: parts.map(part => ({ event: 'part_part.saved', model: 'Part', id: part, part })) });
  }
  const perPart = ((await usedBytes(alone)) - empty) / WAITING;
  report.add({ name: 'Redis for each waiting part', values: [perPart], unit: 'bytes', goal: { atMost: 1_024 } });
  await alone.stop();

  // Without a history, whose size is a setting.
  const system = await startSystem({ redisServer: redisUrl, sends: 'none', environment: { HISTORY_ENTRIES: '0' } });
  const items = addStockedParts(system, PARTS, 1_000);
  let sent = 0;
  let webhooks = 0;
  const sendUntil = async (end: number) => {
    while (sent < end) {
      const some = Array.from({ length: EVENTS_EACH }, () => items[sent++ % PARTS]);
      webhooks++;
      const events = some.flatMap(item => {
        if (!item) return [];
        if (sent % 10 < 1) stockActions.count(system.inventree.shop, item, 1 + ((item.quantity + 1) % 1_000));
        return [savedEvent(item)];
      });
      await system.send({ events });
    }
  };
  const startedAt = Date.now();
  await Promise.all(Array.from({ length: AT_ONCE }, () => sendUntil(FIRST)));
  await system.quiet();
  const [early, webhooksEarly] = [await usedBytes(system), webhooks];
  const perKnown = await knownBytes(system);
  report.add({ name: 'Redis for each known part', values: [perKnown], unit: 'bytes', goal: { atMost: 120 } });
  await Promise.all(Array.from({ length: AT_ONCE }, () => sendUntil(EVENTS)));
  await system.quiet();
  const late = await usedBytes(system);
  // A repeated webhook is recognized for an hour: that grows with the webhooks, and only within the hour.
  const perWebhook = await webhookBytes(system);
  const grown = late - perWebhook * (webhooks - webhooksEarly);
  const wrong = items.filter(item => !isShown(system, item));
  report.say(
    `soak, ${EVENTS.toLocaleString('en')} events over ${PARTS.toLocaleString('en')} parts in ` +
      `${((Date.now() - startedAt) / 1_000).toFixed(0)} s: Redis ${mebibytes(early)} MiB after half of them, ` +
      `${mebibytes(late)} MiB at the end, of which ${Math.round(perWebhook)} bytes for each of ${webhooks} webhooks; ` +
      `${wrong.length} SKUs wrong`,
  );
  report.add({
    name: `Redis after ${EVENTS.toLocaleString('en')} events, against after half of them (without the ids of webhooks)`,
    values: [grown / early],
    unit: 'x',
    goal: { atMost: 1.05 },
  });
  await system.stop();
  if (wrong.length > 0) throw new Error('the store is not equal to the shelves');
}

const mebibytes = (bytes: number) => (bytes / 2 ** 20).toFixed(1);

async function usedBytes({ database }: System): Promise<number> {
  await sleep(500);
  return Number(/^used_memory_dataset:(\d+)/m.exec(await database.redis.info('memory'))?.[1]);
}

/** What Redis remembers about each part: its last sync, its SKU, its product and its stock item. */
async function knownBytes({ database: { redis } }: System): Promise<number> {
  const names = ['parts:*', 'products:*', 'skus:*', 'stock-items:*'];
  const bytes = await Promise.all(names.map(name => bytesOf(redis, `{stock-sync}:${name}`, PARTS)));
  return bytes.reduce((total, each) => total + each, 0);
}

/** What Redis holds for the id of one webhook. */
async function webhookBytes({ database }: System): Promise<number> {
  const [, keys] = await database.redis.scan(0, 'MATCH', '{stock-sync}:webhook:*', 'COUNT', 10_000);
  const [key] = keys;
  if (key === undefined) throw new Error('Redis remembers no webhook');
  return Number(await database.redis.call('MEMORY', 'USAGE', key));
}
