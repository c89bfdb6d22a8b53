import { connectToRedis } from '@stock-sync/queue';

/** What was asked for can't be done; says why, in a sentence for whoever asked. */
export class CommandError extends Error {}

/** How long a command waits for Redis, in milliseconds. */
const PATIENCE_MS = 5_000;

/** Does a command's work with Redis and prints what it says; ends with 1 and one line where it can't. */
export async function withRedis(
  url: string,
  work: (redis: ReturnType<typeof connectToRedis>) => Promise<string>,
): Promise<void> {
  let reason = 'it does not answer';
  const redis = connectToRedis(url, { whileAway: { wait: true }, onChange: (_, why) => (reason = why ?? reason) });
  const tooLong = setTimeout(() => {
    console.error(`Redis is away: ${reason}. REDIS_URL must be that of the services.`);
    process.exit(1);
  }, PATIENCE_MS);
  await redis.ping();
  clearTimeout(tooLong);
  try {
    console.log(await work(redis));
  } catch (error) {
    if (!(error instanceof CommandError)) throw error;
    console.error(error.message);
    process.exitCode = 1;
  } finally {
    redis.disconnect();
  }
}
