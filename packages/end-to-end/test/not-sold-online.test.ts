import { startSystem, type System, type SystemOptions } from '../src';
import { messages, redisServer, shown, until, widget } from './support';

/** Parts and products that do not match yet, or never will: what every shop meets on its first day. */

let system: System | undefined;
afterEach(async () => {
  await system?.stop();
  system = undefined;
});

async function start(options: Partial<SystemOptions> = {}) {
  system = await startSystem({
    redisServer: redisServer(),
    sends: 'none',
    ...options,
    environment: { SYNC_DELAY_MS: '30', ...options.environment },
  });
  return system;
}

function addPart({ inventree }: System, name: string, quantity: number): number {
  const part = inventree.shop.addPart({ name });
  inventree.shop.insertItem({ part: part.pk, quantity });
  return part.pk;
}

it('syncs the other parts while one part is not sold online', async () => {
  const running = await start();
  const notSold = addPart(running, 'SPARE-PART-9', 7);
  const { part } = widget(running);
  await running.send({ event: 'stock_stockitem.saved', parts: [notSold] });
  await until(
    'the part is skipped',
    () => messages(running).some(line => line.includes("SKU 'SPARE-PART-9' skipped")),
    5_000,
    () => messages(running),
  );
  await running.send({ event: 'stock_stockitem.saved', parts: [part] });
  await until('the other part is in sync', () => shown(running) === 50);
  expect(messages(running).filter(line => line.includes('waits'))).toEqual([]);
});
