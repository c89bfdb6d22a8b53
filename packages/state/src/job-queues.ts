import { randomUUID } from 'node:crypto';
import { chunk } from '@stock-sync/domain';
import { Queue, type BulkJobOptions } from 'bullmq';
import type { RedisConnection } from './connection';
import {
  catalogEntry,
  deduplicationId,
  jobTitle,
  QUEUES,
  type JobOf,
  type NewJob,
  type QueueName,
  type SyncJob,
} from './job-catalog';
import { JOB_OF_SEVERAL, openPartClaims } from './part-claims';

export interface JobQueuesOptions {
  /**
   * How long a part's job waits for further events, in milliseconds (SYNC_DELAY_MS); 0 where no events are enqueued.
   */
  eventDelayMs?: number;
  /** Whether to reject at once while Redis is unreachable, rather than to wait for it. */
  failFast?: boolean;
}

/**
 * How long after a delayed job is due Redis is woken, in milliseconds: the time limit of a waiting worker ends a little
 * later, by what its command took.
 */
const WAKE_AFTER_DUE_MS = [2, 4, 7, 12, 20];
/** Under load Redis is awake anyway. */
const WAKE_INTERVAL_MS = 10;
/** So many parts that changed together are worth a job of several parts ... */
const WORTH_JOINING = 5;
/** ... and so many are in one. */
export const PARTS_IN_JOB = 25;
/** Finished jobs that the dashboard can still show. */
const KEPT_JOBS = 1_000;
/** The worker decides when a job has failed for good (MAX_ATTEMPTS), so that no other service needs that setting. */
const UNLIMITED = Number.MAX_SAFE_INTEGER;
/** The worker computes the pauses between attempts. */
export const BACKOFF_TYPE = 'jittered';

/** The queues of jobs. */
export interface JobQueues {
  /**
   * Resolves once Redis has the jobs. All jobs that are enqueued in the same turn of the event loop go in one round
   * trip, and duplicates among them are dropped.
   */
  enqueue(jobs: readonly NewJob[]): Promise<void>;
  /** The same for jobs that were accepted before. */
  enqueueAgain(jobs: readonly SyncJob[]): Promise<void>;
  /** A job failed and waits for its next attempt: from now on, an event for it starts that attempt at once. */
  backsOff(job: SyncJob): Promise<void>;
  /** A job that failed before is done, or failed for good. */
  backsOffNoMore(job: SyncJob): Promise<void>;
  /**
   * Repeats a job at this interval, and runs it once now, however many workers ask for it. 0: no longer. A schedule
   * that is as requested is left alone, and keeps its place in the queue.
   */
  schedule(kind: 'sweep' | 'reconcile' | 'find-orders', seconds: number): Promise<void>;
  /** Jobs in both queues by state; `parts`: those that sync a part, in any state. */
  counts(): Promise<{ waiting: number; delayed: number; active: number; parts: number }>;
  /** The id of the job that syncs a part, if one waits or runs. */
  jobOfPart(part: number): Promise<string | undefined>;
  /** Workers take no jobs of a queue for this long. It ends by itself, so a worker that dies leaves nothing paused. */
  pause(name: QueueName, milliseconds: number): Promise<void>;
  /** Workers take jobs of a queue again. */
  resume(name: QueueName): Promise<void>;
  close(): Promise<void>;
}

