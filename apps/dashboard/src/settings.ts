import { commonSettings, setting, type Settings } from '@stock-sync/service';
import { z } from 'zod';

const MIN_PASSWORD_LENGTH = 8;
const EXAMPLE_PASSWORD = 'choose-a-long-one';

/** The settings of the dashboard. */
export const dashboardSettings = {
  ...commonSettings,
  DASHBOARD_PORT: setting.wholeNumber(3001, 0, 65_535).describe('The port of the dashboard.'),
  DASHBOARD_USER: z.string().default('admin').describe('The user name.'),
  DASHBOARD_PASSWORD: z
    .string({ error: 'is not set: the dashboard can change and delete jobs, so it has no default password' })
    .min(MIN_PASSWORD_LENGTH, { error: `expected at least ${MIN_PASSWORD_LENGTH} characters` })
    .refine(password => password !== EXAMPLE_PASSWORD, {
      error: 'is still the one of .env.example, which everyone knows: choose your own',
    })
    .describe(`The password, at least ${MIN_PASSWORD_LENGTH} characters.`),
} satisfies Settings;
