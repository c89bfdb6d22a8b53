import { setTimeout as sleep } from 'node:timers/promises';
import { startSystem, type System } from '@stock-sync/end-to-end';
import { stockActions, type StockItem } from '@stock-sync/fakes';
import type { Report } from './report';
import { addStockedParts, isShown } from './stocked-parts';

const CHANGES = 15;
const STOCKTAKES = 5;
const STOCKTAKE_ITEMS = 100;

/**
 * How soon the store shows one change and a stocktake of 100 items, with fakes as slow as the recorded systems.
 */
export async function benchChange(redisUrl: string, report: Report): Promise<void> {
  const system = await startSystem({ redisServer: redisUrl, latency: true, sendAgainAfterMs: 2_000 });
  const items = addStockedParts(system, STOCKTAKE_ITEMS, 1_000);
  // The first sync of a SKU needs more calls, for example to find its product.
  await countAll(system, items, 500);

  const single: number[] = [];
  for (let n = 0; n < CHANGES; n++) {
    const [item] = items;
    if (item) single.push(await countAll(system, [item], 100 + n));
    await sleep(50 + 37 * (n % 5));
  }
  const stocktakes: number[] = [];
  for (let n = 0; n < STOCKTAKES; n++) stocktakes.push(await countAll(system, items, 10 + n));

  const shown = { unit: 'ms' };
  report.add({ name: 'one item counted, until the store shows it', values: single, ...shown });
  report.add({ name: `${STOCKTAKE_ITEMS} items counted in one action`, values: stocktakes, ...shown });
  await system.stop();
}

/** Counts items in one transaction; resolves with the milliseconds until the store shows all of them. */
async function countAll(system: System, items: readonly StockItem[], quantity: number): Promise<number> {
  const { shop } = system.inventree;
  const startedAt = Date.now();
  shop.transaction(() => {
    for (const item of items) stockActions.count(shop, item, quantity);
  });
  while (!items.every(item => isShown(system, item))) await sleep(2);
  const took = Date.now() - startedAt;
  await system.quiet();
  return took;
}
