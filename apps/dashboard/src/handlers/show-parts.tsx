import type { RequestHandler } from 'express';
import { renderPage } from '../pages/layout';
import { MOST_ROWS, PartsPage, WaitingPage } from '../pages/parts';
import { PART_LISTS, type PartListName, type PartLists } from '../reading/part-lists';
import { field, pageFrame } from './page-frame';

const isListName = (name: string): name is PartListName => name in PART_LISTS;

/** GET /parts: all SKUs, or those in one list, or those whose SKU contains a text. */
export function showParts({ partLists, now }: { partLists: PartLists; now: () => number }): RequestHandler {
  return async (request, response) => {
    const frame = pageFrame(request, response);
    const name = field(request.query, 'list');
    if (name === 'waiting') {
      const waiting = await partLists.waiting(MOST_ROWS);
      response.send(renderPage('Waiting', frame, <WaitingPage waiting={waiting} now={now()} />, { isLive: true }));
      return;
    }
    const list = isListName(name) ? name : undefined;
    const search = field(request.query, 'search');
    const found = await partLists.list(list, search, MOST_ROWS);
    response.send(renderPage('Parts', frame, <PartsPage list={list} search={search} found={found} />));
  };
}
