import { setTimeout as sleep } from 'node:timers/promises';
import { Queue } from 'bullmq';
import type { Redis } from 'ioredis';
import { z } from 'zod';
import { DEAD_LETTER_QUEUE, deduplicationId, jobSchema, type SyncJob } from './jobs';

const deadLetterSchema = z.object({
  /** What the letter is called: "part-45". */
  id: z.string(),
  /** null where the job could not even find out which part it is about. */
  part: z.number().int().nullable(),
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
  /** What could not be done; null where the job was not readable. */
  job: jobSchema.nullable(),
});

/** A job that could not be done, and why. */
export type DeadLetter = z.infer<typeof deadLetterSchema>;

/** The dead letters: one per part (or whatever else a job is about), the newest failure. */
export interface DeadLetters {
  put(letter: DeadLetter): Promise<void>;
  has(id: string): Promise<boolean>;
  /** Takes a letter back, because its job was done after all; whether there was one. */
  withdraw(id: string): Promise<boolean>;
  list(): Promise<DeadLetter[]>;
  count(): Promise<number>;
  close(): Promise<void>;
}

/** What a job's letter is called: "part-45". (BullMQ takes no colon in an id.) */
export const letterId = (job: SyncJob) => deduplicationId(job).replaceAll(':', '-');

/** The states that a letter may be in: it comes waiting, and a worker lays it down as failed, with its reason. */
const STATES = ['waiting', 'active', 'failed', 'delayed', 'prioritized'] as const;
/** How long to wait for a letter that a worker has in hand, in milliseconds. */
const IN_HAND_MS = 20;

/** The letter in a job of the dead letters' queue; undefined where it is none. */
export function parseDeadLetter(data: unknown): DeadLetter | undefined {
  return deadLetterSchema.safeParse(data).data;
}

/** The job that tries again what a letter is about; undefined where the job was not readable. */
export function replayOf({ job }: DeadLetter): SyncJob | undefined {
  return job ? { ...job, event: `replay of ${job.event}`, acceptedAt: Date.now() } : undefined;
}

/** The dead letters, over a connection that stays the caller's. */
export function openDeadLetters(connection: Redis): DeadLetters {
  const queue = new Queue(DEAD_LETTER_QUEUE, { connection, streams: { events: { maxLen: 100 } } });
  queue.on('error', () => undefined);

  /** Asked at every sync, so by the cheapest question there is. */
  async function has(id: string): Promise<boolean> {
    return (await connection.exists(queue.toKey(id))) === 1;
  }

  /** A letter that a worker has in hand just now can't be removed. */
  async function remove(id: string): Promise<void> {
    for (let attempt = 0; attempt < 100; attempt++) {
      await queue.remove(id);
      if (!(await has(id))) return;
      await sleep(IN_HAND_MS);
    }
    throw new Error(`dead letter ${id} can't be removed`);
  }

  return {
    async put(letter) {
      const earlier = await queue.getJob(letter.id);
      const first = earlier && parseDeadLetter(earlier.data)?.firstFailedAt;
      await remove(letter.id);
      const data = { ...letter, firstFailedAt: first ?? letter.firstFailedAt };
      await queue.add(letter.sku ?? letter.id, data, { jobId: letter.id });
    },
    has,
    async withdraw(id) {
      if (!(await has(id))) return false;
      await remove(id);
      return true;
    },
    async list() {
      const jobs = await queue.getJobs([...STATES]);
      return jobs.flatMap(job => parseDeadLetter(job.data) ?? []);
    },
    async count() {
      const counts = await queue.getJobCounts(...STATES);
      return Object.values(counts).reduce((total, count) => total + count, 0);
    },
    close: () => queue.close(),
  };
}
