import type { DeadLetters } from '@stock-sync/state';
import type { RequestHandler } from 'express';
import { DeadLettersPage } from '../pages/dead-letters';
import { renderPage } from '../pages/layout';
import { field, pageFrame } from './page-frame';

/** GET /dead-letters: all of them, or those of one kind. */
export function showDeadLetters({ deadLetters }: { deadLetters: DeadLetters }): RequestHandler {
  return async (request, response) => {
    const frame = pageFrame(request, response);
    const kind = field(request.query, 'kind');
    const all = await deadLetters.list();
    const shown = kind === '' ? all : all.filter(({ errorKind }) => errorKind === kind);
    const content = <DeadLettersPage deadLetters={shown} frame={frame} />;
    response.send(renderPage('Dead letters', frame, content, { isLive: true }));
  };
}
