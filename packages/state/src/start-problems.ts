import { z } from 'zod';
import type { RedisConnection } from './connection';
import { openStoredValue, type StoredValue } from './stored-value';

const startProblemsSchema = z.object({
  /** Milliseconds since 1970. */
  at: z.number(),
  /** What a worker found wrong with both systems when it started, for people. */
  problems: z.array(z.string()),
});

/** What the start-up check of the last worker found. */
export type StartProblems = StoredValue<z.infer<typeof startProblemsSchema>>;

/** Opens that. */
export function openStartProblems({ redis, keys }: RedisConnection): StartProblems {
  return openStoredValue(redis, keys.startProblems, startProblemsSchema);
}
