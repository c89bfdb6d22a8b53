import type { ReconcileProgress } from '@stock-sync/state';
import { Presets, SingleBar } from 'cli-progress';

/** Shows how far the running reconcile is, on standard error. */
export interface ProgressBar {
  update(): Promise<void>;
  stop(): void;
}

/** How often a line is printed where there is no terminal, in milliseconds. */
const LINE_MS = 10_000;

/** A bar on a terminal; elsewhere a line now and then. */
export function createProgressBar(progress: ReconcileProgress): ProgressBar {
  if (!process.stderr.isTTY) {
    let nextAt = Date.now() + LINE_MS;
    return {
      async update() {
        if (Date.now() < nextAt) return;
        nextAt = Date.now() + LINE_MS;
        const now = await progress.get();
        if (now) console.error(`Compared so far: ${now.parts} of about ${now.about} parts`);
      },
      stop: () => undefined,
    };
  }
  const format = 'Comparing {bar} {value} of about {total} parts';
  const bar = new SingleBar({ format, stream: process.stderr, clearOnComplete: true }, Presets.shades_classic);
  let isStarted = false;
  return {
    async update() {
      const now = await progress.get();
      if (!now) return;
      const total = Math.max(now.about, now.parts, 1);
      if (!isStarted) bar.start(total, now.parts);
      isStarted = true;
      bar.setTotal(total);
      bar.update(now.parts);
    },
    stop: () => bar.stop(),
  };
}
