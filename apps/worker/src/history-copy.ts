import { errorMessage, type Log } from '@stock-sync/service';
import type { History, HistoryDatabase, Semaphore } from '@stock-sync/state';

export interface HistoryCopyDeps {
  history: History;
  database: HistoryDatabase;
  /** One worker copies. */
  lease: Semaphore;
  /** HISTORY_DATABASE_DAYS; 0 keeps every entry. */
  days: number;
  now: () => number;
  log: Log;
}

/** How often new entries are copied, in milliseconds. */
const COPY_MS = 1_000;
const ENTRIES_AT_ONCE = 1_000;
/** How often old entries are deleted, in milliseconds. */
const DELETE_MS = 60 * 60_000;
const DAY_MS = 24 * 60 * 60_000;

/**
 * Copies the history from Redis to PostgreSQL. A sync never waits for PostgreSQL: while it is unreachable, Redis keeps
 * the entries, as many as its bounds allow. Where the copy goes on is read from PostgreSQL, so a crash leaves no gap.
 */
export function startHistoryCopy(deps: HistoryCopyDeps): { stop(): Promise<void> } {
  const { history, database, log } = deps;
  let isPrepared = false;
  let isFailing = false;
  let deletedAt = 0;
  let isStopping = false;

  /** Whether it copied; otherwise another worker does. */
  async function copy(): Promise<boolean> {
    const release = await deps.lease.tryAcquire();
    if (!release) return false;
    try {
      if (!isPrepared) await database.prepare();
      isPrepared = true;
      await copyNewEntries();
      await deleteOldEntries();
      return true;
    } finally {
      await release();
    }
  }

  async function copyNewEntries(): Promise<void> {
    let last = await database.latestId();
    while (!isStopping) {
      const entries = await history.after(last, ENTRIES_AT_ONCE);
      const latest = entries.at(-1);
      if (!latest) return;
      await database.store(entries);
      last = latest.id;
    }
  }

  async function deleteOldEntries(): Promise<void> {
    if (deps.days === 0 || deps.now() - deletedAt < DELETE_MS) return;
    deletedAt = deps.now();
    const count = await database.deleteBefore(deps.now() - deps.days * DAY_MS);
    if (count > 0) log.info(`Deleted ${count} entries of the history that are older than ${deps.days} days`);
  }

  async function copyAndReport(): Promise<void> {
    try {
      if (!(await copy())) return;
      if (isFailing) log.info('The history is copied to PostgreSQL again');
      isFailing = false;
    } catch (error) {
      if (!isFailing) log.error(`The history waits in Redis: PostgreSQL cannot be written (${errorMessage(error)})`);
      isFailing = true;
    }
  }

  let running: Promise<void> | undefined;
  const timer = setInterval(() => {
    running ??= copyAndReport().finally(() => (running = undefined));
  }, COPY_MS);
  return {
    async stop() {
      isStopping = true;
      clearInterval(timer);
      await running;
      await database.close();
    },
  };
}
