import { readSettings, type Environment } from '@stock-sync/service';
import { connectToRedis, type RedisConnection } from '@stock-sync/state';
import { cliSettings } from './settings';

/** A command cannot do what was requested; the message tells the operator why. */
export class CommandError extends Error {}

/** How long a command waits for Redis, in milliseconds. */
const REDIS_TIMEOUT_MS = 5_000;

/** Runs a command with Redis and prints its result; exits with 1 and one line where it fails. */
export async function runCommand(
  environment: Environment,
  command: (connection: RedisConnection) => Promise<string>,
): Promise<void> {
  const settings = readSettings(environment, cliSettings);
  let reason = 'it does not answer';
  const connection = connectToRedis(settings.REDIS_URL, {
    prefix: settings.REDIS_PREFIX,
    cluster: settings.REDIS_CLUSTER,
    whileUnreachable: { wait: true },
    onChange: (_, why) => (reason = why ?? reason),
  });
  const tooLong = setTimeout(() => {
    console.error(`Redis is unreachable: ${reason}. REDIS_URL must be the one that the services use.`);
    process.exit(1);
  }, REDIS_TIMEOUT_MS);
  await connection.redis.ping();
  clearTimeout(tooLong);
  try {
    console.log(await command(connection));
  } catch (error) {
    if (!(error instanceof CommandError)) throw error;
    console.error(error.message);
    process.exitCode = 1;
  } finally {
    connection.redis.disconnect();
  }
}
