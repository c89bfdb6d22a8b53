import { Queue } from 'bullmq';
import type { Redis } from 'ioredis';
import { attemptOptions, deduplicationId, LOOKUP_QUEUE, optionsOf, queueOf, SYNC_QUEUE, type SyncJob } from './jobs';

export interface SyncQueueOptions {
  /** How long a part's job waits for further events, in milliseconds (SYNC_DELAY_MS). */
  delayMs: number;
  /** Attempts until a job becomes a dead letter (MAX_ATTEMPTS). */
  attempts: number;
  /** Whether to fail at once while Redis is away, rather than to wait for it. */
  failFast: boolean;
}

/** How long after a delayed job is due Redis is woken, in milliseconds: the clocks of two processes differ by some. */
const NUDGE_AFTER_DUE_MS = 3;
/** Under load Redis is awake anyway. */
const NUDGES_APART_MS = 5;

/** Jobs that failed and wait for their next attempt. Some may be done since: it is only a hint. */
const BACKING_OFF = 'stock-sync:backing-off';

/** Which of the two queues. */
export type QueueName = typeof SYNC_QUEUE | typeof LOOKUP_QUEUE;

/** The door into the queues. */
export interface SyncQueue {
  /**
   * Resolves once Redis has the jobs. All that is enqueued in the same turn of the event loop goes in one round trip,
   * and what is asked for twice in it goes once.
   */
  enqueue(jobs: readonly SyncJob[]): Promise<void>;
  /** A job failed and will wait until it is tried again: from now on, an event for it makes it be tried at once. */
  backsOff(job: SyncJob): Promise<void>;
  /**
   * Has a job done every so many seconds, from now on and once now, however many workers ask for it, and however often:
   * it is changed only where it is not so already. 0: not any more. It keeps its place in the queue while everything waits.
   */
  every(kind: 'sweep' | 'reconcile', seconds: number): Promise<void>;
  /** Jobs of both queues that wait, are delayed, are being worked on. */
  counts(): Promise<{ waiting: number; delayed: number; active: number }>;
  /** All workers stop taking jobs of a queue for so many milliseconds; then they take one at a time. */
  pauseFor(milliseconds: number, name: QueueName): Promise<void>;
  /** Jobs of a queue that are delayed are tried now; those that are meant to be done later, of a schedule say, stay. */
  tryDelayedNow(name: QueueName): Promise<void>;
  /** All workers take as many jobs of a queue as they can, from now on. */
  resume(name: QueueName): Promise<void>;
  close(): Promise<void>;
}

