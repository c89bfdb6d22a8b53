import { setTimeout as sleep } from 'node:timers/promises';
import { startSystem } from '@stock-sync/end-to-end';
import { stockActions } from '@stock-sync/fakes';
import type { Report } from './report';
import { addStockedParts, isShown, sendSaved } from './stocked-parts';

/** Enough that the start and the end, when not all workers have something to do, hardly count. */
const PARTS = 1_200;
const ANSWER_MS = 200;
/** Few, so that InvenTree is what limits a worker, and not the processor of this machine. */
const JOBS_AT_ONCE = 20;
const MAGENTO_CONCURRENCY = 2;

/** How one, two and four workers share the work of a burst while each answer of InvenTree takes 200 ms. */
export async function benchWorkers(redisUrl: string, report: Report): Promise<void> {
  const rates = new Map<number, number>();
  let mostWrites = 0;
  for (const workers of [1, 2, 4]) {
    const environment = { WORKER_CONCURRENCY: String(JOBS_AT_ONCE) };
    const system = await startSystem({ redisServer: redisUrl, workers, sends: 'none', environment });
    const { inventree, magento } = system;
    const items = addStockedParts(system, PARTS, 1);
    inventree.setFault(() => ({ answerAfterMs: ANSWER_MS }));
    // Until the rules are known, and the parts.
    for (const quantity of [10, 20]) {
      for (const item of items) stockActions.count(inventree.shop, item, quantity);
      const startedAt = performance.now();
      await sendSaved(system, items);
      while (!items.every(item => isShown(system, item))) {
        mostWrites = Math.max(mostWrites, magento.writesUnderWay());
        await sleep(2);
      }
      rates.set(workers, (PARTS * 1_000) / (performance.now() - startedAt));
      await system.quiet();
    }
    await system.stop();
  }
  const [one = 1, two = 0, four = 0] = [1, 2, 4].map(workers => rates.get(workers));
  report.say(
    `workers, InvenTree answers after ${ANSWER_MS} ms: 1, 2, 4 workers sync ${one.toFixed(0)}, ` +
      `${two.toFixed(0)}, ${four.toFixed(0)} SKU/s`,
  );
  report.add({
    name: '2 workers, slow InvenTree, against twice one',
    values: [two / one / 2],
    unit: 'x',
    goal: { atLeast: 0.9 },
  });
  report.add({
    name: '4 workers, slow InvenTree, against 4 times one',
    values: [four / one / 4],
    unit: 'x',
    goal: { atLeast: 0.9 },
  });
  report.add({
    name: 'writes at once, by 1 to 4 workers',
    values: [mostWrites],
    unit: 'calls',
    goal: { atMost: MAGENTO_CONCURRENCY },
  });
}
