import { setTimeout as sleep } from 'node:timers/promises';
import { Queue } from 'bullmq';
import { z } from 'zod';
import type { RedisConnection } from './connection';
import { inOneTurn } from './one-turn';
import { deduplicationId, jobSchema, QUEUES, type NewJob } from './job-catalog';

const deadLetterSchema = z.object({
  /** "part-45". */
  id: z.string(),
  /** null where the job does not name a part. */
  part: z.number().int().nullable(),
  sku: z.string().nullable(),
  /** What the store should show, where that was known. */
  target: z.record(z.string(), z.string()).nullable(),
  /** The kind of failure, for programs: "refused", "ambiguous-sku", "internal". */
  errorKind: z.string(),
  reason: z.string(),
  attempts: z.number().int(),
  /** ISO 8601, for people to read. */
  firstFailedAt: z.string(),
  lastFailedAt: z.string(),
  event: z.string(),
  /** The job that failed; null where it was unreadable. */
  job: jobSchema.nullable(),
});

/** A job that failed for good, and why. */
export type DeadLetter = z.infer<typeof deadLetterSchema>;

/** The dead-letter queue: one dead letter for each part (or whatever else a job is about), with its latest failure. */
export interface DeadLetters {
  add(deadLetter: DeadLetter): Promise<void>;
  has(id: string): Promise<boolean>;
  get(id: string): Promise<DeadLetter | undefined>;
  /** Removes a dead letter; whether there was one. */
  remove(id: string): Promise<boolean>;
  list(): Promise<DeadLetter[]>;
  count(): Promise<number>;
  close(): Promise<void>;
}

/** The id of a job's dead letter: "part-45" (BullMQ allows no colon in an id). */
export const deadLetterId = (job: NewJob) => deduplicationId(job).replaceAll(':', '-');

/** The states of a dead letter: it is added as waiting, and a worker marks it as failed with its reason. */
const STATES = ['waiting', 'active', 'failed', 'delayed', 'prioritized'] as const;
/** How long to wait for a dead letter that a worker is marking, in milliseconds. */
const MARKING_MS = 20;

/** The dead letter in a job of that queue; undefined where it is none. */
export function parseDeadLetter(data: unknown): DeadLetter | undefined {
  return deadLetterSchema.safeParse(data).data;
}

/** What to do about a dead letter, by the kind of its failure. */
export function remedyOf({ errorKind }: Pick<DeadLetter, 'errorKind'>): string {
  return REMEDIES[errorKind] ?? 'Look at the log of the worker that is named in the history, and replay it.';
}

const REMEDIES: Readonly<Record<string, string>> = {
  refused:
    'The store, or a firewall before it, refuses this SKU. Correct what the reason names in Magento, and replay it.',
  'ambiguous-sku':
    'Give each part its own SKU in InvenTree, or set the old one inactive. Its next event syncs the part by itself.',
  'wrong-parameter': 'Correct the parameter in InvenTree. Its next event syncs the part by itself.',
  credentials: 'Allow what the reason names in Magento or InvenTree, and replay it.',
  'no-answer': 'The system did not answer for this item, but for others it did. Replay it.',
  unavailable: 'The system answered nonsense for this item, but not for others. Replay it.',
  throttled: 'The system asked us to wait for this item. Replay it.',
};

/** The job that tries again what a dead letter is about; undefined where the job was unreadable. */
export function replayOf({ job }: DeadLetter): NewJob | undefined {
  return job ? { ...job, event: `replay of ${job.event.replace(/^replay of /, '')}` } : undefined;
}

const EXIST = `
local exist = {}
for i = 1, #KEYS do exist[i] = redis.call('EXISTS', KEYS[i]) end
return exist`;

/** Opens the dead-letter queue, on a connection that stays the caller's. */
export function openDeadLetters({ redis, keys }: RedisConnection): DeadLetters {
  const queue = new Queue(QUEUES.deadLetters, {
    connection: redis,
    prefix: keys.queuePrefix,
    streams: { events: { maxLen: 100 } },
  });
  queue.on('error', () => undefined);

  /** Asked at every sync, so for many at once. */
  const has = inOneTurn<string, boolean>(async ids => {
    const exist = (await redis.eval(EXIST, ids.length, ...ids.map(id => queue.toKey(id)))) as number[];
    return exist.map(one => one === 1);
  });

  async function remove(id: string): Promise<boolean> {
    if (!(await has(id))) return false;
    for (let attempt = 0; attempt < 100; attempt++) {
      await queue.remove(id);
      if (!(await has(id))) return true;
      await sleep(MARKING_MS);
    }
    throw new Error(`dead letter ${id} cannot be removed`);
  }

  return {
    async add(deadLetter) {
      const earlier = await queue.getJob(deadLetter.id);
      const firstFailedAt = earlier && parseDeadLetter(earlier.data)?.firstFailedAt;
      await remove(deadLetter.id);
      const data = { ...deadLetter, firstFailedAt: firstFailedAt ?? deadLetter.firstFailedAt };
      await queue.add(deadLetter.sku ?? deadLetter.id, data, { jobId: deadLetter.id });
    },
    has,
    get: async id => parseDeadLetter((await queue.getJob(id))?.data),
    remove,
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
