import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import { openAnswer, type Answer } from './answers';
import type { RedisConnection } from './connection';
import type { JobQueues } from './job-queues';
import { parseStored } from './stored-value';

const activeAlertSchema = z.object({
  message: z.string(),
  /** The channels that accepted it. */
  sentTo: z.array(z.string()),
});

/** A problem that a notification was sent of, and that is not resolved. */
export type ActiveAlert = z.infer<typeof activeAlertSchema>;

/** The problems that notifications were sent of. */
export interface ActiveAlerts {
  all(): Promise<Map<string, ActiveAlert>>;
  set(key: string, alert: ActiveAlert): Promise<void>;
  delete(key: string): Promise<void>;
}

/** Opens them. */
export function openActiveAlerts({ redis, keys }: RedisConnection): ActiveAlerts {
  return {
    async all() {
      const stored = Object.entries(await redis.hgetall(keys.alerts));
      return new Map(
        stored.flatMap(([key, text]) => {
          const alert = parseStored(activeAlertSchema, text);
          return alert ? [[key, alert]] : [];
        }),
      );
    },
    async set(key, alert) {
      await redis.hset(keys.alerts, key, JSON.stringify(alert));
    },
    async delete(key) {
      await redis.hdel(keys.alerts, key);
    },
  };
}

const testSchema = z.object({
  channels: z.array(z.object({ channel: z.string(), /** Why it failed. */ failure: z.string().nullable() })),
});
/** How a test of the notifications ended. */
export type NotificationTest = z.infer<typeof testSchema>;

/** Opens the answer of a worker to a test with this id. */
export function openNotificationAnswer(connection: RedisConnection, id: string): Answer<NotificationTest> {
  return openAnswer(connection, id, testSchema);
}

const TEST_TIMEOUT_MS = 30_000;

/** Has a worker send a test through every channel; how that ended, in a sentence for each of them. */
export async function requestNotificationTest(
  connection: RedisConnection,
  queues: Pick<JobQueues, 'enqueue'>,
): Promise<{ lines: string[]; isRight: boolean }> {
  const report = randomUUID();
  await queues.enqueue([{ kind: 'test-notification', report, event: 'command' }]);
  const answer = await openNotificationAnswer(connection, report).receive(TEST_TIMEOUT_MS);
  if (!answer) return { lines: ['No worker answered. Is one running?'], isRight: false };
  const { channels } = answer;
  if (channels.length === 0) {
    return { lines: ['No channel is set: NOTIFY_WEBHOOK_URL, or NOTIFY_EMAIL_TO with SMTP_URL.'], isRight: false };
  }
  return {
    lines: channels.map(({ channel, failure }) => `By ${channel}: ${failure ?? 'accepted'}.`),
    isRight: channels.every(({ failure }) => failure === null),
  };
}
