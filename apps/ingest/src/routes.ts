import { addOperatorRoutes, createWebApplication, type NotReady } from '@stock-sync/service';
import express, { type Express } from 'express';
import { rateLimit } from 'express-rate-limit';
import { answerErrors, answerMethod, answerNotFound } from './handlers/answer-errors';
import { showStatus, type ShowStatusDeps } from './handlers/show-status';
import { receiveWebhook, type ReceiveWebhookDeps } from './handlers/receive-webhook';

const BODY_LIMIT = '1mb';
const MINUTE_MS = 60_000;

/**
 * | method | path                | handler         |
 * | ------ | ------------------- | --------------- |
 * | POST   | /webhooks/inventree | receive-webhook |
 * | GET    | /status             | show-status     |
 * | GET    | /healthz            | operator routes |
 * | GET    | /readyz             | operator routes |
 * | GET    | /metrics            | operator routes |
 */
export function createIngestApplication(
  deps: ReceiveWebhookDeps &
    ShowStatusDeps & { requestsPerMinute: number; notReady: () => NotReady | Promise<NotReady> },
): Express {
  const application = createWebApplication();
  addOperatorRoutes(application, deps.metrics.registry, deps.notReady);

  const limit = rateLimit({
    windowMs: MINUTE_MS,
    limit: deps.requestsPerMinute,
    skip: () => deps.requestsPerMinute === 0,
    // Computing the rate-limit headers would cost time for every webhook, and our plugin does not read them.
    standardHeaders: false,
    legacyHeaders: false,
    handler: (_request, response) => {
      response.set('Retry-After', '60');
      deps.metrics.webhooks.inc({ answer: '429' });
      response.status(429).json({ error: `rate: expected at most ${deps.requestsPerMinute} requests a minute` });
    },
  });
  const rawBody = express.raw({ type: () => true, limit: BODY_LIMIT });
  application.post('/webhooks/inventree', limit, rawBody, receiveWebhook(deps));
  application.all('/webhooks/inventree', answerMethod('POST'));
  application.get('/status', showStatus(deps));

  application.use(answerNotFound);
  application.use(answerErrors(deps.log, deps.logRefusal, deps.metrics));
  return application;
}
