import { HISTORY_OUTCOMES, type HistoryFilter, type HistoryReader } from '@stock-sync/state';
import type { RequestHandler } from 'express';
import { HistoryList, type HistoryForm } from '../pages/history';
import { renderPage } from '../pages/layout';
import { field, pageFrame } from './page-frame';

const ENTRIES = 100;

/** GET /history: what was done about all SKUs, or those that the form names. */
export function showHistory({ history }: { history: HistoryReader }): RequestHandler {
  return async (request, response) => {
    const frame = pageFrame(request, response);
    const form = formFrom(request.query);
    const before = field(request.query, 'before') || undefined;
    const page = await history.page(filterFrom(form), ENTRIES, before);
    const content = <HistoryList form={form} page={page} />;
    response.send(renderPage('History', frame, content, { isLive: before === undefined }));
  };
}

/** The fields of the form. */
export function formFrom(query: unknown): HistoryForm {
  const [sku, outcome, cause] = [field(query, 'sku'), field(query, 'outcome'), field(query, 'cause')];
  return { sku, outcome, cause, since: field(query, 'since'), until: field(query, 'until') };
}

/** The entries that the form names; what is not a time is left out. */
export function filterFrom({ sku, outcome, cause, since, until }: HistoryForm): HistoryFilter {
  return {
    sku: sku || undefined,
    outcome: HISTORY_OUTCOMES.find(one => one === outcome),
    cause: cause || undefined,
    since: timeFrom(since),
    until: timeFrom(until),
  };
}

function timeFrom(text: string): number | undefined {
  const at = Date.parse(`${text}Z`);
  return Number.isNaN(at) ? undefined : at;
}
