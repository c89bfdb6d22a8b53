import { Queue } from 'bullmq';
import type { Redis } from 'ioredis';
import { attemptOptions, deduplicationId, optionsOf, SYNC_QUEUE, type SyncJob } from './jobs';

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

/** The door into the queue. */
export interface SyncQueue {
  /**
   * Resolves once Redis has the jobs. All that is enqueued in the same turn of the event loop goes in one round trip,
   * and what is asked for twice in it goes once.
   */
  enqueue(jobs: readonly SyncJob[]): Promise<void>;
  /**
   * Has a job done every so many seconds, from now on and once now, however many workers ask for it; 0: not any more.
   * It keeps its place in the queue while everything waits.
   */
  every(kind: 'sweep', seconds: number): Promise<void>;
  /** Jobs that wait, are delayed, are being worked on. */
  counts(): Promise<{ waiting: number; delayed: number; active: number }>;
  /** All workers stop taking jobs for so many milliseconds. */
  pauseFor(milliseconds: number): Promise<void>;
  /** The pause is over. */
  resume(): Promise<void>;
  close(): Promise<void>;
}

/** A door into the queue, over a connection that stays the caller's. */
export function openSyncQueue(connection: Redis, options: SyncQueueOptions): SyncQueue {
  let opened: Queue | undefined;

  /** A queue that is opened while Redis is away would fail for ever on a connection that does not wait. */
  function queue(): Queue {
    if (options.failFast && connection.status !== 'ready') throw new Error('it is away');
    if (opened) return opened;
    opened = new Queue(SYNC_QUEUE, {
      connection,
      skipWaitingForReady: options.failFast,
      streams: { events: { maxLen: 1_000 } },
    });
    // Errors of the connection are told by whoever made it.
    opened.on('error', () => undefined);
    return opened;
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
    await queue().addBulk(
      [...jobs.values()].map(job => ({ name: job.kind, data: job, opts: optionsOf(job, options) })),
    );
    nudgeWhenDue();
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
    async every(kind, seconds) {
      if (seconds === 0) {
        await queue().removeJobScheduler(kind);
        return;
      }
      const data: SyncJob = { kind, event: kind, acceptedAt: Date.now() };
      const opts = attemptOptions(options.attempts);
      await queue().upsertJobScheduler(kind, { every: seconds * 1000 }, { name: kind, data, opts });
    },
    async counts() {
      const { waiting = 0, delayed = 0, active = 0 } = await queue().getJobCounts('waiting', 'delayed', 'active');
      return { waiting, delayed, active };
    },
    pauseFor: async milliseconds => queue().rateLimit(milliseconds),
    resume: async () => {
      await queue().removeRateLimitKey();
    },
    close: async () => {
      for (const nudge of nudges) clearTimeout(nudge);
      await opened?.close();
    },
  };
}
