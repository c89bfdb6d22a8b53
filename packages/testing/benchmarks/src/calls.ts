import { setTimeout as sleep } from 'node:timers/promises';
import { startSystem } from '@stock-sync/end-to-end';
import { stockActions } from '@stock-sync/fakes';
import type { Report } from './report';

const PARTS = 200;
const EVENTS = 10_000;
const AT_ONCE = 50;

/** The calls that 10,000 events over 200 parts cost, with fakes as slow as the recorded systems. */
export async function benchCalls(redisUrl: string, report: Report): Promise<void> {
  for (const eventsEach of [1, 50]) {
    const system = await startSystem({ redisServer: redisUrl, workers: 2, latency: true, sends: 'none' });
    const { inventree, magento } = system;
    const items = Array.from({ length: PARTS }, (_, n) => {
      const part = inventree.shop.addPart({ name: `PART-${n}` });
      magento.store.addProduct(part.name, { quantity: 1_000 });
      return inventree.shop.insertItem({ part: part.pk, quantity: 1_000 });
    });
    // The checks of a start are no cost of an event.
    await sleep(1_000);
    const reads = () => ({ inventree: inventree.reads(), magento: magento.counts().reads });
    const before = reads();
    let sent = 0;
    const sendSome = async () => {
      while (sent < EVENTS) {
        const events = Array.from({ length: eventsEach }, () => {
          const item = items[sent++ % PARTS];
          if (!item) throw new Error('no item');
          stockActions.remove(inventree.shop, item, 1);
          return { event: 'stock_stockitem.saved', model: 'StockItem', id: item.pk, part: item.part };
        });
        const status = await system.send(eventsEach === 1 ? events[0] : { events });
        if (status !== 202) throw new Error(`answered ${status}`);
      }
    };
    const startedAt = Date.now();
    await Promise.all(Array.from({ length: AT_ONCE }, sendSome));
    const sentAfter = (Date.now() - startedAt) / 1000;
    await system.quiet();
    const wrong = items.filter(
      item => magento.store.shown(inventree.shop.parts.get(item.part)?.name ?? '')?.quantity !== item.quantity,
    );
    const { writes } = magento.counts();
    const after = reads();
    const read = { inventree: after.inventree - before.inventree, magento: after.magento - before.magento };
    const from = `${EVENTS.toLocaleString('en')} events, ${eventsEach} a webhook`;
    report.add({
      name: `${from}: reads of both systems`,
      values: [read.inventree + read.magento],
      unit: 'calls',
      ...(eventsEach > 1 && { goal: { atMost: 20 } }),
    });
    report.add({
      name: `${from}: writes`,
      values: [writes],
      unit: 'calls',
      ...(eventsEach > 1 && { goal: { atMost: 6 } }),
    });
    report.say(
      `calls, ${EVENTS.toLocaleString('en')} events over ${PARTS} parts, ${eventsEach} per webhook, ` +
        `sent in ${sentAfter.toFixed(1)} s: ` +
        `InvenTree ${read.inventree} reads; Magento ${read.magento} reads, ${writes} writes; ` +
        `${wrong.length} SKUs wrong`,
    );
    await system.stop();
    if (wrong.length > 0) throw new Error('the store is not equal to the shelves');
  }
}
