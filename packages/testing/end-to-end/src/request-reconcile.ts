import { connectToRedis, openJobQueues } from '@stock-sync/state';

/** Requests a reconcile, as the schedule does. */
export async function requestReconcile(redisUrl: string, event = 'test'): Promise<void> {
  const connection = connectToRedis(redisUrl, { whileUnreachable: { wait: true } });
  const queues = openJobQueues(connection);
  await queues.enqueue([{ kind: 'reconcile', event }]);
  await queues.close();
  connection.redis.disconnect();
}
