import { readFileSync } from 'node:fs';
import { z, type ZodType } from 'zod';
import { parseSecrets } from './webhook-signature';

/** The environment variables of a process. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** Everything that is wrong with the settings, one line for each variable. */
export class SettingsError extends Error {
  constructor(readonly problems: readonly string[]) {
    const count = problems.length === 1 ? 'one setting is' : `${problems.length} settings are`;
    super(
      `Cannot start: ${count} wrong. Fix the settings; each line says what is expected.\n` +
        problems.map(problem => `  ${problem}`).join('\n'),
    );
    this.name = 'SettingsError';
  }
}

/** The settings of one process, by the name of their variable. Each turns the text of the variable into its value. */
export type Settings = Record<string, ZodType>;

export type SettingsValues<S extends Settings> = { [Name in keyof S]: z.output<S[Name]> };

/**
 * Reads these settings from the environment. An empty variable counts as not set; a variable that is not set is read
 * from the file that NAME_FILE names, if any (for secrets). Throws a SettingsError that lists every wrong variable.
 */
export function readSettings<S extends Settings>(environment: Environment, settings: S): SettingsValues<S> {
  const problems: string[] = [];
  const values: Record<string, unknown> = {};
  for (const [name, schema] of Object.entries(settings)) {
    const raw = rawValue(environment, name, problems);
    if (raw === 'unreadable') continue;
    const parsed = schema.safeParse(raw.value);
    if (parsed.success) values[name] = parsed.data;
    else
      problems.push(`${name}: ${parsed.error.issues.map(issue => issue.message).join('; ')}${shown(name, raw.value)}`);
  }
  if (problems.length > 0) throw new SettingsError(problems);
  return values as SettingsValues<S>;
}

function rawValue(
  environment: Environment,
  name: string,
  problems: string[],
): { value: string | undefined } | 'unreadable' {
  const value = environment[name]?.trim();
  if (value) return { value };
  const file = environment[`${name}_FILE`]?.trim();
  if (!file) return { value: undefined };
  try {
    return { value: readFileSync(file, 'utf8').trim() || undefined };
  } catch (error) {
    problems.push(`${name}_FILE: expected a readable file, got ${file} (${(error as Error).message})`);
    return 'unreadable';
  }
}

/** Secrets are never shown, not even wrong ones. */
function shown(name: string, value: string | undefined): string {
  if (value === undefined || /TOKEN$|SECRET|PASSWORD|KEY|REDIS_URL|DATABASE_URL|SMTP_URL|WEBHOOK_URL/.test(name))
    return '';
  return `, got "${value.slice(0, 80)}"`;
}

const EXAMPLE_SECRET = 'whsec_bWFrZS1hLXNlY3JldC1vZi15b3VyLW93bi1oZXJlISE=';

const YES = new Set(['true', '1', 'yes', 'on']);
const NO = new Set(['false', '0', 'no', 'off']);

