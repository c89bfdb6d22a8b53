import { benchAccept } from './accept';
import { benchCalls } from './calls';
import { benchChange } from './change';
import { benchHistory } from './history';
import { benchReconcile } from './reconcile';
import { benchRules } from './rules';
import { benchSweep } from './sweep';

const BENCHES: Readonly<Record<string, (redisUrl: string) => Promise<void>>> = {
  accept: benchAccept,
  calls: benchCalls,
  change: benchChange,
  history: benchHistory,
  sweep: benchSweep,
  rules: benchRules,
  reconcile: benchReconcile,
};

/** Runs the measurements that are named, or all. */
export async function runBench({ redisUrl, only }: { redisUrl: string; only: readonly string[] }): Promise<void> {
  for (const [name, bench] of Object.entries(BENCHES)) {
    if (only.length === 0 || only.includes(name)) await bench(redisUrl);
  }
}
