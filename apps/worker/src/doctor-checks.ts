import { parseReferencePattern } from '@stock-sync/domain';
import { CallError } from '@stock-sync/http-client';
import { createInvenTreeClient, type AboutInvenTree, type InvenTreeClient } from '@stock-sync/inventree-client';
import { createMagentoClient, detectStockApi, PROBE_SKU, type MagentoClient } from '@stock-sync/magento-client';
import { errorMessage } from '@stock-sync/service';
import {
  connectToRedis,
  findRedisProblems,
  openHistoryDatabase,
  openPluginHeartbeat,
  PLUGIN_SILENT_MS,
} from '@stock-sync/state';
import { unreadablePattern } from './jobs/import-order';
import { createOfferRules, type OfferRules } from './offer-rules';
import type { WorkerSettings } from './settings';
import { sellingProblems } from './start-checks';

/** What was checked, and what was found. */
export interface Check {
  subject: 'Redis' | 'PostgreSQL' | 'InvenTree' | 'Plugin' | 'Rules' | 'Magento' | 'Writing';
  level: 'ok' | 'warning' | 'error';
  /** For people; of a warning or an error, with the remedy. */
  message: string;
}

/** How long Redis may take to answer, in milliseconds. */
const REDIS_PATIENCE_MS = 3_000;
/** More tasks than these wait for InvenTree's worker: events come late. */
const MANY_TASKS = 500;
/** A token that expires within two weeks is named. */
const EXPIRES_SOON_MS = 14 * 24 * 60 * 60 * 1000;
/** No order was changed since then. */
const NEVER = '2099-01-01 00:00:00';
/** InvenTree's ids start at 1, and whether this part exists does not matter. */
const SOME_PART = 1;

/** What `stock-sync init` checks one after the other. */
export const CHECKED_SYSTEMS = ['redis', 'inventree', 'magento'] as const;
export type CheckedSystem = (typeof CHECKED_SYSTEMS)[number];

/**
 * Checks everything that a shop needs to run, or one system, and changes nothing. Calls `found` for each result, in
 * order.
 */
export async function runChecks(
  settings: WorkerSettings,
  found: (check: Check) => void,
  only?: CheckedSystem,
): Promise<void> {
  const isChecked = (system: CheckedSystem) => only === undefined || only === system;
  if (isChecked('redis')) {
    await checkRedis(settings, found);
    await checkHistoryDatabase(settings, found);
  }
  const common = { timeoutMs: settings.TIMEOUT * 1000, verifyTls: settings.VERIFY_SSL, caFile: settings.CA_FILE };
  let pluginFailure: string | undefined;
  const inventree = createInvenTreeClient({
    ...common,
    baseUrl: settings.INVENTREE_URL,
    token: settings.INVENTREE_TOKEN,
    onPluginChange: failure => (pluginFailure = failure),
  });
  const magento = createMagentoClient({ ...common, baseUrl: settings.MAGENTO_URL, credentials: settings.credentials });
  const version = { get: () => Promise.resolve(0), increase: () => Promise.resolve() };
  const offerRules = createOfferRules({ inventree, version, rules: settings.rules });
  try {
    if (isChecked('inventree') && (await checkInvenTree(settings, inventree, found))) {
      await checkRules(inventree, offerRules, found);
      await checkPluginReads(inventree, offerRules, () => pluginFailure, found);
    }
    if (isChecked('magento')) await checkMagento(settings, magento, found);
    if (only === undefined && settings.ORDERS !== 'off') await checkOrders(inventree, magento, found);
  } finally {
    inventree.close();
    magento.close();
  }
  if (only === undefined) checkSwitches(settings, found);
}

async function checkRedis({ REDIS_URL, REDIS_PREFIX, REDIS_CLUSTER }: WorkerSettings, found: (check: Check) => void) {
  let reason = `no answer within ${REDIS_PATIENCE_MS / 1000} s`;
  const connection = connectToRedis(REDIS_URL, {
    prefix: REDIS_PREFIX,
    cluster: REDIS_CLUSTER,
    whileUnreachable: { wait: true },
    onChange: (_, why) => (reason = why ?? reason),
  });
  try {
    const problems = await withinTime(findRedisProblems(connection), REDIS_PATIENCE_MS);
    if (!problems) {
      const message = `${withoutPassword(REDIS_URL)} does not answer: ${reason}. Start Redis, or correct REDIS_URL`;
      found({ subject: 'Redis', level: 'error', message });
      return;
    }
    for (const message of problems) found({ subject: 'Redis', level: 'error', message });
    if (problems.length === 0) {
      found({ subject: 'Redis', level: 'ok', message: `${withoutPassword(REDIS_URL)} keeps what it accepts` });
    }
    found(heartbeatCheck((await openPluginHeartbeat(connection).last())?.at, connection.now()));
  } catch (error) {
    found({ subject: 'Redis', level: 'error', message: `${withoutPassword(REDIS_URL)}: ${errorMessage(error)}` });
  } finally {
    connection.redis.disconnect();
  }
}

