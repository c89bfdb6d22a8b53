import { addOperatorRoutes, createWebApplication, type NotReady } from '@stock-sync/service';
import express, { type Express } from 'express';
import { rateLimit } from 'express-rate-limit';
import { answerErrors, answerMethod, answerNotFound } from './handlers/answer-errors';
import { showStatus, type ShowStatus } from './handlers/show-status';
import { receiveWebhook, type ReceiveWebhook } from './handlers/receive-webhook';

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
  given: ReceiveWebhook & ShowStatus & { requestsPerMinute: number; notReady: () => NotReady | Promise<NotReady> },
): Express {
  const application = createWebApplication();
  addOperatorRoutes(application, given.metrics.registry, given.notReady);

  const limit = rateLimit({
    windowMs: MINUTE_MS,
    limit: given.requestsPerMinute,
    skip: () => given.requestsPerMinute === 0,
    // Headers of the limit would be reckoned for every webhook, and no sender of ours reads them.
    standardHeaders: false,
    legacyHeaders: false,
    handler: (_request, response) => {
      response.set('Retry-After', '60');
      given.metrics.webhooks.inc({ answer: '429' });
      response.status(429).json({ error: `rate: expected at most ${given.requestsPerMinute} requests a minute` });
    },
  });
  const rawBody = express.raw({ type: () => true, limit: BODY_LIMIT });
  application.post('/webhooks/inventree', limit, rawBody, receiveWebhook(given));
  application.all('/webhooks/inventree', answerMethod('POST'));
  application.get('/status', showStatus(given));

  application.use(answerNotFound);
  application.use(answerErrors(given.log, given.logRefusal, given.metrics));
  return application;
}
