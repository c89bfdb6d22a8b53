import { hostname } from 'node:os';
import type { History, JobOf, NewHistoryEntry } from '@stock-sync/state';

/** What was done about one SKU of a part, or about a part without one. */
export type HistoryLine = Pick<NewHistoryEntry, 'sku' | 'part' | 'outcome'> &
  Partial<Pick<NewHistoryEntry, 'from' | 'to' | 'note'>>;

/**
 * Records what a job did.
 * @param readAt when it began to read the part, in milliseconds by the clock of Redis; undefined where it did not
 */
export type RecordHistory = (
  job: Pick<JobOf<'part'>, 'event' | 'acceptedAt' | 'webhook'>,
  readAt: number | undefined,
  lines: readonly HistoryLine[],
) => Promise<void>;

/** Records with the name of this worker. */
export function createRecordHistory({ history, now }: { history: History; now: () => number }): RecordHistory {
  const worker = `${hostname()}:${process.pid}`;
  return async ({ event, acceptedAt, webhook }, readAt, lines) => {
    const common = {
      cause: event,
      webhook: webhook ?? null,
      worker,
      waitedMs: readAt === undefined ? null : Math.max(0, readAt - acceptedAt),
      tookMs: readAt === undefined ? null : Math.max(0, now() - readAt),
    };
    await history.record(lines.map(line => ({ from: null, to: null, note: null, ...line, ...common })));
  };
}
