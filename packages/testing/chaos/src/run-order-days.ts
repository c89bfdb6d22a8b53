import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runOrderDay, type OrderDayOptions, type OrderDayResult } from './order-day';

export interface OrderDaysOptions extends Omit<OrderDayOptions, 'isNaive'> {
  seeds: readonly number[];
  /** Days at once. */
  atOnce: number;
  stopAtFailure: boolean;
  /** Every how many days the naive bridge gets the same one; 0 for never. */
  naiveEvery: number;
  say: (line: string) => void;
}

/** Runs days of orders and reports on each; resolves with the seeds that failed. */
export async function runOrderDays(options: OrderDaysOptions): Promise<number[]> {
  const { atOnce, stopAtFailure, naiveEvery, say } = options;
  const left = [...options.seeds];
  const results: OrderDayResult[] = [];
  const naive: OrderDayResult[] = [];
  const runOn = async () => {
    for (let seed = left.shift(); seed !== undefined; seed = left.shift()) {
      const result = await runOrderDay(seed, { ...options, isNaive: false });
      results.push(result);
      if (result.problems.length > 0 && stopAtFailure) left.length = 0;
      say(lineOf(result));
      if (naiveEvery > 0 && seed % naiveEvery === 0) {
        naive.push(await runOrderDay(seed, { ...options, isNaive: true }));
      }
    }
  };
  await Promise.all(Array.from({ length: atOnce }, runOn));
  const failed = results.filter(({ problems }) => problems.length > 0).map(({ seed }) => seed);
  say(`${results.length - failed.length} days right, ${failed.length} wrong. ${totals(results)}`);
  if (naive.length > 0) say(`The naive bridge, ${naive.length} of these days: ${totals(naive)}`);
  return failed.sort((a, b) => a - b);
}

function totals(results: readonly OrderDayResult[]): string {
  const sum = (count: (result: OrderDayResult) => number) => results.reduce((total, one) => total + count(one), 0);
  return (
    `${sum(({ orders }) => orders)} orders; at ${sum(({ looks }) => looks)} looks at a SKU in quiet moments, ` +
    `${sum(({ tooMany }) => tooMany)} times too many could be bought, ${sum(({ tooFew }) => tooFew)} times too few`
  );
}

function lineOf({ seed, orders, looks, problems, story, seconds }: OrderDayResult): string {
  const head = `day ${seed}, ${orders} orders, ${looks} looks`;
  if (problems.length === 0) return `${head}: right after ${seconds.toFixed(0)} s`;
  const file = join(mkdtempSync(join(tmpdir(), 'stock-sync-chaos-story-')), `day-${seed}.txt`);
  writeFileSync(file, story.join('\n'));
  return [`${head}: WRONG (what happened: ${file})`, ...problems.map(problem => `  ${problem}`)].join('\n');
}
