import { existsSync } from 'node:fs';
import { loadEnvFile } from 'node:process';
import { ConfigurationError, type Environment } from './configuration';
import type { Log } from './log';

/** How long a process may take to end after it was asked to. */
const LONGEST_END_MS = 10_000;

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

/** Ends the process with 0 once it is asked to and what it has in hand is done; after 10 s in any case, with 1. */
export function endOnSignal(log: Log, stop: () => Promise<void>): void {
  let ending = false;
  const end = (signal: string) => {
    if (ending) return;
    ending = true;
    log.info(`${signal}: finishing what is in hand`);
    setTimeout(() => {
      log.error('could not finish within 10 s');
      process.exit(1);
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
