import { readSettings, SettingsError, type Environment } from '@stock-sync/service';
import { connectToRedis, type RedisConnection } from '@stock-sync/state';
import { cliSettings, type CliSettings } from './settings';

/** A command cannot do what was requested; the message tells the operator why. */
export class CommandError extends Error {
  readonly exitCode: number = EXIT.failed;
}

/** The command itself is wrong: an option has a value that it cannot have. */
export class UsageError extends CommandError {
  override readonly exitCode = EXIT.usage;
}

/** The exit codes of every command. */
export const EXIT = {
  /** Done, and nobody must act. */
  done: 0,
  /** It failed, or it found something that somebody must act on. */
  failed: 1,
  /** The command was wrong: an unknown command or option, or a wrong value. */
  usage: 2,
} as const;

/** How long a command waits for Redis, in milliseconds. */
const REDIS_TIMEOUT_MS = 5_000;

/** Runs a command and prints its result; where it fails, prints why, and sets the exit code. */
export async function runCommand(command: () => Promise<string>): Promise<void> {
  try {
    console.log(await command());
  } catch (error) {
    if (!(error instanceof CommandError || error instanceof SettingsError)) throw error;
    console.error(error.message);
    process.exitCode = error instanceof CommandError ? error.exitCode : EXIT.failed;
  }
}

/** Runs a command that needs Redis. */
export async function runWithRedis(
  environment: Environment,
  command: (connection: RedisConnection, settings: CliSettings) => Promise<string>,
): Promise<void> {
  await runCommand(async () => {
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
      process.exit(EXIT.failed);
    }, REDIS_TIMEOUT_MS);
    await connection.redis.ping();
    clearTimeout(tooLong);
    try {
      return await command(connection, settings);
    } finally {
      connection.redis.disconnect();
    }
  });
}
