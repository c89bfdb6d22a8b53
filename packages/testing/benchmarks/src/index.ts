import { writeFileSync } from 'node:fs';
import { benchAccept } from './accept';
import { benchCalls } from './calls';
import { benchChange } from './change';
import { benchHistory } from './history';
import { benchReconcile } from './reconcile';
import { jsonOf, tableOf, writeReport, type Figure, type Report } from './report';
import { benchRules } from './rules';
import { benchShare } from './share';
import { benchSoak } from './soak';
import { benchStoreLimit } from './store-limit';
import { benchSweep } from './sweep';
import { benchWorkers } from './workers';

const BENCHES: Readonly<Record<string, (redisUrl: string, report: Report) => Promise<void>>> = {
  'store-limit': benchStoreLimit,
  accept: benchAccept,
  calls: benchCalls,
  change: benchChange,
  share: benchShare,
  workers: benchWorkers,
  soak: benchSoak,
  history: benchHistory,
  sweep: benchSweep,
  rules: benchRules,
  reconcile: benchReconcile,
};

export interface BenchOptions {
  redisUrl: string;
  /** The repository, whose docs/benchmarks a run of everything writes. */
  root: string;
  /** `--json FILE`, and the names of measurements; all where none is named. */
  args: readonly string[];
}

/** Runs measurements, and shows their figures as a table. */
export async function runBench({ redisUrl, root, args }: BenchOptions): Promise<void> {
  const at = args.indexOf('--json');
  const file = at < 0 ? undefined : args[at + 1];
  const only = args.filter((_, index) => at < 0 || (index !== at && index !== at + 1));
  const unknown = only.find(name => !(name in BENCHES));
  if (unknown !== undefined) throw new Error(`expected some of ${Object.keys(BENCHES).join(', ')}; got ${unknown}`);
  const figures: Figure[] = [];
  const report: Report = { add: figure => figures.push(figure), say: line => console.log(line) };
  for (const [name, bench] of Object.entries(BENCHES)) {
    if (only.length === 0 || only.includes(name)) await bench(redisUrl, report);
  }
  if (figures.length > 0) console.log(`\n${tableOf(figures)}`);
  if (file !== undefined) writeFileSync(file, jsonOf(figures));
  if (only.length === 0) writeReport(root, figures);
}
