import { startSystem } from '@stock-sync/end-to-end';
import { stockActions } from '@stock-sync/fakes';
import type { Report } from './report';
import { addStockedParts, isShown, savedEvent } from './stocked-parts';

const PARTS = 200;
const EVENTS = 10_000;
const AT_ONCE = 50;
const ROUNDS = 3;

/** The calls that 10,000 events over 200 parts cost, with fakes as slow as the recorded systems. */
export async function benchCalls(redisUrl: string, report: Report): Promise<void> {
  for (const eventsEach of [1, 50]) {
    const rounds: Calls[] = [];
    for (let round = 0; round < ROUNDS; round++) rounds.push(await callsOfStorm(redisUrl, eventsEach));
    const from = `${EVENTS.toLocaleString('en')} events, ${eventsEach} a webhook`;
    report.add({
      name: `${from}: reads of both systems`,
      values: rounds.map(({ inventree, magento }) => inventree + magento),
      unit: 'calls',
      ...(eventsEach > 1 && { goal: { atMost: 20 } }),
    });
    report.add({
      name: `${from}: writes`,
      values: rounds.map(({ writes }) => writes),
      unit: 'calls',
      ...(eventsEach > 1 && { goal: { atMost: 6 } }),
    });
    for (const { inventree, magento, writes, sentAfter } of rounds) {
      report.say(
        `calls, ${from} over ${PARTS} parts, sent in ${sentAfter.toFixed(1)} s: InvenTree ${inventree} reads; ` +
          `Magento ${magento} reads, ${writes} writes`,
      );
    }
  }
}

interface Calls {
  /** Reads of InvenTree, and of Magento. */
  inventree: number;
  magento: number;
  writes: number;
  /** Seconds. */
  sentAfter: number;
}

async function callsOfStorm(redisUrl: string, eventsEach: number): Promise<Calls> {
  const system = await startSystem({ redisServer: redisUrl, workers: 2, latency: true, sends: 'none' });
  const { inventree, magento } = system;
  const items = addStockedParts(system, PARTS, 1_000);
  const changeAndSend = async (some: typeof items) => {
    const events = some.map(item => {
      stockActions.remove(inventree.shop, item, 1);
      return savedEvent(item);
    });
    const status = await system.send(events.length === 1 ? events[0] : { events });
    if (status !== 202) throw new Error(`answered ${status}`);
  };
  const counts = () => ({ inventree: inventree.reads(), ...magento.counts() });

  // A shop that works: its products are known, and the checks of a start are over.
  await changeAndSend(items);
  await system.quiet();
  const before = counts();
  let sent = 0;
  const sendSome = async () => {
    for (let first = sent; first < EVENTS; first = sent) {
      sent += eventsEach;
      await changeAndSend(Array.from({ length: eventsEach }, (_, n) => first + n).flatMap(n => items[n % PARTS] ?? []));
    }
  };
  const startedAt = Date.now();
  await Promise.all(Array.from({ length: AT_ONCE }, sendSome));
  const sentAfter = (Date.now() - startedAt) / 1000;
  await system.quiet();
  const after = counts();
  const isWrong = items.some(item => !isShown(system, item));
  await system.stop();
  if (isWrong) throw new Error('the store is not equal to the shelves');
  return {
    inventree: after.inventree - before.inventree,
    magento: after.reads - before.reads,
    writes: after.writes - before.writes,
    sentAfter,
  };
}
