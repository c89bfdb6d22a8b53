import { commonVariables, configurationFrom, variable, type Environment } from '@stock-sync/service';
import { z } from 'zod';

const LEAST_PASSWORD = 8;

/** What the dashboard takes from its environment. */
export function dashboardConfiguration(environment: Environment) {
  return configurationFrom(environment, {
    ...commonVariables,
    DASHBOARD_PORT: variable.wholeNumber(3001, 0, 65_535),
    DASHBOARD_USER: z.string().default('admin'),
    DASHBOARD_PASSWORD: z
      .string({ error: 'is not set: the dashboard can change and delete jobs, so it has no default' })
      .min(LEAST_PASSWORD, { error: `expected at least ${LEAST_PASSWORD} characters` }),
  });
}
