import {
  ConfigurationError,
  commonVariables,
  configurationFrom,
  queueVariables,
  variable,
  type Environment,
} from '@stock-sync/service';
import { quantityFrom, type SkuField, type SourceMap } from '@stock-sync/sync-core';
import type { MagentoCredentials } from '@stock-sync/magento-client';
import { createHash } from 'node:crypto';
import { z } from 'zod';

const WEB = ['http:', 'https:'];

/**
 * What workers take from their environment, and commands that do what a worker does. Throws a ConfigurationError that tells of
 * every wrong variable.
 */
export function systemsConfiguration(environment: Environment) {
  const problems: string[] = [];
  let values: ReturnType<typeof plainValues> | undefined;
  try {
    values = plainValues(environment);
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error;
    problems.push(...error.problems);
  }
  const oauth = oauthValues(environment, problems);
  if (values?.MAGENTO_STOCK_API === 'stock-items' && Object.keys(values.SOURCE_MAP ?? {}).some(s => s !== 'default')) {
    problems.push(
      'SOURCE_MAP: expected only the source "default" with MAGENTO_STOCK_API=stock-items, which knows no other',
    );
  }
  if (!values || problems.length > 0) throw new ConfigurationError(problems);

  const accessToken = values.MAGENTO_ACCESS_TOKEN;
  const credentials: MagentoCredentials = oauth ? { accessToken, ...oauth } : { accessToken };
  return { ...values, credentials };
}

export type SystemsConfiguration = ReturnType<typeof systemsConfiguration>;

/** Tells settings that the systems are spoken to with from others, and gives none of them away. */
export function settingsFingerprint(configuration: SystemsConfiguration): string {
  const { INVENTREE_URL, INVENTREE_TOKEN, MAGENTO_URL, credentials, MAGENTO_STOCK_API, SOURCE_MAP } = configuration;
  const { VERIFY_SSL, CA_FILE, TIMEOUT } = configuration;
  const all = [INVENTREE_URL, INVENTREE_TOKEN, MAGENTO_URL, credentials, MAGENTO_STOCK_API, SOURCE_MAP];
  return createHash('sha256')
    .update(JSON.stringify([...all, VERIFY_SSL, CA_FILE, TIMEOUT]))
    .digest('hex')
    .slice(0, 16);
}

function plainValues(environment: Environment) {
  return configurationFrom(environment, {
    ...commonVariables,
    ...queueVariables,
    INVENTREE_URL: variable.url(WEB, 'https://inventree.example'),
    INVENTREE_TOKEN: variable.text(),
    MAGENTO_URL: variable.url(WEB, 'https://shop.example'),
    MAGENTO_ACCESS_TOKEN: variable.text(),
    ENABLE_SYNC: variable.switch(false),
    DRY_RUN: variable.switch(false),
    VERIFY_SSL: variable.switch(true),
    CA_FILE: variable.file(),
    TIMEOUT: variable.seconds(30, 0.1, 600),
    SKU_FIELD: z
      .string()
      .default('name')
      .transform((text, context): SkuField => {
        if (text === 'name' || text === 'IPN') return { kind: text };
        const template = text.startsWith('parameter:') ? text.slice('parameter:'.length).trim() : '';
        if (template) return { kind: 'parameter', template };
        context.addIssue({ code: 'custom', message: 'expected name, IPN or parameter:<template name>' });
        return z.NEVER;
      }),
    MAGENTO_STOCK_API: variable.oneOf(['auto', 'source-items', 'stock-items'], 'auto'),
    SOURCE_MAP: z
      .string()
      .optional()
      .transform((text, context): SourceMap | undefined => {
        if (text === undefined) return undefined;
        const parsed = sourceMapSchema.safeParse(jsonOf(text));
        if (parsed.success) return parsed.data;
        context.addIssue({
          code: 'custom',
          message: 'expected JSON like {"default":[3,4],"west":[7]}: source code to location ids',
        });
        return z.NEVER;
      }),
    STOCK_BASIS: variable.oneOf(['in_stock', 'unallocated'], 'in_stock'),
    SAFETY_STOCK: variable.decimal('0').transform(quantityFrom),
    ALLOW_DECIMALS: variable.switch(false),
    WORKER_CONCURRENCY: variable.wholeNumber(200, 1, 5_000),
    MAGENTO_CONCURRENCY: variable.wholeNumber(2, 1, 100),
    INVENTREE_CONCURRENCY: variable.wholeNumber(4, 1, 100),
    SWEEP_INTERVAL_SECONDS: variable.wholeNumber(60, 0, 86_400),
    RECONCILE_INTERVAL_MINUTES: variable.wholeNumber(30, 0, 10_080),
    RECONCILE_MAX_ZEROED_PERCENT: variable.wholeNumber(20, 0, 100),
    WORKER_PORT: variable.wholeNumber(3002, 0, 65_535),
  });
}

const sourceMapSchema = z
  .record(z.string().min(1), z.array(z.number().int().positive()).min(1))
  .refine(map => Object.keys(map).length > 0);

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** The three further values of OAuth 1.0a: all of them or none. */
function oauthValues(environment: Environment, problems: string[]) {
  try {
    const given = configurationFrom(environment, {
      MAGENTO_CONSUMER_KEY: variable.optionalText(),
      MAGENTO_CONSUMER_SECRET: variable.optionalText(),
      MAGENTO_ACCESS_TOKEN_SECRET: variable.optionalText(),
    });
    const {
      MAGENTO_CONSUMER_KEY: consumerKey,
      MAGENTO_CONSUMER_SECRET: consumerSecret,
      MAGENTO_ACCESS_TOKEN_SECRET: accessTokenSecret,
    } = given;
    if (consumerKey && consumerSecret && accessTokenSecret) return { consumerKey, consumerSecret, accessTokenSecret };
    const missing = Object.entries(given).filter(([, value]) => value === undefined);
    if (missing.length === Object.keys(given).length) return undefined;
    for (const [name] of missing) problems.push(`${name}: is not set (OAuth 1.0a needs it beside the others)`);
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error;
    problems.push(...error.problems);
  }
  return undefined;
}
