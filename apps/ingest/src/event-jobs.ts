import type { SyncJob } from '@stock-sync/state';
import type { WebhookContents } from './webhook-body';

/** The jobs that the events of a webhook lead to. */
export function jobsFor({ accepted }: WebhookContents, acceptedAt: number): SyncJob[] {
  return accepted.flatMap(({ event, targets }): SyncJob[] => {
    if (targets.everything) return [{ kind: 'reconcile', event, acceptedAt }];
    const { change } = targets;
    return [
      ...targets.parts.map((part): SyncJob => ({ kind: 'part', part, event, acceptedAt })),
      ...targets.stockItems.map((stockItem): SyncJob => ({ kind: 'stock-item', stockItem, change, event, acceptedAt })),
    ];
  });
}
