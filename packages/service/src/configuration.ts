import { readFileSync } from 'node:fs';
import { z, type ZodType } from 'zod';

/** What a process was told in its environment. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** Everything that is wrong with a configuration, a line per variable. */
export class ConfigurationError extends Error {
  constructor(readonly problems: readonly string[]) {
    super(
      `The configuration is wrong in ${problems.length === 1 ? 'one place' : `${problems.length} places`}:\n${problems.map(problem => `  ${problem}`).join('\n')}`,
    );
    this.name = 'ConfigurationError';
  }
}

/** The variables of one process, by name. */
export type Variables = Record<string, ZodType>;

type Configuration<V extends Variables> = { [Name in keyof V]: z.output<V[Name]> };

/**
 * The values of these variables. A variable that is empty counts as not set; one that is not set is read from the file
 * that NAME_FILE names, if that is set (for secrets). Throws a ConfigurationError that tells of every wrong variable.
 */
export function configurationFrom<V extends Variables>(environment: Environment, variables: V): Configuration<V> {
  const problems: string[] = [];
  const values: Record<string, unknown> = {};
  for (const [name, schema] of Object.entries(variables)) {
    const raw = rawValue(environment, name, problems);
    if (raw === 'unreadable') continue;
    const parsed = schema.safeParse(raw.value);
    if (parsed.success) values[name] = parsed.data;
    else
      problems.push(`${name}: ${parsed.error.issues.map(issue => issue.message).join('; ')}${shown(name, raw.value)}`);
  }
  if (problems.length > 0) throw new ConfigurationError(problems);
  return values as Configuration<V>;
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
  if (value === undefined || /TOKEN|SECRET|PASSWORD|KEY|REDIS_URL/.test(name)) return '';
  return `, got "${value.slice(0, 80)}"`;
}

const YES = new Set(['true', '1', 'yes', 'on']);
const NO = new Set(['false', '0', 'no', 'off']);

/** Building blocks for the schemas of variables; each turns the text of a variable into its value. */
export const variable = {
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

/** What every process takes. */
export const commonVariables = {
  REDIS_URL: variable.url(['redis:', 'rediss:'], 'redis://localhost:6379'),
  LOG_LEVEL: variable.oneOf(LEVELS, 'info'),
  LOG_FORMAT: variable.oneOf(['auto', 'json', 'text'], 'auto'),
} satisfies Variables;

/** What every process takes that enqueues jobs; the same in all of them. */
export const queueVariables = {
  SYNC_DELAY_MS: variable.wholeNumber(100, 0, 60_000),
  MAX_ATTEMPTS: variable.wholeNumber(8, 1, 100),
} satisfies Variables;
