import { setTimeout as sleep } from 'node:timers/promises';
import { startSystem, type System } from '@stock-sync/end-to-end';
import { stockActions, type StockItem } from '@stock-sync/fakes';
import type { Report } from './report';
import { addStockedPart, savedEvent } from './stocked-parts';

const CHANGES = 60;
const PAIRS = 7;
const STORM_MS = 6_000;
const STORM_EVERY_MS = 20;
/** SYNC_DELAY_MS, by default. */
const SYNC_DELAY_MS = 100;

/**
 * Our own share of one count: from the answer of ingest until the write arrives, less SYNC_DELAY_MS, with fakes that
 * answer at once. And, with fakes as slow as the recorded systems: how soon a second change right after the first one
 * is in the store, and how far the store is behind a part that changes all the time.
 */
export async function benchShare(redisUrl: string, report: Report): Promise<void> {
  const quick = await startSystem({ redisServer: redisUrl, sends: 'none' });
  const item = addStockedPart(quick, 'PART-1', 1_000);
  await count(quick, item, 900);
  await isShown(quick, 900);
  await quick.quiet();
  const own: number[] = [];
  for (let n = 0; n < CHANGES; n++) {
    await sleep(20 + 37 * (n % 5));
    quick.magento.calls.length = 0;
    await count(quick, item, 10 + n);
    const acceptedAt = Date.now();
    await isShown(quick, 10 + n);
    const write = quick.magento.calls.find(({ method }) => method === 'POST');
    if (!write) throw new Error('the store became right without a write');
    own.push(write.at - acceptedAt - SYNC_DELAY_MS);
    await quick.quiet();
  }
  await quick.stop();
  const sorted = [...own].sort((a, b) => a - b);
  const p99 = sorted[Math.ceil(0.99 * sorted.length) - 1] ?? 0;
  report.add({ name: 'our own share of one count', values: own, unit: 'ms', goal: { atMost: 25 } });
  report.add({ name: 'the same, 99th percentile', values: [p99], unit: 'ms', goal: { atMost: 60 } });

  const slow = await startSystem({ redisServer: redisUrl, latency: true, sends: 'none' });
  const busy = addStockedPart(slow, 'PART-1', 1_000);
  await count(slow, busy, 900);
  await isShown(slow, 900);
  await slow.quiet();
  const seconds: number[] = [];
  for (let n = 0; n < PAIRS; n++) {
    await count(slow, busy, 100 + n);
    await isShown(slow, 100 + n);
    // At once, while what was written last is still being recorded.
    const startedAt = Date.now();
    await count(slow, busy, 200 + n);
    await isShown(slow, 200 + n);
    seconds.push(Date.now() - startedAt);
    await slow.quiet();
    await sleep(2_000);
  }
  const second = 'a second change right after the first, until the store shows it';
  report.add({ name: second, values: seconds, unit: 'ms', goal: { atMost: 500 } });
  report.add({
    name: 'a part that changes 50 times a second: the store is behind by at most',
    values: [await mostBehind(slow, busy)],
    unit: 'ms',
    goal: { atMost: 1_000 },
  });
  await slow.stop();
}

const shownOf = (system: System) => system.magento.store.shown('PART-1')?.quantity;

async function count(system: System, item: StockItem, quantity: number): Promise<void> {
  stockActions.count(system.inventree.shop, item, quantity);
  await system.send(savedEvent(item));
}

async function isShown(system: System, quantity: number): Promise<void> {
  while (shownOf(system) !== quantity) await sleep(1);
}

/** Counts a part all the time; the longest that the store showed a quantity that was no longer right, in ms. */
async function mostBehind(system: System, item: StockItem): Promise<number> {
  /** When each quantity was replaced by the next one. */
  const replacedAt = new Map<number, number>();
  let quantity = 10_000;
  let most = 0;
  await count(system, item, quantity);
  await isShown(system, quantity);
  const end = Date.now() + STORM_MS;
  let nextAt = Date.now();
  while (Date.now() < end) {
    if (Date.now() >= nextAt) {
      nextAt += STORM_EVERY_MS;
      replacedAt.set(quantity, Date.now());
      await count(system, item, ++quantity);
    }
    const since = replacedAt.get(shownOf(system) ?? 0);
    if (since !== undefined) most = Math.max(most, Date.now() - since);
    await sleep(1);
  }
  await isShown(system, quantity);
  return most;
}
