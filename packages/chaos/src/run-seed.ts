import { setTimeout as sleep } from 'node:timers/promises';
import { scheduleOf, type Schedule } from './schedule';
import { verdictOf } from './verdict';
import { startWorld } from './world';

export interface SeedOptions {
  redisProgram: string;
  /** How long everything may take to become right after the last fault. */
  patienceSeconds: number;
}

/** Enough for the slowest seed on a machine that also does other things. */
export const PATIENCE_SECONDS = 120;

/** How a seed ended. */
export interface SeedResult {
  schedule: Schedule;
  /** What was wrong at the end; nothing, if all is well. */
  problems: string[];
  totals: ReadonlyMap<string, number>;
  /** What happened, and what the services said. */
  story: string[];
  seconds: number;
}

/** A write that is done late is done within so many milliseconds. */
const LATEST_WRITE_MS = 6_500;

/** Plays a seed's schedule and judges what came of it. */
export async function runSeed(seed: number, { redisProgram, patienceSeconds }: SeedOptions): Promise<SeedResult> {
  const schedule = scheduleOf(seed);
  const startedAt = Date.now();
  const world = await startWorld(schedule, redisProgram);
  try {
    const from = Date.now();
    for (const { atMs, what } of schedule.happenings) {
      await sleep(Math.max(0, from + atMs - Date.now()));
      world.happen(what);
    }
    await world.calm();
    if (world.totals.has('Magento: done late')) await sleep(LATEST_WRITE_MS);
    if (schedule.heals) world.askForReconcile();
    const problems = await verdictOf(world, schedule, patienceSeconds * 1000);
    const story = [...world.story, ...world.serviceLogs()];
    return { schedule, problems, totals: world.totals, story, seconds: (Date.now() - startedAt) / 1000 };
  } finally {
    await world.stop();
  }
}
