import type { Change } from '@stock-sync/domain';
import { errorMessage, type Log } from '@stock-sync/service';
import type {
  Instance,
  JobQueues,
  KnownInstance,
  PluginHeartbeat,
  StockItems,
  NewJob,
  WebhookIds,
} from '@stock-sync/state';
import type { Request, Response } from 'express';
import { createDuplicateFilter } from '../duplicate-filter';
import { jobsFor } from '../event-jobs';
import type { IngestMetrics } from '../metrics';

import { signedRequest } from '../signed-request';
import { parseWebhook, type WebhookContents } from '../webhook-body';

export interface ReceiveWebhookDeps {
  secrets: readonly Buffer[];
  isEnabled: (change: Change) => boolean;
  queues: JobQueues;
  webhookIds: WebhookIds;
  stockItems: StockItems;
  heartbeat: PluginHeartbeat;
  knownInstance: KnownInstance;
  /** INVENTREE_INSTANCE, instead of the first one that sent a webhook. */
  onlyInstance: Instance | undefined;
  metrics: IngestMetrics;
  log: Log;
  /** Logs a refused request. */
  logRefusal: (line: string) => void;
}

/** POST /webhooks/inventree: verifies, validates, enqueues, and only then answers 202. */
export function receiveWebhook(deps: ReceiveWebhookDeps) {
  const { queues, webhookIds, metrics, log } = deps;
  const duplicates = createDuplicateFilter();

  return async (request: Request, response: Response): Promise<void> => {
    const signed = signedRequest(request, deps.secrets);
    if ('status' in signed) {
      refuse(response, signed.status, signed);
      return;
    }
    const { id, body } = signed;
    const contents = parseWebhook(body, deps.isEnabled);
    if ('expected' in contents) {
      refuse(response, 400, contents);
      return;
    }
    try {
      const other = await otherInstance(contents);
      if (other) {
        refuse(response, 409, other);
        return;
      }
      const isDuplicate = await webhookIds.wasAccepted(id);
      if (!isDuplicate) await accept(contents, id);
      log.debug(`Webhook ${id} accepted: ${contents.accepted.length} events`, { webhook: id, isDuplicate });
      answer(response, contents, isDuplicate);
      // Not awaited: if this is lost, a repeated webhook causes one more sync, which does no harm.
      if (!isDuplicate) webhookIds.accepted(id).catch(() => undefined);
    } catch (error) {
      log.warn(`Redis is unreachable, so a webhook was answered 503 and will be sent again: ${errorMessage(error)}`);
      response.set('Retry-After', '5');
      metrics.webhooks.inc({ answer: '503' });
      response.status(503).json({ error: 'the queue is unreachable at the moment; please send again' });
    }
  };

  /**
   * What is wrong where another InvenTree sent the webhook than the one whose stock is synced: its part 45 is another
   * part. A copy for tests is set up with the same secret soon.
   */
  async function otherInstance({
    instance,
  }: WebhookContents): Promise<{ field: string; expected: string } | undefined> {
    if (!instance) return undefined;
    const known = deps.onlyInstance ?? (await deps.knownInstance.firstOr(instance));
    if (known.id === instance.id) return undefined;
    const expected =
      `the InvenTree ${known.url} (${known.id}), got ${instance.url} (${instance.id}). A copy needs an ingest and a ` +
      `Redis of its own. If InvenTree moved, set INVENTREE_INSTANCE=${instance.id} for ingest`;
    return { field: 'instance', expected };
  }

  /** Resolves when Redis has all jobs: in one round trip, except where a stock item moved to another part. */
  async function accept(contents: WebhookContents, webhook: string): Promise<void> {
    const items = contents.accepted.flatMap(({ event, targets }) =>
      targets.partOfStockItem
        .filter(({ stockItem, part }) => !duplicates.isDuplicate(stockItem, part))
        .map(item => ({ ...item, event })),
    );
    const [partsBefore] = await Promise.all([
      deps.stockItems.set(items),
      queues.enqueue(jobsFor(contents, webhook)),
      ...contents.heartbeats.map(heartbeat => deps.heartbeat.received(heartbeat)),
    ]).catch((error: unknown) => {
      for (const { stockItem } of items) duplicates.forget(stockItem);
      throw error;
    });
    const movedFrom = partsBefore.flatMap((part, index): NewJob[] =>
      part === undefined ? [] : [{ kind: 'part', part, event: items[index]?.event ?? '', webhook }],
    );
    await queues.enqueue(movedFrom);
  }

  function answer(response: Response, contents: WebhookContents, isDuplicate: boolean): void {
    const { ignored, counters } = contents;
    const accepted = contents.accepted.length + contents.heartbeats.length;
    // Of a duplicate too: its counters are those of its second sender.
    for (const [counter, count] of Object.entries(counters)) metrics.plugin.inc({ counter }, count);
    const ignoredCount = [...ignored.values()].reduce((total, count) => total + count, 0);
    metrics.webhooks.inc({ answer: isDuplicate ? 'duplicate' : '202' });
    if (!isDuplicate) {
      metrics.events.inc({ result: 'accepted' }, accepted);
      for (const [reason, count] of ignored) metrics.events.inc({ result: reason }, count);
    }
    response.status(202).json({ accepted, ignored: ignoredCount, ...(isDuplicate && { duplicate: true }) });
  }

  function refuse(response: Response, status: number, { field, expected }: { field: string; expected: string }): void {
    metrics.webhooks.inc({ answer: String(status) });
    deps.logRefusal(`webhook refused with ${status}: ${field}: expected ${expected}`);
    response.status(status).json({ error: `${field}: expected ${expected}`, field, expected });
  }
}
