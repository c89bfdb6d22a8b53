import type { Log } from '@stock-sync/service';
import type { ErrorRequestHandler, RequestHandler } from 'express';
import type { IngestMetrics } from '../metrics';

/** What the body parser of Express refuses, by the type of its error: status, field, expected. */
const REFUSALS: Readonly<Record<string, [number, string, string]>> = {
  'entity.too.large': [413, 'body', 'at most 1 MiB'],
  'encoding.unsupported': [415, 'content-encoding', 'gzip, deflate, br or none'],
  'charset.unsupported': [415, 'content-type', 'application/json in UTF-8'],
  'request.aborted': [400, 'body', 'as many bytes as content-length says'],
  'request.size.invalid': [400, 'content-length', 'the length of the body'],
};

/** The last handler for errors: answers with a sentence, never with a stack trace. */
export function answerErrors(
  log: Log,
  logRefusal: (line: string) => void,
  metrics: IngestMetrics,
): ErrorRequestHandler {
  return (error: unknown, _request, response, next) => {
    if (response.headersSent) {
      next(error);
      return;
    }
    const { type, status } = error as { type?: string; status?: number };
    const known = type === undefined ? undefined : REFUSALS[type];
    const [code, field, expected] = known ?? [
      status && status >= 400 && status < 500 ? status : 500,
      'request',
      'a well-formed request',
    ];
    metrics.webhooks.inc({ answer: String(code) });
    if (code === 500) {
      log.error(`Internal error: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
      response.status(500).json({ error: 'internal error; see the log of ingest' });
      return;
    }
    logRefusal(`request refused with ${code}: ${field}: expected ${expected}`);
    response.status(code).json({ error: `${field}: expected ${expected}`, field, expected });
  };
}

/** The last handler for unknown paths. */
export const answerNotFound: RequestHandler = (request, response) => {
  response
    .status(404)
    .json({ error: `no route for ${request.method} here`, field: 'path', expected: '/webhooks/inventree' });
};

/** Answers a method that a path does not accept. */
export const answerMethod =
  (allowed: string): RequestHandler =>
  (_request, response) => {
    response.status(405).set('Allow', allowed);
    response.json({ error: `method: expected ${allowed}`, field: 'method', expected: allowed });
  };
