import { existsSync } from 'node:fs';
import { loadEnvFile } from 'node:process';
import { ConfigurationError, type Environment } from './configuration';
import type { Log } from './log';

/** How long a process may take to end after it was asked to. */
const LONGEST_END_MS = 9_500;

/**
 * Runs a process's main with its environment (and, outside production, with what `.env` in this folder adds to it). A
 * wrong configuration ends it with 1 and a line for each wrong variable, before anything was started.
 */
export function runMain(main: (environment: Environment) => Promise<void>): void {
  if (process.env.NODE_ENV !== 'production' && existsSync('.env')) loadEnvFile('.env');
  main(process.env).catch((error: unknown) => {
    if (error instanceof ConfigurationError) console.error(error.message);
    else console.error(error);
    process.exit(1);
  });
}

/**
 * Ends the process with 0 once it is asked to and what it has in hand is done, within 10 s in any case: what is left then
 * (Redis may be away) others take over as from a process that was killed.
 */
export function endOnSignal(log: Log, stop: () => Promise<void>): void {
  let ending = false;
  const end = (signal: string) => {
    if (ending) return;
    ending = true;
    log.info(`${signal}: finishing what is in hand`);
    setTimeout(() => {
      log.warn('could not finish within 10 s: what is in hand is left to others');
      process.exit(0);
    }, LONGEST_END_MS).unref();
    stop().then(
      () => process.exit(0),
      (error: unknown) => {
        log.error(`could not end cleanly: ${error instanceof Error ? error.message : String(error)}`);
        process.exit(1);
      },
    );
  };
  process.on('SIGTERM', () => end('SIGTERM'));
  process.on('SIGINT', () => end('SIGINT'));
}
