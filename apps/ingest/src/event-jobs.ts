import type { NewJob } from '@stock-sync/state';
import type { WebhookContents } from './webhook-body';

/** The jobs that the events of the webhook with this id lead to. */
export function jobsFor({ accepted }: WebhookContents, webhook: string): NewJob[] {
  return accepted.flatMap(({ event, targets }): NewJob[] => {
    if (targets.everything) return [{ kind: 'sweep', event, webhook, everything: true }];
    const { change } = targets;
    return [
      ...targets.parts.map((part): NewJob => ({ kind: 'part', part, event, webhook })),
      ...targets.stockItems.map((stockItem): NewJob => ({ kind: 'stock-item', stockItem, change, event, webhook })),
    ];
  });
}
