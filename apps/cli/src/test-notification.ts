import { openJobQueues, requestNotificationTest, type RedisConnection } from '@stock-sync/state';
import { EXIT } from './command';

/** `stock-sync test-notification`: has a worker send a test through every channel. */
export async function testNotificationCommand(connection: RedisConnection): Promise<string> {
  const queues = openJobQueues(connection);
  try {
    const { lines, isRight } = await requestNotificationTest(connection, queues);
    if (!isRight) process.exitCode = EXIT.failed;
    return lines.join('\n');
  } finally {
    await queues.close();
  }
}
