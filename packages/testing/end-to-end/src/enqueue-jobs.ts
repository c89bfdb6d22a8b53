import { connectToRedis, openJobQueues, type NewJob } from '@stock-sync/state';

/** Enqueues jobs, as a service would. */
export async function enqueueJobs(redisUrl: string, jobs: readonly NewJob[]): Promise<void> {
  const connection = connectToRedis(redisUrl, { whileUnreachable: { wait: true } });
  const queues = openJobQueues(connection);
  await queues.enqueue(jobs);
  await queues.close();
  connection.redis.disconnect();
}

/** Requests a reconcile, as the schedule does. */
export const requestReconcile = (redisUrl: string, event = 'test') =>
  enqueueJobs(redisUrl, [{ kind: 'reconcile', event }]);
