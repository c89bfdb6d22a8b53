import type { Bridge, KnownParts, SyncJob, SyncQueue, WebhookIds } from '@stock-sync/queue';
import type { Log } from '@stock-sync/service';
import type { Change } from '@stock-sync/sync-core';
import type { Request, Response } from 'express';
import { jobsOf } from '../jobs-of-events';
import type { IngestMetrics } from '../metrics';
import { createRecentlyTold } from '../recently-told';
import { verifySignature } from '../signature';
import { contentsOf, type WebhookContents } from '../webhook-body';

export interface ReceiveWebhook {
  secrets: readonly Buffer[];
  isSwitchedOn: (change: Change) => boolean;
  queue: SyncQueue;
  webhookIds: WebhookIds;
  knownParts: KnownParts;
  bridge: Bridge;
  metrics: IngestMetrics;
  log: Log;
  /** Takes the line that tells of a refused request. */
  logRefusal: (line: string) => void;
}

/** POST /webhooks/inventree: believes, understands, enqueues, and only then answers 202. */
export function receiveWebhook(given: ReceiveWebhook) {
  const { secrets, isSwitchedOn, queue, webhookIds, knownParts, bridge, metrics, log, logRefusal } = given;
  const recentlyTold = createRecentlyTold();

  return async (request: Request, response: Response): Promise<void> => {
    if (!/^application\/json\s*(;|$)/i.test(request.get('content-type') ?? '')) {
      refuse(response, 415, { field: 'content-type', expected: 'application/json' });
      return;
    }
    const body = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0);
    const id = request.get('webhook-id');
    const headers = { id, timestamp: request.get('webhook-timestamp'), signature: request.get('webhook-signature') };
    const unbelieved = verifySignature(headers, body, secrets, Math.floor(Date.now() / 1000));
    if (unbelieved || id === undefined) {
      refuse(response, 401, unbelieved ?? { field: 'webhook-id', expected: 'a text' });
      return;
    }
    const contents = contentsOf(body, isSwitchedOn);
    if ('expected' in contents) {
      refuse(response, 400, contents);
      return;
    }
    try {
      const duplicate = await webhookIds.wasAccepted(id);
      if (!duplicate) await accept(contents);
      answer(response, contents, duplicate);
      // Not waited for: if it is lost, a redelivery makes a run more, which does no harm.
      if (!duplicate) webhookIds.accepted(id).catch(() => undefined);
    } catch (error) {
      log.warn(`a webhook could not be accepted, its sender will try again: Redis: ${(error as Error).message}`);
      response.set('Retry-After', '5');
      metrics.webhooks.inc({ answer: '503' });
      response.status(503).json({ error: 'the queue is away for the moment, please send again' });
    }
  };

  /** Resolves when Redis has all jobs; in one round trip, but where an item changed its part since it was last told of. */
  async function accept(contents: WebhookContents): Promise<void> {
    const acceptedAt = Date.now();
    const told = contents.accepted.flatMap(({ event, targets }) =>
      targets.partOfStockItem
        .filter(({ stockItem, part }) => !recentlyTold.tell(stockItem, part))
        .map(item => ({ ...item, event })),
    );
    const [partsBefore] = await Promise.all([
      knownParts.rememberStockItems(told),
      queue.enqueue(jobsOf(contents, acceptedAt)),
      ...contents.heartbeats.map(heartbeat => bridge.beat(heartbeat)),
    ]).catch((error: unknown) => {
      for (const { stockItem } of told) recentlyTold.forget(stockItem);
      throw error;
    });
    const left = partsBefore.flatMap((part, index): SyncJob[] =>
      part === undefined ? [] : [{ kind: 'part', part, event: told[index]?.event ?? '', acceptedAt }],
    );
    await queue.enqueue(left);
  }

  function answer(response: Response, contents: WebhookContents, duplicate: boolean): void {
    const { ignored, counters } = contents;
    const accepted = contents.accepted.length + contents.heartbeats.length;
    // Also of a webhook that came before: it counts what its second sender did.
    for (const [counter, count] of Object.entries(counters)) metrics.plugin.inc({ counter }, count);
    const ignoredCount = [...ignored.values()].reduce((total, count) => total + count, 0);
    metrics.webhooks.inc({ answer: duplicate ? 'duplicate' : '202' });
    if (!duplicate) {
      metrics.events.inc({ result: 'accepted' }, accepted);
      for (const [reason, count] of ignored) metrics.events.inc({ result: reason }, count);
    }
    response.status(202).json({ accepted, ignored: ignoredCount, ...(duplicate && { duplicate: true }) });
  }

  function refuse(response: Response, status: number, wrong: { field: string; expected: string }): void {
    metrics.webhooks.inc({ answer: String(status) });
    logRefusal(`webhook refused with ${status}: ${wrong.field}: expected ${wrong.expected}`);
    response.status(status).json({ error: `${wrong.field}: expected ${wrong.expected}`, ...wrong });
  }
}
