import { commonVariables, configurationFrom, queueVariables, variable, type Environment } from '@stock-sync/service';
import { z } from 'zod';
import { secretsFrom } from './signature';

/** What ingest takes from its environment. */
export function ingestConfiguration(environment: Environment) {
  return configurationFrom(environment, {
    ...commonVariables,
    ...queueVariables,
    INGEST_PORT: variable.wholeNumber(3000, 0, 65_535),
    WEBHOOK_SECRET: z
      .string({ error: 'is not set (expected whsec_ and the base64 of 24 random bytes or more; several with commas)' })
      .transform((text, context) => {
        const secrets = secretsFrom(text);
        if (secrets) return secrets;
        context.addIssue({ code: 'custom', message: 'expected whsec_ and base64, several separated by commas' });
        return z.NEVER;
      }),
    SYNC_ON_CREATE: variable.switch(true),
    SYNC_ON_UPDATE: variable.switch(true),
    SYNC_ON_DELETE: variable.switch(true),
    /** Requests per client and minute; 0 = no limit. */
    INGEST_RATE_LIMIT: variable.wholeNumber(120_000, 0, 100_000_000),
  });
}

export type IngestConfiguration = ReturnType<typeof ingestConfiguration>;
