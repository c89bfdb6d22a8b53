import { createHash } from 'node:crypto';
import { DEFAULT_SOURCE } from '@stock-sync/domain';
import type { MagentoCredentials } from '@stock-sync/magento-client';
import {
  commonSettings,
  dashboardAddress,
  historySettings,
  readSettings,
  setting,
  SettingsError,
  tracingSettings,
  type Environment,
  type Settings,
  type SettingsValues,
} from '@stock-sync/service';
import { z } from 'zod';
import { rulesFingerprint, ruleSettings, shopRulesFrom } from './rule-settings';

const HTTP = ['http:', 'https:'];

const oauthSettings = {
  MAGENTO_CONSUMER_KEY: setting
    .optionalText()
    .describe('With the next two for OAuth 1.0a, which every store accepts; or none of the three.'),
  MAGENTO_CONSUMER_SECRET: setting.optionalText().describe('The consumer secret.'),
  MAGENTO_ACCESS_TOKEN_SECRET: setting.optionalText().describe('The access token secret.'),
} satisfies Settings;

const date = () =>
  z.string().refine(text => /^\d{4}-\d\d-\d\d$/.test(text) && !Number.isNaN(Date.parse(text)), {
    error: 'expected a date like 2027-10-01',
  });

/** Magento's states of an order. */
const ORDER_STATES = [
  'new',
  'pending_payment',
  'payment_review',
  'processing',
  'complete',
  'closed',
  'canceled',
  'holded',
] as const;

