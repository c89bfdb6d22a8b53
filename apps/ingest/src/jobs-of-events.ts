import type { SyncJob } from '@stock-sync/queue';
import type { WebhookContents } from './webhook-body';

/** The jobs that a webhook's events lead to. */
export function jobsOf({ accepted }: WebhookContents, acceptedAt: number): SyncJob[] {
  return accepted.flatMap(({ event, targets }): SyncJob[] => {
    if (targets.everything) return [{ kind: 'reconcile', event, acceptedAt }];
    return [
      ...targets.parts.map(part => ({ kind: 'part' as const, part, event, acceptedAt })),
      ...targets.stockItems.map(stockItem => ({
        kind: 'stock-item' as const,
        stockItem,
        change: targets.change,
        event,
        acceptedAt,
      })),
    ];
  });
}
