import type { Redis } from 'ioredis';

/** How long a webhook's id is remembered. */
const HOUR_SECONDS = 60 * 60;
const keyOf = (id: string) => `stock-sync:webhook:${id}`;

/** The ids of the webhooks that were accepted in the last hour. */
export interface WebhookIds {
  wasAccepted(id: string): Promise<boolean>;
  /** To be called once the webhook's jobs are in Redis, not before: else a failed one could not be sent again. */
  accepted(id: string): Promise<void>;
}

/** The ids, in this Redis. */
export function openWebhookIds(redis: Redis): WebhookIds {
  return {
    wasAccepted: async id => (await redis.exists(keyOf(id))) === 1,
    accepted: async id => {
      await redis.set(keyOf(id), 1, 'EX', HOUR_SECONDS);
    },
  };
}