/** Opens the queues, on a connection that stays the caller's. */
export function openJobQueues(
  { redis, keys, now, telemetry }: RedisConnection,
  { eventDelayMs = 0, failFast = false }: JobQueuesOptions = {},
): JobQueues {
  const opened = new Map<QueueName, Queue>();
  const claims = openPartClaims({ redis, keys });

  /** A queue that is opened while Redis is unreachable would fail for ever on a connection that does not wait. */
  function queue(name: QueueName): Queue {
    if (failFast && redis.status !== 'ready') throw new Error('it is unreachable');
    const before = opened.get(name);
    if (before) return before;
    const now = new Queue(name, {
      connection: redis,
      prefix: keys.queuePrefix,
      skipWaitingForReady: failFast,
      ...(telemetry && { telemetry }),
      streams: { events: { maxLen: 1_000 } },
    });
    opened.set(name, now);
    // The owner of the connection logs its errors.
    now.on('error', () => undefined);
    // BullMQ keeps the failure of a queue's first command for ever, so the next call opens the queue again.
    now.waitUntilReady().catch(() => {
      if (opened.get(name) === now) opened.delete(name);
      return now.close().catch(() => undefined);
    });
    return now;
  }

  const wakeUps = new Set<NodeJS.Timeout>();
  let lastWakeUpAt = 0;

  /**
   * Wakes Redis when a delayed job is due. Redis checks the time limits of waiting clients, as workers are while they
   * wait for the next delayed job, only when something happens, or ten times a second: a single change would be up to
   * 100 ms late.
   */
  function wakeRedisWhenDue(): void {
    const now = Date.now();
    if (eventDelayMs === 0 || now < lastWakeUpAt + WAKE_INTERVAL_MS) return;
    lastWakeUpAt = now;
    for (const afterDueMs of WAKE_AFTER_DUE_MS) {
      const wakeUp = setTimeout(() => {
        wakeUps.delete(wakeUp);
        redis.ping().catch(() => undefined);
      }, eventDelayMs + afterDueMs);
      wakeUps.add(wakeUp.unref());
    }
  }

  let collected: { jobs: Map<string, CollectedJob>; sent: Promise<void> } | undefined;

  /** Jobs are sent together; each belongs to the trace in which it was enqueued. */
  function currentTrace(): string | undefined {
    return telemetry?.contextManager.getMetadata(telemetry.contextManager.active());
  }

  async function send(jobs: Map<string, CollectedJob>): Promise<void> {
    const all = [...jobs.values()].map(({ job }) => job);
    const together = all.filter(({ kind }) => kind === 'part').length > 1;
    const dataOf = (job: SyncJob): SyncJob => (together && job.kind === 'part' ? { ...job, together } : job);
    const joined = await joinParts([...jobs.values()]);
    const addTo = (name: QueueName) => {
      const some = joined.filter(({ job }) => catalogEntry(job).queue === name);
      return some.length === 0
        ? undefined
        : queue(name).addBulk(
            some.map(({ job, trace, id }) => ({
              name: jobTitle(job),
              data: dataOf(job),
              opts: {
                ...(id === undefined ? jobOptions(job, eventDelayMs) : joinedOptions(job, id, eventDelayMs)),
                ...(trace !== undefined && { telemetry: { metadata: trace } }),
              },
            })),
          );
    };
    const [isBackingOff] = await Promise.all([
      redis.smismember(keys.backingOff, ...jobs.keys()),
      addTo(QUEUES.parts),
      addTo(QUEUES.lookups),
    ]);
    await Promise.all(all.filter((_, index) => isBackingOff[index] === 1).map(retryNow));
    wakeRedisWhenDue();
  }

  /** Parts that changed together are synced by one job for several of them. */
  async function joinParts(jobs: readonly CollectedJob[]): Promise<CollectedJob[]> {
    const [single, others]: [PartOfJob[], CollectedJob[]] = [[], []];
    for (const { job, trace } of jobs) {
      if (job.kind === 'part' && !job.alone) single.push({ job, trace });
      else others.push({ job, trace });
    }
    if (single.length < WORTH_JOINING) return [...jobs];
    const size = Math.ceil(single.length / Math.ceil(single.length / PARTS_IN_JOB));
    const joined = await Promise.all(chunk(single, size).map(join));
    return [...others, ...joined.flat()];
  }

  /** The job of these parts, without those whose event another job has; a part whose own job runs gets one more. */
  async function join(some: readonly PartOfJob[]): Promise<CollectedJob[]> {
    const id = `${JOB_OF_SEVERAL}${randomUUID()}`;
    const claimed = await claims.claim(
      id,
      some.map(({ job }) => job),
    );
    const again = some.filter((_, index) => claimed[index] === 'running');
    const [first, ...more] = some.filter((_, index) => claimed[index] === 'ours');
    if (!first) return again;
    const { event, acceptedAt, webhook } = first.job;
    const parts = [first, ...more].map(({ job }) => partOf(job));
    return [...again, { job: { kind: 'parts', parts, event, acceptedAt, webhook }, trace: first.trace, id }];
  }

  /** An event merges into the job that waits for its next attempt; what was wrong may be fixed by now. */
  async function retryNow(job: SyncJob): Promise<void> {
    const id = deduplicationId(job);
    await redis.srem(keys.backingOff, id);
    const jobs = queue(catalogEntry(job).queue);
    const waiting = await jobs.getDeduplicationJobId(id);
    const found = waiting ? await jobs.getJob(waiting) : undefined;
    // It may have started just now.
    await found?.changeDelay(eventDelayMs).catch(() => undefined);
  }

  function collect(jobs: readonly SyncJob[]): Promise<void> {
    if (jobs.length === 0) return Promise.resolve();
    if (!collected) {
      const batch = new Map<string, CollectedJob>();
      const sent = new Promise<void>((resolve, reject) => {
        setImmediate(() => {
          collected = undefined;
          send(batch).then(resolve, reject);
        });
      });
      collected = { jobs: batch, sent };
    }
    const trace = currentTrace();
    for (const job of jobs) collected.jobs.set(deduplicationId(job), { job, trace });
    return collected.sent;
  }

  return {
    enqueue(jobs) {
      const acceptedAt = now();
      return collect(jobs.map(job => ({ ...job, acceptedAt })));
    },
    enqueueAgain: collect,
    backsOff: async job => {
      await redis.sadd(keys.backingOff, deduplicationId(job));
    },
    backsOffNoMore: async job => {
      await redis.srem(keys.backingOff, deduplicationId(job));
    },
    async schedule(kind, seconds) {
      const lookups = queue(QUEUES.lookups);
      const before = await lookups.getJobScheduler(kind);
      if (seconds === 0) {
        if (before) await lookups.removeJobScheduler(kind);
        return;
      }
      // A schedule whose next run is long overdue has lost it.
      const isAlive = (before?.next ?? 0) > Date.now() - seconds * 1000;
      if (before?.every === seconds * 1000 && isAlive) return;
      const data: SyncJob = { kind, event: kind, acceptedAt: now() };
      await lookups.upsertJobScheduler(kind, { every: seconds * 1000 }, { name: kind, data, opts: keptOptions });
    },
    async counts() {
      const countsOf = (name: QueueName) => queue(name).getJobCounts('waiting', 'delayed', 'active');
      const [ofParts, ofLookups, joined] = await Promise.all([
        countsOf(QUEUES.parts),
        countsOf(QUEUES.lookups),
        claims.count(),
      ]);
      const total = (state: string) => (ofParts[state] ?? 0) + (ofLookups[state] ?? 0);
      const jobs = Object.values(ofParts).reduce((sum, count) => sum + count, 0);
      const parts = Math.max(0, jobs - joined.jobs) + joined.parts;
      return { waiting: total('waiting'), delayed: total('delayed'), active: total('active'), parts };
    },
    async jobOfPart(part) {
      const id = deduplicationId({ kind: 'part', part, event: '' });
      return (await queue(QUEUES.parts).getDeduplicationJobId(id)) ?? undefined;
    },

    pause: async (name, milliseconds) => {
      await queue(name).rateLimit(Math.ceil(milliseconds));
    },
    async resume(name) {
      await queue(name).removeRateLimitKey();
      // A worker that found the queue paused waits for a sign that there is something to do.
      await redis.zadd(queue(name).toKey('marker'), 0, '0');
    },
    close: async () => {
      for (const wakeUp of wakeUps) clearTimeout(wakeUp);
      await Promise.all([...opened.values()].map(one => one.close()));
    },
  };
}

