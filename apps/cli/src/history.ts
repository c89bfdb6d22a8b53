import { HISTORY_OUTCOMES, type HistoryEntry, type HistoryFilter, type HistoryReader } from '@stock-sync/state';
import { UsageError } from './command';

export interface HistoryCommandOptions {
  limit?: string;
  outcome?: string;
  cause?: string;
  since?: string;
  json?: boolean;
}

const DEFAULT_LIMIT = 50;

/** `stock-sync history [sku]`: what was done about a SKU, or about all, the latest last. */
export async function historyCommand(
  history: HistoryReader,
  sku: string | undefined,
  options: HistoryCommandOptions,
): Promise<string> {
  const { entries, missing } = await history.page({ sku, ...filterFrom(options) }, limitFrom(options.limit));
  if (missing !== undefined) console.error(missing);
  const inOrder = entries.reverse();
  if (options.json) return JSON.stringify(inOrder, undefined, 2);
  if (inOrder.length > 0) return inOrder.map(lineOf).join('\n');
  return sku === undefined ? 'The history has no such entry.' : `The history has no entry of SKU '${sku}'.`;
}

function filterFrom({ outcome, cause, since }: HistoryCommandOptions): HistoryFilter {
  const known = HISTORY_OUTCOMES.find(one => one === outcome);
  if (outcome !== undefined && !known) {
    throw new UsageError(`--outcome: expected one of ${HISTORY_OUTCOMES.join(', ')}; got '${outcome}'`);
  }
  const at = since === undefined ? undefined : Date.parse(since);
  if (Number.isNaN(at)) throw new UsageError(`--since: expected a time like 2026-11-24T08:00, got '${since}'`);
  return { outcome: known, cause, since: at };
}

function limitFrom(text: string | undefined): number {
  if (text === undefined) return DEFAULT_LIMIT;
  if (!/^[1-9]\d{0,5}$/.test(text)) throw new UsageError(`--limit: expected a number of entries, got '${text}'`);
  return Number(text);
}

/** "2026-11-24T08:00:12Z  WIDGET-123  updated  12 → 50  stock_stockitem.saved, 300 ms after the event" */
function lineOf({ at, sku, part, outcome, from, to, cause, note, waitedMs, tookMs }: HistoryEntry): string {
  const time = new Date(at).toISOString().replace(/\.\d+/, '');
  const change = outcome === 'updated' || outcome === 'dry run' ? `${from ?? '?'} → ${to ?? '?'}` : (from ?? to ?? '');
  const late = waitedMs === null || tookMs === null ? '' : `, ${waitedMs + tookMs} ms after the event`;
  const why = note === null ? '' : `: ${note}`;
  const subject = sku ?? `part ${part ?? '?'}`;
  return [time, subject.padEnd(16), outcome.padEnd(11), change.padEnd(12), `${cause}${late}${why}`].join('  ');
}
