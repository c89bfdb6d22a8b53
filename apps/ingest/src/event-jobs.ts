import type { NewJob } from '@stock-sync/state';
import type { WebhookContents } from './webhook-body';

/** The jobs that the events of a webhook lead to. */
export function jobsFor({ accepted }: WebhookContents): NewJob[] {
  return accepted.flatMap(({ event, targets }): NewJob[] => {
    if (targets.everything) return [{ kind: 'sweep', event, everything: true }];
    const { change } = targets;
    return [
      ...targets.parts.map((part): NewJob => ({ kind: 'part', part, event })),
      ...targets.stockItems.map((stockItem): NewJob => ({ kind: 'stock-item', stockItem, change, event })),
    ];
  });
}