/** A job that is about to be sent, and the trace in which it was enqueued. */
interface CollectedJob<Job = SyncJob> {
  job: Job;
  trace: string | undefined;
  /** That of a job of several parts, which are claimed for it. */
  id?: string;
}
type PartOfJob = CollectedJob<JobOf<'part'>>;

function partOf({ part, event, webhook }: JobOf<'part'>): JobOf<'parts'>['parts'][number] {
  return { part, event, webhook };
}

const keptOptions = {
  attempts: UNLIMITED,
  backoff: { type: BACKOFF_TYPE },
  removeOnComplete: { count: KEPT_JOBS },
  removeOnFail: { count: KEPT_JOBS },
};

/** How a job of several parts is queued: its parts are claimed for it, so there is nothing to deduplicate. */
function joinedOptions(job: SyncJob, id: string, eventDelayMs: number): BulkJobOptions {
  return { jobId: id, timestamp: job.acceptedAt, ...(eventDelayMs > 0 && { delay: eventDelayMs }), ...keptOptions };
}

/**
 * How a job is queued. An event for a job that still waits merges into it, because its read is still to come; an event
 * for a job that is running causes one more run afterwards (keepLastIfActive).
 */
function jobOptions(job: SyncJob, eventDelayMs: number): BulkJobOptions {
  const { delayMs } = catalogEntry(job);
  const delay = delayMs(job, { eventDelayMs });
  return {
    timestamp: job.acceptedAt,
    ...(delay > 0 && { delay }),
    deduplication: { id: deduplicationId(job), keepLastIfActive: true },
    ...keptOptions,
  };
}
