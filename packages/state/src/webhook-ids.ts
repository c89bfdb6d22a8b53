import type { RedisConnection } from './connection';
import { inOneTurn } from './one-turn';

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

/** KEYS: the ids. ARGV: seconds that they are kept. */
const ACCEPTED = `
for i = 1, #KEYS do redis.call('SET', KEYS[i], 1, 'EX', ARGV[1]) end`;

/** Opens the ids. */
export function openWebhookIds({ redis, keys }: RedisConnection): WebhookIds {
  const remember = inOneTurn<string, undefined>(async ids => {
    await redis.eval(ACCEPTED, ids.length, ...ids.map(keys.webhookId), HOUR_SECONDS);
    return [];
  });

  return {
    wasAccepted: inOneTurn<string, boolean>(async ids => {
      return (await redis.mget(...ids.map(keys.webhookId))).map(value => value !== null);
    }),
    accepted: async id => {
      await remember(id);
    },
  };
}