/** The settings of a worker. */
export const workerSettings = {
  ...commonSettings,
  ENABLE_SYNC: setting
    .switch(false)
    .describe('The main switch. While it is off, the log says what would be written, and nothing is.'),
  DRY_RUN: setting.switch(false).describe('The same for a while, with the main switch on.'),
  INVENTREE_URL: setting.url(HTTP, 'https://inventree.example').describe('For example `https://inventree.example`.'),
  INVENTREE_TOKEN: setting.text().describe('An API token, `inv-...`.'),
  MAGENTO_URL: setting.url(HTTP, 'https://shop.example').describe('For example `https://shop.example`.'),
  MAGENTO_ACCESS_TOKEN: setting.text().describe('The access token of the integration.'),
  ...oauthSettings,
  VERIFY_SSL: setting.switch(true).describe('`false` accepts any TLS certificate: only for a trial.'),
  CA_FILE: setting.file().describe('A PEM file with your own certificate authority.'),
  TIMEOUT: setting.seconds(30, 0.1, 600).describe('Seconds after which a call to InvenTree or Magento fails.'),
  MAGENTO_STOCK_API: setting
    .oneOf(['auto', 'source-items', 'stock-items'], 'auto')
    .describe('`source-items` (MSI), `stock-items` (the older API), or `auto`: what the store has.'),
  ...ruleSettings,
  ON_PART_GONE: setting
    .oneOf(['zero', 'keep'], 'zero')
    .describe(
      'What happens to a SKU that no part has any more, because its part was deleted, renamed, or is not ' +
        'sold online any more: ' +
        '`zero` takes it to 0 (through the mass-zero guard), `keep` leaves what the store shows.',
    ),
  MAX_ATTEMPTS: setting
    .wholeNumber(8, 1, 100)
    .describe('Attempts, with growing pauses, before a part becomes a dead letter. An outage counts as none.'),
  SWEEP_INTERVAL_SECONDS: setting
    .wholeNumber(60, 0, 86_400)
    .describe('How often a sweep looks for changes that no event reported; `0`: never.'),
  RECONCILE_INTERVAL_MINUTES: setting
    .wholeNumber(30, 0, 10_080)
    .describe('How often both systems are compared, also at start-up and after an outage; `0`: only by command.'),
  RECONCILE_MAX_ZEROED_PERCENT: setting
    .wholeNumber(20, 0, 100)
    .describe(
      'The mass-zero guard: if more of the SKUs that show stock would fall to zero at once (and more than five), ' +
        'none of them is written.',
    ),
  WORKER_CONCURRENCY: setting
    .wholeNumber(1_000, 1, 5_000)
    .describe('Parts that one worker syncs at once; they share calls.'),
  MAGENTO_CONCURRENCY: setting.wholeNumber(2, 1, 100).describe('Writes to Magento at once, over all workers.'),
  INVENTREE_CONCURRENCY: setting.wholeNumber(4, 1, 100).describe('Reads of InvenTree at once, over all workers.'),
  ...historySettings,
  HISTORY_DATABASE_DAYS: setting
    .wholeNumber(365, 0, 36_500)
    .describe('How long the history is kept in PostgreSQL; `0`: for ever.'),
  ...dashboardAddress,
  NOTIFY_WEBHOOK_URL: setting
    .url(HTTP, 'https://hooks.chat.example/T000')
    .optional()
    .describe(
      'Where problems are posted to as JSON, `text` first: an incoming webhook of Slack, Mattermost and others.',
    ),
  NOTIFY_EMAIL_TO: setting.optionalText().describe('Who gets an e-mail of problems; several with commas.'),
  NOTIFY_EMAIL_FROM: z.string().default('stock-sync@localhost').describe('The sender of these e-mails.'),
  SMTP_URL: setting
    .url(['smtp:', 'smtps:'], 'smtp://user:password@mail.example:587')
    .optional()
    .describe('The mail server: `smtp://user:password@mail.example:587`.'),
  NOTIFY_AFTER_MINUTES: setting
    .wholeNumber(5, 0, 1_440)
    .describe('How long a system may be unreachable before a notification is sent.'),
  ORDERS: setting
    .oneOf(['off', 'import', 'both'], 'off')
    .describe(
      '`import`: each order of the store becomes a sales order in InvenTree, which follows its changes. `both`: what ' +
        'InvenTree ships for it is shipped in Magento, too.',
    ),
  ORDERS_ALLOCATE: setting
    .switch(true)
    .describe(
      'With `ORDERS`: stock is allocated to each sales order. Not with `ORDERS_BOOK_SHIPMENTS`, which takes what ' +
        'Magento has shipped.',
    ),
  ORDERS_BOOK_SHIPMENTS: setting
    .switch(false)
    .describe('With `ORDERS=both`: what Magento ships for an order is taken from stock and shipped in InvenTree, too.'),
  ORDERS_PER_MINUTE: setting
    .wholeNumber(60, 1, 10_000)
    .describe('The most sales orders that are created in a minute; others wait.'),
  ORDERS_STUCK_HOURS: setting
    .wholeNumber(48, 1, 10_000)
    .describe('After how many hours a notification is sent of an order that only one system has shipped.'),
  ORDERS_SINCE: date()
    .optional()
    .describe('Orders placed before this day, `2027-10-01`, are left alone. `ORDERS` needs it.'),
  ORDERS_CUSTOMER: z
    .string()
    .default('Web shop')
    .describe('The company in InvenTree that all orders are booked to; it is created where there is none.'),
  ORDERS_CUSTOMER_PER_BUYER: setting
    .switch(false)
    .describe(
      'Instead, each buyer becomes a company of its own, with name, e-mail address and the postal address of the ' +
        'first order: personal data that InvenTree then keeps.',
    ),
  ORDERS_NOTE_REFUNDS: setting
    .switch(true)
    .describe('With `ORDERS`: what Magento refunds is noted in the sales order, as an extra line of price 0.'),
  ORDERS_STATES: z
    .string()
    .transform(text => text.split(',').map(state => state.trim()))
    .pipe(z.array(z.enum(ORDER_STATES, { error: `expected some of ${ORDER_STATES.join(', ')}` })))
    .optional()
    .describe(
      'An order is imported once it has one of these states, `processing,complete` for those that are paid; without ' +
        'it, from placed on. Then it is followed in every state.',
    ),
  ORDERS_STORES: z
    .string()
    .regex(/^\d+(\s*,\s*\d+)*$/, { error: 'expected ids of store views, separated by commas, such as 1,3' })
    .transform(text => text.split(',').map(Number))
    .optional()
    .describe('The only store views whose orders count, by id, separated by commas; without it, all.'),
  ORDERS_INTERVAL_SECONDS: setting
    .wholeNumber(60, 1, 86_400)
    .describe('How often the store is asked which orders changed.'),
  INVENTREE_TOKEN_EXPIRES: date()
    .transform(text => Date.parse(text))
    .optional()
    .describe('When the token expires, `2027-10-01`: a notification is sent two weeks before.'),
  ...tracingSettings,
  WORKER_PORT: setting
    .wholeNumber(3002, 0, 65_535)
    .describe('The port for health and metrics; a free port where it is in use.'),
} satisfies Settings;

