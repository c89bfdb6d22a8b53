import {
  commonSettings,
  dashboardAddress,
  historySettings,
  readSettings,
  setting,
  SettingsError,
  type Environment,
  type Settings,
} from '@stock-sync/service';
import { z } from 'zod';
import { parseUsers } from './login/users';

const MIN_PASSWORD_LENGTH = 8;
const EXAMPLE_PASSWORD = 'choose-a-long-one';

const list = () =>
  z
    .string()
    .default('')
    .transform(text =>
      text
        .split(',')
        .map(name => name.trim().toLowerCase())
        .filter(name => name !== ''),
    );

/** The settings of the dashboard. */
export const dashboardSettings = {
  ...commonSettings,
  ...historySettings,
  DASHBOARD_PORT: setting.wholeNumber(3001, 0, 65_535).describe('The port of the dashboard.'),
  ...dashboardAddress,
  DASHBOARD_USER: z.string().default('admin').describe('The name of the user with `DASHBOARD_PASSWORD`, an operator.'),
  DASHBOARD_PASSWORD: z
    .string()
    .min(MIN_PASSWORD_LENGTH, { error: `expected at least ${MIN_PASSWORD_LENGTH} characters` })
    .refine(password => password !== EXAMPLE_PASSWORD, {
      error: 'is still the one of .env.example, which everyone knows: choose your own',
    })
    .optional()
    .describe(`The password, at least ${MIN_PASSWORD_LENGTH} characters.`),
  DASHBOARD_USERS: z
    .string()
    .default('')
    .transform((text, context) => {
      const users = parseUsers(text);
      if ('problem' in users) context.addIssue({ code: 'custom', message: users.problem });
      return 'problem' in users ? [] : users;
    })
    .describe(
      'More users: `anna:operator:<hash>`, one a line, or separated by spaces. A `viewer` may change nothing. ' +
        '`stock-sync password` makes the hash.',
    ),
  DASHBOARD_OIDC_ISSUER: setting
    .url(['https:'], 'https://login.shop.example')
    .optional()
    .describe('The address of an OpenID Connect provider, to log in with it.'),
  DASHBOARD_OIDC_CLIENT_ID: setting.optionalText().describe('The id of the dashboard there.'),
  DASHBOARD_OIDC_CLIENT_SECRET: setting.optionalText().describe('Its secret.'),
  DASHBOARD_OIDC_OPERATORS: list().describe(
    'Who of its users is an operator: e-mail addresses, user names or groups, separated by commas; `*` is everyone.',
  ),
  DASHBOARD_OIDC_VIEWERS: list().describe('Who of the others may look; `*` is everyone.'),
} satisfies Settings;

/** Reads the settings of the dashboard. Throws a SettingsError that lists every wrong setting. */
export function readDashboardSettings(environment: Environment) {
  const values = readSettings(environment, dashboardSettings);
  const { DASHBOARD_URL: url, DASHBOARD_OIDC_ISSUER: issuer, DASHBOARD_OIDC_CLIENT_ID: clientId } = values;
  const { DASHBOARD_PASSWORD: password, DASHBOARD_USERS: users } = values;
  const problems: string[] = [];
  if (!password && users.length === 0 && !issuer) {
    problems.push('DASHBOARD_PASSWORD: is not set: the dashboard can change and delete jobs, so it has no default one');
  }
  if (issuer && !clientId) problems.push('DASHBOARD_OIDC_CLIENT_ID: is not set (DASHBOARD_OIDC_ISSUER needs it)');
  if (issuer && !url) problems.push('DASHBOARD_URL: is not set (DASHBOARD_OIDC_ISSUER needs it)');
  if (problems.length > 0) throw new SettingsError(problems);
  const openId = issuer && clientId && url ? { issuer, clientId, url } : undefined;
  return { ...values, openId };
}

export type DashboardSettings = ReturnType<typeof readDashboardSettings>;
