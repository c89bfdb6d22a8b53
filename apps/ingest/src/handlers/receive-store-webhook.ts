import { errorMessage, type Log } from '@stock-sync/service';
import type { JobQueues } from '@stock-sync/state';
import type { Request, Response } from 'express';
import type { IngestMetrics } from '../metrics';
import { signedRequest } from '../signed-request';

export interface ReceiveStoreWebhookDeps {
  /** MAGENTO_WEBHOOK_SECRET. */
  storeSecrets: readonly Buffer[];
  queues: JobQueues;
  metrics: IngestMetrics;
  log: Log;
  /** Logs a refused request. */
  logRefusal: (line: string) => void;
}

/**
 * POST /webhooks/magento: an order of the store may have changed. What the body says does not matter: the orders that
 * changed are looked up.
 */
export function receiveStoreWebhook({ storeSecrets, queues, metrics, log, logRefusal }: ReceiveStoreWebhookDeps) {
  return async (request: Request, response: Response): Promise<void> => {
    const signed = signedRequest(request, storeSecrets);
    if ('status' in signed) {
      const { status, field, expected } = signed;
      metrics.webhooks.inc({ answer: String(status) });
      logRefusal(`webhook of the store refused with ${status}: ${field}: expected ${expected}`);
      response.status(status).json({ error: `${field}: expected ${expected}`, field, expected });
      return;
    }
    try {
      await queues.enqueue([{ kind: 'find-orders', event: 'webhook' }]);
      metrics.webhooks.inc({ answer: '202' });
      response.status(202).json({ accepted: 1 });
    } catch (error) {
      log.warn(`Redis is unreachable, so a webhook of the store was answered 503: ${errorMessage(error)}`);
      response.set('Retry-After', '5');
      metrics.webhooks.inc({ answer: '503' });
      response.status(503).json({ error: 'the queue is unreachable at the moment; please send again' });
    }
  };
}
