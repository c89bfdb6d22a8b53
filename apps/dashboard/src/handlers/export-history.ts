import type { HistoryEntry, HistoryReader } from '@stock-sync/state';
import type { RequestHandler } from 'express';
import { filterFrom, formFrom } from './show-history';

const COLUMNS = ['time', 'sku', 'part', 'outcome', 'old', 'new', 'cause', 'reason', 'worker', 'webhook'] as const;
const ENTRIES_AT_ONCE = 1_000;

/** GET /history.csv: all entries that the form names (RFC 4180), the latest first. */
export function exportHistory({ history }: { history: HistoryReader }): RequestHandler {
  return async (request, response) => {
    const filter = filterFrom(formFrom(request.query));
    response.type('text/csv').attachment('stock-sync-history.csv');
    response.write(`${COLUMNS.join(',')}\r\n`);
    let before: string | undefined;
    do {
      const page = await history.page(filter, ENTRIES_AT_ONCE, before);
      response.write(page.entries.map(csvLine).join(''));
      before = page.next;
    } while (before !== undefined && !response.destroyed);
    response.end();
  };
}

function csvLine({ at, sku, part, outcome, from, to, cause, note, worker, webhook }: HistoryEntry): string {
  const fields = [new Date(at).toISOString(), sku, part, outcome, from, to, cause, note, worker, webhook];
  return `${fields.map(quoted).join(',')}\r\n`;
}

/** A text that a spreadsheet would run as a formula gets an apostrophe. */
function quoted(value: string | number | null): string {
  const text = value === null ? '' : String(value);
  const harmless = /^[=+\-@\t\r]/.test(text) && Number.isNaN(Number(text)) ? `'${text}` : text;
  return /[",\r\n]/.test(harmless) ? `"${harmless.replaceAll('"', '""')}"` : harmless;
}
