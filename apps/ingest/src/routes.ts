import {
  addOperatorRoutes,
  createProgramApplication,
  createWebApplication,
  type NotReady,
  type Tracing,
} from '@stock-sync/service';
import express, { type Express, type RequestHandler } from 'express';
import { rateLimit } from 'express-rate-limit';
import type { Registry } from 'prom-client';
import { answerErrors, answerMethod, answerNotFound } from './handlers/answer-errors';
import { answerInvenTree, type AnswerInvenTreeDeps } from './handlers/answer-inventree';
import { showStatus, type ShowStatusDeps } from './handlers/show-status';
import { receiveStoreWebhook } from './handlers/receive-store-webhook';
import { receiveWebhook, type ReceiveWebhookDeps } from './handlers/receive-webhook';

const BODY_LIMIT = '1mb';
const MINUTE_MS = 60_000;

/**
 * | port                 | method | path                | handler         |
 * | -------------------- | ------ | ------------------- | --------------- |
 * | INGEST_PORT          | POST   | /webhooks/inventree | receive-webhook |
 * | INGEST_PORT          | POST   | /webhooks/magento   | receive-store-webhook, with MAGENTO_WEBHOOK_SECRET |
 * | INGEST_PORT          | POST   | /inventree/part, /inventree/summary, /inventree/sync | answer-inventree |
 * | INGEST_OPERATOR_PORT | GET    | /status             | show-status     |
 * | INGEST_OPERATOR_PORT | GET    | /healthz            | operator routes |
 * | INGEST_OPERATOR_PORT | GET    | /readyz             | operator routes |
 * | INGEST_OPERATOR_PORT | GET    | /metrics            | operator routes |
 */
export function createIngestApplication(
  deps: ReceiveWebhookDeps &
    AnswerInvenTreeDeps & {
      requestsPerMinute: number;
      storeSecrets: readonly Buffer[] | undefined;
      tracing: Tracing | undefined;
    },
): Express {
  const application = createProgramApplication();

  const limit = deps.requestsPerMinute > 0 ? [limitRequests(deps)] : [];
  const rawBody = express.raw({ type: () => true, limit: BODY_LIMIT });
  const receive = receiveWebhook(deps);
  const traced = deps.tracing?.tracedRequests('POST /webhooks/inventree', receive);
  application.post('/webhooks/inventree', limit, rawBody, traced ?? receive);
  application.all('/webhooks/inventree', answerMethod('POST'));

  const { storeSecrets } = deps;
  if (storeSecrets) {
    application.post('/webhooks/magento', limit, rawBody, receiveStoreWebhook({ ...deps, storeSecrets }));
    application.all('/webhooks/magento', answerMethod('POST'));
  }

  for (const [name, handler] of Object.entries(answerInvenTree(deps))) {
    application.post(`/inventree/${name}`, limit, rawBody, handler);
  }

  application.use(answerNotFound);
  application.use(answerErrors(deps.log, deps.logRefusal, deps.metrics));
  return application;
}

function limitRequests({
  requestsPerMinute,
  metrics,
}: Pick<ReceiveWebhookDeps, 'metrics'> & { requestsPerMinute: number }): RequestHandler {
  return rateLimit({
    windowMs: MINUTE_MS,
    limit: requestsPerMinute,
    // Computing the rate-limit headers would cost time for every webhook, and our plugin does not read them.
    standardHeaders: false,
    legacyHeaders: false,
    handler: (_request, response) => {
      response.set('Retry-After', '60');
      metrics.webhooks.inc({ answer: '429' });
      response.status(429).json({ error: `rate: expected at most ${requestsPerMinute} requests a minute` });
    },
  });
}

/** What operators and monitoring ask, on a port of its own: the webhook port is often open to the internet. */
export function createOperatorApplication(
  deps: ShowStatusDeps & { registry: Registry; notReady: () => NotReady | Promise<NotReady> },
): Express {
  const application = createWebApplication();
  addOperatorRoutes(application, deps.registry, deps.notReady);
  application.get('/status', showStatus(deps));
  application.use(answerNotFound);
  return application;
}
