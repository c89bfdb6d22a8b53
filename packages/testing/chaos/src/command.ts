import { parseArgs } from 'node:util';
import { buildOtherVersion } from './other-version';
import { runChaos } from './run-chaos';
import { runOrderDays } from './run-order-days';
import { PATIENCE_SECONDS } from './run-seed';

/**
 * `npm run chaos -- --seeds 20` runs seeds 1 to 20; `--from 100` starts at seed 100; `--seed 17` repeats a single seed.
 * `--at-once` is the number of seeds side by side, `--patience` the seconds that the store may take to become right.
 * `--beside <revision>` starts every second process from another version, as an upgrade or a roll-back does.
 * `--orders 200` plays days with that many orders instead, every fifth one also with a bridge that ignores orders.
 * Resolves with the exit code: 0 if every seed was right.
 */
export async function chaosCommand(root: string, args: string[], redisProgram: string): Promise<number> {
  const { values } = parseArgs({
    args,
    options: {
      seeds: { type: 'string', default: '10' },
      seed: { type: 'string' },
      from: { type: 'string', default: '1' },
      'at-once': { type: 'string', default: '3' },
      patience: { type: 'string', default: String(PATIENCE_SECONDS) },
      beside: { type: 'string' },
      orders: { type: 'string' },
      'stop-at-failure': { type: 'boolean', default: false },
    },
  });
  const count = wholeNumber('--seeds', values.seeds);
  const from = wholeNumber('--from', values.from);
  const seeds =
    values.seed === undefined
      ? Array.from({ length: count }, (_, n) => from + n)
      : [wholeNumber('--seed', values.seed)];
  const common = {
    seeds,
    atOnce: wholeNumber('--at-once', values['at-once']),
    stopAtFailure: values['stop-at-failure'],
    redisProgram,
    patienceSeconds: wholeNumber('--patience', values.patience),
    say: (line: string) => console.log(line),
  };
  if (values.orders !== undefined) {
    const orders = wholeNumber('--orders', values.orders);
    const wrong = await runOrderDays({ ...common, orders, naiveEvery: 5 });
    return wrong.length > 0 ? 1 : 0;
  }
  const other = values.beside === undefined ? undefined : buildOtherVersion(root, values.beside);
  const failed = await runChaos({ ...common, besideRoot: other?.folder }).finally(() => other?.remove());
  if (failed.length > 0) console.log(`Once more: ${failed.map(seed => `npm run chaos -- --seed ${seed}`).join('; ')}`);
  return failed.length > 0 ? 1 : 0;
}

function wholeNumber(name: string, text: string): number {
  const number = Number(text);
  if (!Number.isInteger(number) || number < 1)
    throw new Error(`${name}: expected a whole number from 1, got "${text}"`);
  return number;
}
