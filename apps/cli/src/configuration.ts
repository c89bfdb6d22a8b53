import { commonVariables, configurationFrom, queueVariables, type Environment } from '@stock-sync/service';

/** What the commands take from their environment: the same variables as the services, with the same values. */
export function cliConfiguration(environment: Environment) {
  return configurationFrom(environment, {
    REDIS_URL: commonVariables.REDIS_URL,
    ...queueVariables,
  });
}