/** The kinds of settings. */
export const setting = {
  text: () => z.string({ error: 'is not set' }),
  optionalText: () => z.string().optional(),
  oneOf: <const T extends readonly [string, ...string[]]>(values: T, fallback: T[number]) =>
    z.enum(values, { error: `expected one of ${values.join(', ')}` }).default(fallback as never),
  switch: (fallback: boolean) =>
    z
      .string()
      .transform(text => text.toLowerCase())
      .refine(text => YES.has(text) || NO.has(text), { error: 'expected true or false' })
      .transform(text => YES.has(text))
      .default(fallback),
  wholeNumber: (fallback: number, least: number, most: number) =>
    z
      .string()
      .refine(text => /^\d+$/.test(text) && Number(text) >= least && Number(text) <= most, {
        error: `expected a whole number from ${least} to ${most}`,
      })
      .transform(Number)
      .default(fallback),
  decimal: (fallback: string) =>
    z
      .string()
      .regex(/^\d+(\.\d+)?$/, { error: 'expected a number of units, not below 0' })
      .default(fallback),
  seconds: (fallback: number, least: number, most: number) =>
    z
      .string()
      .refine(text => /^\d+(\.\d+)?$/.test(text) && Number(text) >= least && Number(text) <= most, {
        error: `expected a number of seconds from ${least} to ${most}`,
      })
      .transform(Number)
      .default(fallback),
  url: (protocols: readonly string[], example: string) =>
    z
      .string({ error: `is not set (expected an address like ${example})` })
      .refine(text => URL.canParse(text) && protocols.includes(new URL(text).protocol), {
        error: `expected an address like ${example}`,
      }),
  webhookSecrets: () =>
    z
      .string({ error: 'is not set (expected whsec_ and the base64 of at least 24 random bytes)' })
      .refine(text => !text.includes(EXAMPLE_SECRET), {
        error: 'is still the one of .env.example, which everyone knows: create one with stock-sync secret',
      })
      .transform((text, context) => {
        const secrets = parseSecrets(text);
        if (secrets) return secrets;
        context.addIssue({
          code: 'custom',
          message: 'expected whsec_ and base64; separate several secrets with commas',
        });
        return z.NEVER;
      }),
  file: () =>
    z
      .string()
      .refine(path => isReadable(path), { error: 'expected a readable file' })
      .optional(),
};

function isReadable(path: string): boolean {
  try {
    readFileSync(path);
    return true;
  } catch {
    return false;
  }
}

const LEVELS = ['error', 'warn', 'info', 'debug'] as const;

/** The settings of every process. */
export const commonSettings = {
  REDIS_URL: setting
    .url(['redis:', 'rediss:'], 'redis://localhost:6379')
    .describe(
      'The Redis server: `redis://user:password@host:6379`, or `rediss://...` with TLS. With Sentinel: ' +
        '`redis://sentinel-1:26379?sentinel=mymaster&node=sentinel-2:26379`.',
    ),
  REDIS_PREFIX: z
    .string()
    .regex(/^[\w.-]{1,40}$/, { error: 'expected up to 40 letters, digits, and the characters _ . -' })
    .default('stock-sync')
    .describe('The prefix of all our keys in Redis. Give each shop its own, and several shops can share one Redis.'),
  REDIS_CLUSTER: setting.switch(false).describe('Whether `REDIS_URL` is a node of a Redis Cluster.'),
  LOG_LEVEL: setting.oneOf(LEVELS, 'info').describe('`error`, `warn`, `info` or `debug`.'),
  LOG_FORMAT: setting
    .oneOf(['auto', 'json', 'text'], 'auto')
    .describe('`json`, `text`, or `auto`: text on a terminal, JSON elsewhere.'),
} satisfies Settings;

/** The setting of the processes that write or read the history in PostgreSQL. */
export const historyDatabaseSettings = {
  HISTORY_DATABASE_URL: setting
    .url(['postgres:', 'postgresql:'], 'postgresql://user:password@postgres.example/stock_sync')
    .optional()
    .describe(
      'A PostgreSQL database that keeps the history for longer than Redis: ' +
        '`postgresql://user:password@postgres.example/stock_sync`.',
    ),
} satisfies Settings;

/** The settings of the processes that record or read the history of each SKU. */
export const historySettings = {
  HISTORY_DAYS: setting.wholeNumber(30, 1, 3_650).describe('How long the history of each SKU is kept in Redis.'),
  HISTORY_ENTRIES: setting
    .wholeNumber(100_000, 0, 10_000_000)
    .describe('The most entries of the history in Redis, of all SKUs together; `0` records nothing.'),
  ...historyDatabaseSettings,
} satisfies Settings;

/** The setting of the processes that link to the dashboard, or serve it. */
export const dashboardAddress = {
  DASHBOARD_URL: setting
    .url(['http:', 'https:'], 'https://stock.shop.example')
    .optional()
    .describe('The address by which browsers reach the dashboard, for links to it and cookies over TLS.'),
} satisfies Settings;