async function checkHistoryDatabase(
  { HISTORY_DATABASE_URL: url, REDIS_PREFIX: shop }: WorkerSettings,
  found: (check: Check) => void,
) {
  if (url === undefined) return;
  const database = openHistoryDatabase(url, shop);
  try {
    await database.tryToPrepare();
    found({ subject: 'PostgreSQL', level: 'ok', message: `${withoutPassword(url)} keeps the history` });
  } catch (error) {
    const remedy = 'Start PostgreSQL, or correct HISTORY_DATABASE_URL';
    const message = `${withoutPassword(url)} cannot keep the history: ${errorMessage(error)}. ${remedy}`;
    found({ subject: 'PostgreSQL', level: 'error', message });
  } finally {
    await database.close();
  }
}

function heartbeatCheck(at: number | undefined, now: number): Check {
  if (at !== undefined && now - at < PLUGIN_SILENT_MS) {
    return { subject: 'Plugin', level: 'ok', message: `its last heartbeat came ${seconds(now - at)} ago` };
  }
  const message =
    at === undefined
      ? 'no heartbeat has come yet: ingest must run, and the plugin must be installed with its address and secret ' +
        '(packages/inventree-plugin/README.md). Until then changes are found by the sweep'
      : `its last heartbeat came ${seconds(now - at)} ago: is InvenTree's background worker running, and does the ` +
        'plugin still have the address and the secret of ingest?';
  return { subject: 'Plugin', level: 'warning', message };
}

/** Whether InvenTree can be read. */
async function checkInvenTree(
  { INVENTREE_URL }: WorkerSettings,
  inventree: InvenTreeClient,
  found: (check: Check) => void,
): Promise<boolean> {
  const about = await tried('InvenTree', () => inventree.about(), found);
  if (!about) return false;
  found({ subject: 'InvenTree', level: 'ok', message: `${INVENTREE_URL} is InvenTree ${about.version}` });
  for (const check of inventreeWarnings(about)) found(check);
  if (about.plugin !== undefined) await checkPluginEvents(inventree, found);
  const isReadable = await tried('InvenTree', () => inventree.probe([]).then(() => inventree.locations()), found);
  if (!isReadable) return false;
  const message = `the token may read parts, stock and stock locations (${isReadable.size})`;
  found({ subject: 'InvenTree', level: 'ok', message });
  return true;
}

function inventreeWarnings({ isWorkerRunning, pendingTasks, plugin }: AboutInvenTree): Check[] {
  const checks: Check[] = [];
  if (!isWorkerRunning) {
    const message = 'its background worker is not running: start it, or shipments, builds and late webhooks wait';
    checks.push({ subject: 'InvenTree', level: 'error', message });
  } else if (pendingTasks > MANY_TASKS) {
    const message = `${pendingTasks} tasks wait for its background worker, so webhooks that failed once come late`;
    checks.push({ subject: 'InvenTree', level: 'warning', message });
  }
  checks.push(
    plugin === undefined
      ? {
          subject: 'Plugin',
          level: 'warning',
          message: 'it is not active in InvenTree: install and activate it (packages/inventree-plugin/README.md)',
        }
      : { subject: 'Plugin', level: 'ok', message: `version ${plugin} is active in InvenTree` },
  );
  return checks;
}

async function checkPluginEvents(inventree: InvenTreeClient, found: (check: Check) => void) {
  const areEnabled = await tried('Plugin', inventree.areEventsEnabled, found);
  if (areEnabled === undefined) return;
  const message = areEnabled
    ? 'InvenTree sends it events'
    : 'ENABLE_PLUGINS_EVENTS is off in InvenTree (Admin > Plugins > Enable event integration): switch it on, or a ' +
      'webhook that cannot be sent at once is never sent';
  found({ subject: 'Plugin', level: areEnabled ? 'ok' : 'warning', message });
}

async function checkRules(inventree: InvenTreeClient, offerRules: OfferRules, found: (check: Check) => void) {
  const { parameters } = offerRules.wanted;
  const isRight = await tried(
    'Rules',
    async () => {
      if (parameters.length > 0) await inventree.probe(parameters);
      await offerRules.offers(Date.now());
      return true;
    },
    found,
  );
  if (isRight) found({ subject: 'Rules', level: 'ok', message: 'InvenTree has whatever the settings name' });
}

async function checkPluginReads(
  inventree: InvenTreeClient,
  { wanted }: OfferRules,
  failure: () => string | undefined,
  found: (check: Check) => void,
) {
  const read = await tried('Plugin', () => inventree.readParts([SOME_PART], wanted).then(() => true), found);
  if (!read) return;
  const why = failure();
  if (why === undefined) found({ subject: 'Plugin', level: 'ok', message: 'it answers bulk reads' });
  else found({ subject: 'Plugin', level: 'warning', message: `it does not answer bulk reads, which is slow: ${why}` });
}

