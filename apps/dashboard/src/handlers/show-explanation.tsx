import { requestExplanation, type JobQueues, type RedisConnection } from '@stock-sync/state';
import type { RequestHandler } from 'express';
import { renderToString } from 'preact-render-to-string';
import { ExplanationText } from '../pages/sku';
import { field } from './page-frame';

/** How long the page waits for a worker, in milliseconds. */
const TIMEOUT_MS = 15_000;

/** GET /explanation: what both systems show for a SKU or a part now, as a piece of its page. */
export function showExplanation(deps: { connection: RedisConnection; queues: JobQueues }): RequestHandler {
  return async (request, response) => {
    const answer = await requestExplanation(deps.connection, deps.queues, field(request.query, 'of'), TIMEOUT_MS);
    response.send(renderToString(<ExplanationText answer={answer} />));
  };
}
