import { setTimeout as sleep } from 'node:timers/promises';
import { scheduleOf, type Schedule } from './schedule';
import { verdictOf } from './verdict';
import { startWorld } from './world';

export interface SeedOptions {
  redisProgram: string;
  /** How long the store may take to become right after the last fault. */
  patienceSeconds: number;
  /** The repository of another version, which every second process is started from. */
  besideRoot?: string | undefined;
}

/** Enough for the slowest seed on a busy machine. */
export const PATIENCE_SECONDS = 120;

/** How a seed ended. */
export interface SeedResult {
  schedule: Schedule;
  /** What was wrong at the end; empty if nothing was. */
  problems: string[];
  totals: ReadonlyMap<string, number>;
  /** What happened, and the logs of the services. */
  story: string[];
  seconds: number;
}

/** A late write is carried out within this time, in milliseconds. */
const LATEST_WRITE_MS = 6_500;

/** Plays the schedule of a seed and judges the result. */
export async function runSeed(
  seed: number,
  { redisProgram, patienceSeconds, besideRoot }: SeedOptions,
): Promise<SeedResult> {
  const schedule = scheduleOf(seed);
  const startedAt = Date.now();
  const world = await startWorld(schedule, redisProgram, besideRoot);
  try {
    const from = Date.now();
    for (const { atMs, what } of schedule.happenings) {
      await sleep(Math.max(0, from + atMs - Date.now()));
      world.happen(what);
    }
    const limitMs = patienceSeconds * 1000;
    const isCalm = await Promise.race([world.calm().then(() => true), sleep(limitMs, false, { ref: false })]);
    if (world.totals.has('Magento: done late')) await sleep(LATEST_WRITE_MS);
    if (schedule.heals) await world.requestReconcile();
    const problems = isCalm
      ? await verdictOf(world, schedule, limitMs)
      : [`a webhook was not accepted within ${patienceSeconds} s, although every fault has ended`];
    const story = [...world.story, ...world.serviceLogs()];
    return { schedule, problems, totals: world.totals, story, seconds: (Date.now() - startedAt) / 1000 };
  } finally {
    await world.stop();
  }
}
