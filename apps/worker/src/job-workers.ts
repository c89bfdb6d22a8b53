import type { Log } from '@stock-sync/service';
import { BACKOFF_TYPE, PARTS_IN_JOB, type RedisConnection } from '@stock-sync/state';
import { Worker, type Job } from 'bullmq';
import { backoffMs, type RunJob } from './jobs/run-job';

/** A job whose worker does not renew its lock for this long is taken over; workers check for such jobs this often. */
const LOCK_MS = 8_000;
const STALLED_CHECK_MS = 3_000;
/** How often a worker checks whether a pause of its queue is over, in milliseconds: another one may have ended it. */
const PAUSE_CHECK_MS = 1_000;
/** How often the same error of BullMQ is logged, in milliseconds. */
const REPEAT_LOG_MS = 60_000;
/** BullMQ can pause a queue only where it has a rate limit; this one is never reached. */
const NO_LIMIT = { max: 1_000_000_000, duration: 1_000 };
/** Workers of BullMQ in one process that fetch side by side. */
const FETCHERS = 8;
/** Jobs that a worker of BullMQ fetches before it starts the first one. */
const FETCHED_AHEAD = 4;

/**
 * Starts several workers of BullMQ that run up to `jobsAtOnce` jobs together: one of them fetches job after job, so
 * several fetch side by side.
 */
export function startJobWorkers(
  name: string,
  run: RunJob,
  jobsAtOnce: number,
  connection: RedisConnection,
  log: Log,
): Worker[] {
  const count = Math.min(FETCHERS, Math.ceil(jobsAtOnce / PARTS_IN_JOB));
  const shares = Array.from({ length: count }, (_, n) => Math.floor((jobsAtOnce + n) / count));
  return shares.map(share => startJobWorker(name, run, share, connection, log));
}

/** Starts one worker of BullMQ, on a connection that stays the caller's; each gets another one for what blocks. */
export function startJobWorker(
  name: string,
  run: RunJob,
  jobsAtOnce: number,
  connection: RedisConnection,
  log: Log,
): Worker {
  const { redis } = connection;
  const worker: Worker = new Worker(
    name,
    startingAtOnce(run, jobsAtOnce, () => worker),
    {
      connection: redis,
      prefix: connection.keys.queuePrefix,
      ...(connection.telemetry && { telemetry: connection.telemetry }),
      concurrency: aheadOf(jobsAtOnce),
      limiter: NO_LIMIT,
      maximumRateLimitDelay: PAUSE_CHECK_MS,
      lockDuration: LOCK_MS,
      stalledInterval: STALLED_CHECK_MS,
      maxStalledCount: Number.MAX_SAFE_INTEGER,
      settings: { backoffStrategy: (attemptsMade, type) => (type === BACKOFF_TYPE ? backoffMs(attemptsMade) : 0) },
    },
  );
  // Where a job fails while BullMQ waits for the next one, it forgets when that is due, and nothing starts for 5 s. Its
  // marker makes it look. (A shorter `drainDelay` breaks off connections while a Cluster elects a node.)
  worker.on('failed', () => {
    redis.zadd(worker.toKey('marker'), 0, '0').catch(() => undefined);
  });
  let last: { message: string; at: number } | undefined;
  worker.on('error', ({ message }) => {
    // While Redis is unreachable, that is logged once, and every worker of BullMQ says so all the time.
    const isNews = last?.message !== message || Date.now() > last.at + REPEAT_LOG_MS;
    if (isNews) last = { message, at: Date.now() };
    log[isNews && redis.status === 'ready' ? 'error' : 'debug'](`BullMQ, queue ${name}: ${message}`);
  });
  return worker;
}

/**
 * A worker of BullMQ fetches as many jobs as it may run, one by one, before it starts any. So it may run only a few at
 * first, and with each job that it starts one more, up to `jobsAtOnce`.
 */
function startingAtOnce(run: RunJob, jobsAtOnce: number, worker: () => Worker): RunJob {
  let [jobs, parts] = [0, 0];
  const ahead = aheadOf(jobsAtOnce);
  return async (job, token) => {
    const count = partsIn(job);
    jobs++;
    parts += count;
    if (parts < jobsAtOnce) worker().concurrency = Math.min(jobsAtOnce, Math.max(worker().concurrency, jobs + ahead));
    else worker().concurrency = jobs;
    try {
      return await run(job, token);
    } finally {
      jobs--;
      parts -= count;
      if (jobs === 0) worker().concurrency = ahead;
    }
  };
}

/** How many jobs are fetched before the first one starts: they may hold several parts each. */
function aheadOf(jobsAtOnce: number): number {
  return Math.min(FETCHED_AHEAD, Math.ceil(jobsAtOnce / PARTS_IN_JOB));
}

function partsIn({ data }: Job): number {
  const { parts } = data as { parts?: unknown };
  return Array.isArray(parts) ? parts.length : 1;
}
