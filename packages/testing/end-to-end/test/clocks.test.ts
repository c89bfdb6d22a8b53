import { join } from 'node:path';
import { stockActions } from '@stock-sync/fakes';
import { startSystem, type System } from '../src';
import { messages, redisServer, shown, until, widget } from './support';

/** Processes on machines whose clocks differ. */

let system: System | undefined;
afterEach(async () => {
  await system?.stop();
  system = undefined;
});

const clockAhead = (milliseconds: number) => ({
  NODE_OPTIONS: `--require ${join(__dirname, 'clock-ahead.cjs')}`,
  CLOCK_AHEAD_MS: String(milliseconds),
});
const MINUTES = 60_000;

async function start(environment: Record<string, string>) {
  system = await startSystem({
    redisServer: redisServer(),
    workers: 0,
    environment: { SYNC_DELAY_MS: '10', ...environment },
  });
  return { running: system, item: widget(system) };
}

it('an ingest whose clock is ahead delays nothing', async () => {
  const { running, item } = await start(clockAhead(4 * MINUTES));
  await running.startWorker({ NODE_OPTIONS: '' });
  for (const quantity of [51, 52, 53]) {
    stockActions.add(running.inventree.shop, item, 1);
    await until(
      `the store shows ${quantity}`,
      () => shown(running) === quantity,
      8_000,
      () => messages(running),
    );
  }
});

it('a worker delays nothing because another one, whose clock is ahead, wrote the part before', async () => {
  const { running, item } = await start({});
  const ahead = await running.startWorker(clockAhead(60 * MINUTES));
  stockActions.add(running.inventree.shop, item, 1);
  await until(
    'the store shows 51',
    () => shown(running) === 51,
    8_000,
    () => messages(running),
  );
  await ahead.stop();
  await running.startWorker();
  stockActions.add(running.inventree.shop, item, 1);
  await until(
    'the store shows 52',
    () => shown(running) === 52,
    8_000,
    () => messages(running),
  );
  expect(messages(running).some(line => line.includes('the clock of this machine is 3600 s ahead'))).toBe(true);
});
