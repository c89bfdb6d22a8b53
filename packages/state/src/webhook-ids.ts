import type { RedisConnection } from './connection';

/** How long the id of a webhook is remembered. */
const HOUR_SECONDS = 60 * 60;

/** The ids of the webhooks that were accepted within the last hour. */
export interface WebhookIds {
  wasAccepted(id: string): Promise<boolean>;
  /**
   * Call it once Redis has the jobs of the webhook, not before: a failed webhook must be accepted when it is sent
   * again.
   */
  accepted(id: string): Promise<void>;
}

/** Opens the ids. */
export function openWebhookIds({ redis, keys }: RedisConnection): WebhookIds {
  return {
    wasAccepted: async id => (await redis.exists(keys.webhookId(id))) === 1,
    accepted: async id => {
      await redis.set(keys.webhookId(id), 1, 'EX', HOUR_SECONDS);
    },
  };
}
