import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runSeed, type SeedOptions, type SeedResult } from './run-seed';

export interface ChaosOptions extends SeedOptions {
  seeds: readonly number[];
  /** Seeds at once. */
  atOnce: number;
  /** Whether to stop at the first seed that fails. */
  stopAtFailure: boolean;
  say: (line: string) => void;
}

/** Runs these seeds and reports on each; resolves with the seeds that failed. */
export async function runChaos({ seeds, atOnce, stopAtFailure, say, ...options }: ChaosOptions): Promise<number[]> {
  const left = [...seeds];
  const failed: number[] = [];
  const totals = new Map<string, number>();
  let skus = 0;
  const runOn = async () => {
    for (let seed = left.shift(); seed !== undefined; seed = left.shift()) {
      const result = await runSeed(seed, options);
      skus += result.schedule.parts;
      for (const [what, count] of result.totals) totals.set(what, (totals.get(what) ?? 0) + count);
      if (result.problems.length > 0) {
        failed.push(seed);
        if (stopAtFailure) left.length = 0;
      }
      say(lineOf(result));
    }
  };
  await Promise.all(Array.from({ length: atOnce }, runOn));
  say(`${seeds.length - left.length - failed.length} seeds right, ${failed.length} wrong; ${skus} SKUs compared`);
  for (const [what, count] of [...totals].sort(([a], [b]) => a.localeCompare(b))) say(`  ${count} x ${what}`);
  return failed.sort((a, b) => a - b);
}

function lineOf({ schedule, problems, seconds, story }: SeedResult): string {
  const heals = schedule.heals ? 'with sweep and reconcile' : 'by events alone';
  const kind = schedule.hasRules ? `${heals}, by rules` : heals;
  const head = `seed ${schedule.seed}, ${schedule.parts} SKUs, ${schedule.workers} workers, ${kind}`;
  if (problems.length === 0) return `${head}: right after ${seconds.toFixed(0)} s`;
  const file = join(mkdtempSync(join(tmpdir(), 'stock-sync-chaos-story-')), `seed-${schedule.seed}.txt`);
  writeFileSync(file, story.join('\n'));
  return [`${head}: WRONG (what happened: ${file})`, ...problems.map(problem => `  ${problem}`)].join('\n');
}
