import { commonVariables, configurationFrom, variable, type Environment } from '@stock-sync/service';

/** What the commands take from their environment: the same variables as the services, with the same values. */
export function cliConfiguration(environment: Environment) {
  return configurationFrom(environment, {
    REDIS_URL: commonVariables.REDIS_URL,
    SYNC_DELAY_MS: variable.wholeNumber(100, 0, 60_000),
    MAX_ATTEMPTS: variable.wholeNumber(8, 1, 100),
  });
}

export type CliConfiguration = ReturnType<typeof cliConfiguration>;