/** Reads the settings of a worker. Throws a SettingsError that lists every wrong setting. */
export function readWorkerSettings(environment: Environment) {
  const problems: string[] = [];
  let values: ReturnType<typeof readSettings<typeof workerSettings>> | undefined;
  try {
    values = readSettings(environment, workerSettings);
  } catch (error) {
    if (!(error instanceof SettingsError)) throw error;
    problems.push(...error.problems);
  }
  const oauth = readOAuth(environment, problems);
  if (values?.MAGENTO_STOCK_API === 'stock-items' && Object.keys(values.SOURCE_MAP ?? {}).some(s => s !== 'default')) {
    problems.push(
      'SOURCE_MAP: expected only the source "default" with MAGENTO_STOCK_API=stock-items, which has no other',
    );
  }
  if (values?.NOTIFY_EMAIL_TO && !values.SMTP_URL) problems.push('SMTP_URL: is not set (NOTIFY_EMAIL_TO needs it)');
  if (values?.HISTORY_DATABASE_URL && values.HISTORY_ENTRIES === 0) {
    problems.push('HISTORY_ENTRIES: expected more than 0 with HISTORY_DATABASE_URL, which gets its entries from Redis');
  }
  if (values && values.ORDERS !== 'off') {
    if (values.ORDERS_SINCE === undefined) {
      problems.push('ORDERS_SINCE: is not set (ORDERS needs it): the day of the first order that counts');
    }
    if (values.ORDERS_BOOK_SHIPMENTS && values.ORDERS !== 'both') {
      problems.push('ORDERS_BOOK_SHIPMENTS: expected ORDERS=both with it');
    }
    if (values.STOCK_BASIS === 'unallocated') {
      problems.push(
        'STOCK_BASIS: expected in_stock with ORDERS: Magento itself subtracts what its open orders reserve, ' +
          'so allocations to their sales orders would be subtracted twice',
      );
    }
  }
  problems.push(...(values ? unknownSources(values) : []));
  if (!values || problems.length > 0) throw new SettingsError(problems);

  const accessToken = values.MAGENTO_ACCESS_TOKEN;
  const credentials: MagentoCredentials = oauth ? { accessToken, ...oauth } : { accessToken };
  return { ...values, credentials, rules: shopRulesFrom(values) };
}

export type WorkerSettings = ReturnType<typeof readWorkerSettings>;

/** A safety stock for a source that gets no stock would never be held back. */
function unknownSources({ SAFETY_STOCK, SOURCE_MAP }: SettingsValues<typeof workerSettings>): string[] {
  if (!('bySource' in SAFETY_STOCK)) return [];
  const sources = Object.keys(SOURCE_MAP ?? { [DEFAULT_SOURCE]: [] });
  const unknown = Object.keys(SAFETY_STOCK.bySource).filter(source => !sources.includes(source));
  return unknown.map(source => `SAFETY_STOCK: expected one of the sources ${sources.join(', ')}, got "${source}"`);
}

/** The three other values of OAuth 1.0a: all of them or none. */
function readOAuth(environment: Environment, problems: string[]) {
  const known = new Set(problems.map(problem => problem.split(':')[0]));
  try {
    const values = readSettings(environment, oauthSettings);
    const {
      MAGENTO_CONSUMER_KEY: consumerKey,
      MAGENTO_CONSUMER_SECRET: consumerSecret,
      MAGENTO_ACCESS_TOKEN_SECRET: accessTokenSecret,
    } = values;
    if (consumerKey && consumerSecret && accessTokenSecret) return { consumerKey, consumerSecret, accessTokenSecret };
    const missing = Object.entries(values).filter(([, value]) => value === undefined);
    if (missing.length === Object.keys(values).length) return undefined;
    for (const [name] of missing) problems.push(`${name}: is not set (OAuth 1.0a needs it beside the others)`);
  } catch (error) {
    if (!(error instanceof SettingsError)) throw error;
    problems.push(...error.problems.filter(problem => !known.has(problem.split(':')[0])));
  }
  return undefined;
}

/** A fingerprint of the settings by which both systems are called, and of the rules. It reveals none of them. */
export function settingsFingerprint(settings: WorkerSettings): string {
  const { INVENTREE_URL, INVENTREE_TOKEN, MAGENTO_URL, credentials, MAGENTO_STOCK_API, rules } = settings;
  const { VERIFY_SSL, CA_FILE, TIMEOUT } = settings;
  const all = [INVENTREE_URL, INVENTREE_TOKEN, MAGENTO_URL, credentials, MAGENTO_STOCK_API, rulesFingerprint(rules)];
  return createHash('sha256')
    .update(JSON.stringify([...all, VERIFY_SSL, CA_FILE, TIMEOUT]))
    .digest('hex')
    .slice(0, 16);
}