/** A door into the queues, over a connection that stays the caller's. */
export function openSyncQueue(connection: Redis, options: SyncQueueOptions): SyncQueue {
  const opened = new Map<QueueName, Queue>();

  /** A queue that is opened while Redis is away would fail for ever on a connection that does not wait. */
  function queue(name: QueueName): Queue {
    if (options.failFast && connection.status !== 'ready') throw new Error('it is away');
    const before = opened.get(name);
    if (before) return before;
    const now = new Queue(name, {
      connection,
      skipWaitingForReady: options.failFast,
      streams: { events: { maxLen: 1_000 } },
    });
    opened.set(name, now);
    // Errors of the connection are told by whoever made it.
    now.on('error', () => undefined);
    return now;
  }

  const nudges = new Set<NodeJS.Timeout>();
  let lastNudgeAt = 0;

  /**
   * Wakes Redis when a delayed job is due: it looks at the time limits of those who wait, as workers do for the next
   * delayed job, only when something happens, or ten times a second. Without it a lone change is up to 100 ms later.
   */
  function nudgeWhenDue(): void {
    const at = Date.now() + options.delayMs + NUDGE_AFTER_DUE_MS;
    if (options.delayMs === 0 || at < lastNudgeAt + NUDGES_APART_MS) return;
    lastNudgeAt = at;
    const nudge = setTimeout(() => {
      nudges.delete(nudge);
      connection.ping().catch(() => undefined);
    }, at - Date.now());
    nudges.add(nudge.unref());
  }

  let collected: { jobs: Map<string, SyncJob>; sent: Promise<void> } | undefined;

  async function send(jobs: Map<string, SyncJob>): Promise<void> {
    const all = [...jobs.values()];
    const addTo = (name: QueueName) => {
      const some = all.filter(job => queueOf(job) === name);
      return some.length === 0
        ? undefined
        : queue(name).addBulk(some.map(job => ({ name: job.kind, data: job, opts: optionsOf(job, options) })));
    };
    const [backingOff] = await Promise.all([
      connection.smismember(BACKING_OFF, ...jobs.keys()),
      addTo(SYNC_QUEUE),
      addTo(LOOKUP_QUEUE),
    ]);
    const failed = all.filter((_, index) => backingOff[index] === 1);
    await Promise.all(failed.map(tryAtOnce));
    nudgeWhenDue();
  }

  /** An event merges into a job that waits for its next attempt; what was wrong may be mended by what it tells of. */
  async function tryAtOnce(job: SyncJob): Promise<void> {
    const id = deduplicationId(job);
    await connection.srem(BACKING_OFF, id);
    const waiting = await queue(queueOf(job)).getDeduplicationJobId(id);
    const found = waiting ? await queue(queueOf(job)).getJob(waiting) : undefined;
    // It may have left its wait just now.
    await found?.changeDelay(options.delayMs).catch(() => undefined);
  }

  return {
    enqueue(jobs) {
      if (jobs.length === 0) return Promise.resolve();
      if (!collected) {
        const batch = new Map<string, SyncJob>();
        const sent = new Promise<void>((resolve, reject) => {
          setImmediate(() => {
            collected = undefined;
            send(batch).then(resolve, reject);
          });
        });
        collected = { jobs: batch, sent };
      }
      for (const job of jobs) collected.jobs.set(deduplicationId(job), job);
      return collected.sent;
    },
    backsOff: async job => {
      await connection.sadd(BACKING_OFF, deduplicationId(job));
    },
    async every(kind, seconds) {
      const lookups = queue(LOOKUP_QUEUE);
      const before = await lookups.getJobScheduler(kind);
      if (seconds === 0) {
        if (before) await lookups.removeJobScheduler(kind);
        return;
      }
      // One whose next run is long due has lost it.
      const isAlive = (before?.next ?? 0) > Date.now() - seconds * 1000;
      if (before?.every === seconds * 1000 && isAlive) return;
      // Earlier versions had it in the other queue.
      await queue(SYNC_QUEUE).removeJobScheduler(kind);
      const data: SyncJob = { kind, event: kind, acceptedAt: Date.now() };
      const opts = attemptOptions(options.attempts);
      await lookups.upsertJobScheduler(kind, { every: seconds * 1000 }, { name: kind, data, opts });
    },
    async counts() {
      const both = await Promise.all(
        [SYNC_QUEUE, LOOKUP_QUEUE].map(name => queue(name as QueueName).getJobCounts('waiting', 'delayed', 'active')),
      );
      const total = (state: string) => both.reduce((sum, counts) => sum + (counts[state] ?? 0), 0);
      return { waiting: total('waiting'), delayed: total('delayed'), active: total('active') };
    },
    async pauseFor(milliseconds, name) {
      // In this order: when the pause is over, one job goes first and tries.
      await queue(name).setGlobalConcurrency(1);
      await queue(name).rateLimit(Math.ceil(milliseconds));
    },
    async tryDelayedNow(name) {
      if (name === SYNC_QUEUE) return queue(name).promoteJobs();
      const delayed = await queue(name).getDelayed();
      const asked = delayed.filter(job => !job.repeatJobKey && job.name !== 'look-again');
      // One that is due just now is no longer delayed.
      await Promise.all(asked.map(job => job.promote().catch(() => undefined)));
    },
    async resume(name) {
      await queue(name).removeGlobalConcurrency();
      await queue(name).removeRateLimitKey();
      // A worker that found the queue full waits for a sign that there is something to do.
      await connection.zadd(queue(name).toKey('marker'), 0, '0');
    },
    close: async () => {
      for (const nudge of nudges) clearTimeout(nudge);
      await Promise.all([...opened.values()].map(one => one.close()));
    },
  };
}