async function checkMagento(
  { MAGENTO_URL, MAGENTO_STOCK_API, SOURCE_MAP }: WorkerSettings,
  magento: MagentoClient,
  found: (check: Check) => void,
) {
  const api = await tried('Magento', () => detectStockApi(magento, MAGENTO_STOCK_API, SOURCE_MAP), found);
  if (!api) return;
  const uses = api.kind === 'source-items' ? 'source items (MSI)' : 'stock items (the older API)';
  found({ subject: 'Magento', level: 'ok', message: `${MAGENTO_URL} answers; its stock is read as ${uses}` });
  const rights: [string, () => Promise<unknown>][] = [
    ['reads products and stock', () => magento.probeReads(api.kind)],
    ['reads how products are sold', () => magento.readStockItem(PROBE_SKU)],
  ];
  if (api.kind === 'source-items') rights.push(['writes stock', magento.probeEmptyWrite]);
  for (const [right, call] of rights) {
    const isAllowed = await tried('Magento', () => call().then(() => true), found);
    if (isAllowed) found({ subject: 'Magento', level: 'ok', message: `the integration ${right}` });
  }
  if (api.kind === 'source-items') await checkSources(Object.keys(SOURCE_MAP ?? { default: [] }), magento, found);
}

/** Reads what an import of orders reads. What it writes can be proven only by an order. */
async function checkOrders(inventree: InvenTreeClient, magento: MagentoClient, found: (check: Check) => void) {
  const { salesOrders } = inventree;
  const isRead = await tried('Magento', () => magento.ordersSince(NEVER).then(() => true), found);
  if (isRead) found({ subject: 'Magento', level: 'ok', message: 'the integration reads orders' });
  const pattern = await tried('InvenTree', salesOrders.referencePattern, found);
  if (pattern !== undefined && !parseReferencePattern(pattern)) {
    found({ subject: 'InvenTree', level: 'error', message: unreadablePattern(pattern) });
  }
  const isAllowed = await tried('InvenTree', () => salesOrders.latestReferences().then(() => true), found);
  if (isAllowed) found({ subject: 'InvenTree', level: 'ok', message: 'the token reads sales orders' });
}

async function checkSources(written: readonly string[], magento: MagentoClient, found: (check: Check) => void) {
  const sources = (await tried('Magento', magento.sources, found)) ?? [];
  try {
    const problems = sellingProblems(written, sources, await magento.websiteStocks());
    for (const message of problems) found({ subject: 'Magento', level: 'error', message });
    if (problems.length === 0) {
      found({ subject: 'Magento', level: 'ok', message: `the websites sell from ${written.join(', ')}` });
    }
  } catch (error) {
    const message = `whether the websites sell from ${written.join(', ')} is not known: ${errorMessage(error)}`;
    found({ subject: 'Magento', level: 'warning', message });
  }
}

function checkSwitches({ ENABLE_SYNC, DRY_RUN, ...settings }: WorkerSettings, found: (check: Check) => void): void {
  const expires = settings.INVENTREE_TOKEN_EXPIRES;
  if (expires !== undefined && expires - Date.now() < EXPIRES_SOON_MS) {
    const date = new Date(expires).toISOString().slice(0, 10);
    const remedy = 'create a new one, and set INVENTREE_TOKEN and INVENTREE_TOKEN_EXPIRES';
    const message = `the token expires on ${date}: ${remedy}`;
    found({ subject: 'InvenTree', level: 'warning', message });
  }
  if (ENABLE_SYNC && !DRY_RUN) found({ subject: 'Writing', level: 'ok', message: 'stock is written to Magento' });
  else {
    const remedy = ENABLE_SYNC ? 'DRY_RUN is on' : 'ENABLE_SYNC is off: set it to true when all else is right';
    found({ subject: 'Writing', level: 'warning', message: `nothing is written to Magento, because ${remedy}` });
  }
}

/** The result of a call, or undefined where it failed, which is reported. */
async function tried<T>(
  subject: Check['subject'],
  call: () => Promise<T>,
  found: (check: Check) => void,
): Promise<T | undefined> {
  try {
    return await call();
  } catch (error) {
    const remedy =
      error instanceof CallError && error.kind === 'no-answer'
        ? `. Is ${error.system === 'Magento' ? 'MAGENTO_URL' : 'INVENTREE_URL'} right, and reachable from this machine?`
        : '';
    found({ subject, level: 'error', message: errorMessage(error) + remedy });
    return undefined;
  }
}

async function withinTime<T>(work: Promise<T>, limitMs: number): Promise<T | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const tooLong = new Promise<undefined>(resolve => (timer = setTimeout(() => resolve(undefined), limitMs)));
  return Promise.race([work, tooLong]).finally(() => clearTimeout(timer));
}

function withoutPassword(url: string): string {
  const { protocol, host, pathname } = new URL(url);
  return `${protocol}//${host}${pathname}`;
}

function seconds(ms: number): string {
  return `${Math.max(0, Math.round(ms / 1000))} s`;
}
