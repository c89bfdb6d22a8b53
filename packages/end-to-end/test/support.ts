import { connectToRedis, openDeadLetters, type DeadLetter } from '@stock-sync/queue';
import type { System } from '../src';

/** The Redis server that `npm test` provides. */
export function redisServer(): string {
  const url = process.env.TEST_REDIS_URL;
  if (!url) throw new Error('TEST_REDIS_URL is not set: run the tests by `npm test`');
  return url;
}

/** Resolves when the condition holds; rejects after `timeoutMs` with what was waited for. */
export async function until(what: string, holds: () => boolean | Promise<boolean>, timeoutMs = 10_000): Promise<void> {
  const end = Date.now() + timeoutMs;
  while (!(await holds())) {
    if (Date.now() > end) throw new Error(`waited ${timeoutMs} ms in vain: ${what}`);
    await new Promise(resolve => setTimeout(resolve, 10));
  }
}

/** The dead letters that lie there now. */
export async function lettersOf({ database }: System): Promise<DeadLetter[]> {
  const redis = connectToRedis(database.url, { whileAway: { wait: true } });
  const deadLetters = openDeadLetters(redis);
  const letters = await deadLetters.list();
  await deadLetters.close();
  redis.disconnect();
  return letters;
}
