import { openNotificationAnswer, type JobOf, type RedisConnection } from '@stock-sync/state';
import type { Notifier } from '../notifications/notifier';

/** The handler of `test-notification`: sends a test through every channel, and says which of them accepted it. */
export function createTestNotification({
  notifier,
  connection,
}: {
  notifier: Pick<Notifier, 'test'>;
  connection: RedisConnection;
}) {
  return {
    async run({ report }: JobOf<'test-notification'>): Promise<void> {
      const results = await notifier.test();
      await openNotificationAnswer(connection, report).send({
        channels: results.map(({ channel, failure = null }) => ({ channel, failure })),
      });
    },
  };
}
