import { Queue } from 'bullmq';
import type { Redis } from 'ioredis';
import { z } from 'zod';
import { DEAD_LETTER_QUEUE } from './jobs';

const deadLetterSchema = z.object({
  part: z.number().int(),
  sku: z.string().nullable(),
  /** What the store should have shown, where that was known: "80", or "default: 50, west: 30". */
  wanted: z.string().nullable(),
  errorKind: z.string(),
  reason: z.string(),
  attempts: z.number().int(),
  /** ISO 8601, for people to read. */
  firstFailedAt: z.string(),
  lastFailedAt: z.string(),
  event: z.string(),
});

/** A part that could not be synced, and why. */
export type DeadLetter = z.infer<typeof deadLetterSchema>;

/** The dead letters: one per part, the newest failure. */
export interface DeadLetters {
  put(letter: DeadLetter): Promise<void>;
  /** Takes a part's letter back, because it was synced after all; whether there was one. */
  withdraw(part: number): Promise<boolean>;
  list(): Promise<DeadLetter[]>;
  count(): Promise<number>;
  close(): Promise<void>;
}

const idOf = (part: number) => `part-${part}`;

/** The dead letters, over a connection that stays the caller's. */
export function openDeadLetters(connection: Redis): DeadLetters {
  const queue = new Queue(DEAD_LETTER_QUEUE, { connection, streams: { events: { maxLen: 100 } } });
  queue.on('error', () => undefined);
  return {
    async put(letter) {
      const earlier = await queue.getJob(idOf(letter.part));
      const first = earlier && deadLetterSchema.safeParse(earlier.data).data?.firstFailedAt;
      await queue.remove(idOf(letter.part));
      const data = { ...letter, firstFailedAt: first ?? letter.firstFailedAt };
      await queue.add(letter.sku ?? `part ${letter.part}`, data, { jobId: idOf(letter.part) });
    },
    async withdraw(part) {
      // Asked at every sync, so with the cheapest question there is.
      if ((await connection.exists(queue.toKey(idOf(part)))) === 0) return false;
      await queue.remove(idOf(part));
      return true;
    },
    async list() {
      const jobs = await queue.getJobs(['waiting', 'delayed', 'prioritized']);
      return jobs.flatMap(job => deadLetterSchema.safeParse(job.data).data ?? []);
    },
    async count() {
      const counts = await queue.getJobCounts('waiting', 'delayed');
      return Object.values(counts).reduce((total, count) => total + count, 0);
    },
    close: () => queue.close(),
  };
}
