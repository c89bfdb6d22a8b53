import { setTimeout as sleep } from 'node:timers/promises';
import type { ZodType } from 'zod';
import type { RedisConnection } from './connection';
import { parseStored } from './stored-value';

/** The answer of a worker to somebody who waits for it. */
export interface Answer<T> {
  send(answer: T): Promise<void>;
  /** The answer, once; undefined where none comes within this time in milliseconds. */
  receive(timeoutMs: number): Promise<T | undefined>;
}

/** How long an answer without a receiver is kept. */
const KEPT_SECONDS = 60;
const POLL_MS = 50;

/** Opens the answer with this id. */
export function openAnswer<T>({ redis, keys }: RedisConnection, id: string, schema: ZodType<T>): Answer<T> {
  const key = keys.answer(id);
  return {
    async send(answer) {
      await redis.set(key, JSON.stringify(answer), 'EX', KEPT_SECONDS);
    },
    async receive(timeoutMs) {
      for (const deadline = Date.now() + timeoutMs; Date.now() < deadline; await sleep(POLL_MS)) {
        const answer = parseStored(schema, await redis.getdel(key));
        if (answer) return answer;
      }
      return undefined;
    },
  };
}
