import { existsSync } from 'node:fs';
import { loadEnvFile } from 'node:process';
import { errorMessage, type Log } from './log';
import { SettingsError, type Environment } from './settings';

/** How long a process may take to stop, in milliseconds. */
const STOP_LIMIT_MS = 9_500;

/**
 * Runs the main function of a process with its environment and, outside production, the `.env` file of the working
 * directory. If a setting is wrong, it prints a line for each wrong setting and exits with 1, before anything starts.
 */
export function runMain(main: (environment: Environment) => Promise<void>): void {
  if (process.env.NODE_ENV !== 'production' && existsSync('.env')) loadEnvFile('.env');
  main(process.env).catch((error: unknown) => {
    if (error instanceof SettingsError) console.error(error.message);
    else console.error(error);
    process.exit(1);
  });
}

/**
 * Stops the process on SIGTERM or SIGINT and exits with 0, within 10 s in any case: whatever is unfinished then (Redis
 * may be unreachable) is taken over by others, as after a kill.
 */
export function stopOnSignal(log: Log, stop: () => Promise<void>): void {
  let isStopping = false;
  const stopNow = (signal: string) => {
    if (isStopping) return;
    isStopping = true;
    log.info(`${signal} received: finishing the current work`);
    setTimeout(() => {
      log.warn('could not finish within 10 s: other processes take over what is unfinished');
      process.exit(0);
    }, STOP_LIMIT_MS).unref();
    stop().then(
      () => process.exit(0),
      (error: unknown) => {
        log.error(`could not stop cleanly: ${errorMessage(error)}`);
        process.exit(1);
      },
    );
  };
  process.on('SIGTERM', () => stopNow('SIGTERM'));
  process.on('SIGINT', () => stopNow('SIGINT'));
}
