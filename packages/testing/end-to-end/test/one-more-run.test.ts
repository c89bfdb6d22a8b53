import { setTimeout as sleep } from 'node:timers/promises';
import { stockActions, type FakeCall, type StockItem } from '@stock-sync/fakes';
import { startSystem, type System } from '../src';
import { isWrite, redisServer, shown, until } from './support';

const isStockRead = (call: FakeCall) => call.path === '/plugin/magento-sync/stock/';

function widget(system: System, quantity: number): StockItem {
  const { inventree, magento } = system;
  const part = inventree.shop.addPart({ name: 'WIDGET-123' });
  magento.store.addProduct('WIDGET-123', { quantity: 999 });
  return inventree.shop.insertItem({ part: part.pk, quantity });
}

describe('an event for a part that is being synced', () => {
  let system: System;
  afterEach(() => system.stop());

  it('while it is being read leads to one more run, which finds the new quantity', async () => {
    system = await startSystem({ redisServer: redisServer() });
    const item = widget(system, 10);
    const { inventree } = system;
    let reads = 0;
    // The first answer is computed at once and sent late: it is old when it arrives.
    inventree.setFault(call => (isStockRead(call) && ++reads === 1 ? { answerAfterMs: 600 } : undefined));
    stockActions.add(inventree.shop, item, 1);
    await until('the part is being read', () => reads === 1);
    stockActions.add(inventree.shop, item, 1);
    await system.quiet();
    expect(shown(system)).toBe(12);
    expect(reads).toBe(2);
  });

  it('while it is being written leads to one more run, which writes the new quantity', async () => {
    system = await startSystem({ redisServer: redisServer() });
    const item = widget(system, 10);
    const { inventree, magento } = system;
    let writes = 0;
    magento.setFault(call => (isWrite(call) && ++writes === 1 ? { answerAfterMs: 600 } : undefined));
    stockActions.add(inventree.shop, item, 1);
    await until('the SKU is being written', () => writes === 1);
    stockActions.add(inventree.shop, item, 1);
    await system.quiet();
    expect(shown(system)).toBe(12);
    expect(writes).toBe(2);
    expect(magento.maxWritersPerSku()).toBe(1);
  });
});

/** Of the write throttle, from one write to the next, in milliseconds: after the first two, which are shorter. */
const INTERVAL_MS = 400;
const SHORTER_INTERVALS = 2;

describe('a long series of events', () => {
  let system: System;
  afterEach(() => system.stop());

  it('on one part causes one write for each interval until the store is right, however many there are', async () => {
    system = await startSystem({ redisServer: redisServer(), workers: 2, sends: 'none' });
    const item = widget(system, 2_000);
    const { shop } = system.inventree;
    const send = (each: number) => {
      const events = Array.from({ length: each }, () => {
        stockActions.remove(shop, item, 1);
        return { event: 'stock_stockitem.saved', id: item.pk, part: item.part };
      });
      return system.send({ events });
    };
    const startedAt = Date.now();
    for (const each of [...Array<number>(50).fill(1), ...Array<number>(19).fill(50)])
      expect(await send(each)).toBe(202);
    await until('the store is right', () => shown(system) === 1_000);
    const intervals = SHORTER_INTERVALS + Math.floor((Date.now() - startedAt) / INTERVAL_MS);
    await system.quiet();
    expect(system.magento.counts().writes).toBeLessThanOrEqual(1 + intervals);
  });

  it('over 40 parts and three workers never causes two writes of one SKU at once, and ends right', async () => {
    system = await startSystem({
      redisServer: redisServer(),
      workers: 3,
      environment: { SYNC_DELAY_MS: '0', MAGENTO_CONCURRENCY: '6' },
    });
    const { inventree, magento } = system;
    const items = Array.from({ length: 40 }, (_, n) => {
      const part = inventree.shop.addPart({ name: `PART-${n}` });
      magento.store.addProduct(`PART-${n}`);
      return inventree.shop.insertItem({ part: part.pk, quantity: 1 });
    });
    magento.setFault(call => (isWrite(call) ? { answerAfterMs: 20 } : undefined));
    for (let round = 0; round < 30; round++) {
      for (const item of items) stockActions.add(inventree.shop, item, 1);
      await sleep(15);
    }
    await system.quiet();
    for (const item of items) {
      const name = inventree.shop.parts.get(item.part)?.name ?? '';
      expect([name, magento.store.shown(name)?.quantity]).toEqual([name, 31]);
    }
    expect(magento.maxWritersPerSku()).toBe(1);
  });
});

describe('an old read', () => {
  it('is not written by a worker that was suspended for longer than its lock', async () => {
    const system = await startSystem({ redisServer: redisServer(), sends: 'none' });
    const item = widget(system, 5);
    const { inventree } = system;
    const [suspended] = system.workers;
    if (!suspended) throw new Error('no worker');
    let reads = 0;
    inventree.setFault(call => (isStockRead(call) && ++reads === 1 ? { answerAfterMs: 1_500 } : undefined));
    await system.send({ event: 'stock_stockitem.saved', part: item.part });
    await until('the part is being read', () => reads === 1);
    suspended.kill('SIGSTOP');
    stockActions.patch(inventree.shop, item, { quantity: 7 });

    await system.startWorker();
    await until('another worker took over and wrote', () => shown(system) === 7, 40_000);
    suspended.kill('SIGCONT');
    await sleep(1_000);
    await system.quiet();

    expect(system.magento.store.history.map(entry => entry.quantity)).toEqual([999, 7]);
    await system.stop();
  }, 90_000);
});
