import {
  MalformedBody,
  startFakeHttpServer,
  type FakeHttpServer,
  type Route,
  type FakeAnswer,
  type FakeCall,
} from '../fake-http-server';
import { inventreeRecording, salesOrderRecording } from '../recordings';
import { serverError } from './lists';
import { orderRoutes } from './order-routes';
import { partRoutes } from './part-routes';
import { createWebhookSender, pluginRoutes, type WebhookSender, type WebhookTarget } from './plugin';
import { InvenTreeShop } from './shop';
import { salesOrderRoutes } from './sales-order-routes';
import { stockRoutes } from './stock-routes';

export interface FakeInvenTreeOptions {
  /** Whether our plugin is installed, so that its endpoint answers. */
  plugin?: boolean;
  latency?: boolean;
  port?: number;
}

/** A fake InvenTree: answers as the recorded one did, and sends what our plugin would send. */
export interface FakeInvenTree extends FakeHttpServer {
  shop: InvenTreeShop;
  /**
   * The tokens of four users: with all roles, with the view role on parts and stock, with sales orders beside that, and
   * with no role.
   */
  tokens: { admin: string; viewer: string; orders: string; nobody: string };
  setMaintenance(on: boolean): void;
  setDatabaseDown(on: boolean): void;
  setPlugin(on: boolean): void;
  /** Changes what InvenTree says about itself. */
  setAbout(about: { worker_running?: boolean }): void;
  /** Sends webhooks there from now on: to each of them, or nowhere. */
  sendTo(...targets: WebhookTarget[]): void;
  /** Resolves when the background worker is done and all webhooks are accepted. */
  idle(): Promise<void>;
  resetCounts(): void;
  reads(): number;
}

const TOKENS = { admin: 'inv-admin', viewer: 'inv-viewer', orders: 'inv-orders', nobody: 'inv-nobody' };
/** The longest request line that InvenTree's web server accepts [recording error-long-url]. */
const MAX_REQUEST_LINE_LENGTH = 4094;
const JSON_TYPE = 'application/json';

/** The role that a path requires; undefined if it requires none. */
const ROLES: readonly [RegExp, string][] = [
  [/^\/api\/part\//, 'part'],
  [/^\/api\/stock\/location\//, 'stock_location'],
  [/^\/api\/stock\//, 'stock'],
  [/^\/plugin\/magento-sync\//, 'stock'],
  [/^\/api\/(order|company)\//, 'sales_order'],
  [/^\/api\/build\//, 'build'],
];
const VIEWER_ROLES: ReadonlySet<string> = new Set(['part', 'stock', 'stock_location']);

/** Starts a fake InvenTree on a free port. */
export async function startInvenTree(options: FakeInvenTreeOptions = {}): Promise<FakeInvenTree> {
  const shop = new InvenTreeShop();
  let maintenance = false;
  let databaseDown = false;
  let plugin = options.plugin ?? true;
  let about: { worker_running?: boolean } = {};
  let senders: WebhookSender[] = [];
  shop.onCommit = signals => {
    for (const sender of senders) sender.committed(signals);
  };
  shop.onEvent = event => {
    for (const sender of senders) sender.fired(event);
  };

  const routes: Route[] = [
    { method: 'GET', path: /^\/api\/$/, handle: () => info(plugin, about) },
    { method: 'GET', path: /^\/api\/settings\/global\/(\w+)\/$/, handle: setting },
    ...pluginRoutes(shop),
    ...partRoutes(shop),
    ...stockRoutes(shop),
    ...orderRoutes(shop),
    ...salesOrderRoutes(shop),
  ];

  const before = (call: FakeCall): FakeAnswer | undefined => {
    const line = `${call.method} ${call.url} HTTP/1.1`.length;
    if (line > MAX_REQUEST_LINE_LENGTH) return tooLong(line);
    if (maintenance) return recordedAnswer('error-maintenance');
    if (databaseDown) return serverError(call, 'OperationalError');
    if (call.path === '/api/') return undefined;
    const token = /^token (.*)$/i.exec(call.headers.authorization ?? '')?.[1];
    const known = token !== undefined && Object.values(TOKENS).includes(token);
    if (call.path.startsWith('/plugin/') && !plugin)
      return recordedAnswer(known ? 'plugin-path-absent' : 'plugin-path-absent-no-auth');
    if (!known)
      return unauthorized(token === undefined ? 'Authentication credentials were not provided.' : 'Invalid token.');
    return forbidden(call, token) ?? malformed(call) ?? wrongMethod(call, routes);
  };
  const fake = await startFakeHttpServer(
    {
      system: 'inventree',
      routes,
      before,
      notFound: call =>
        call.path.startsWith('/api/')
          ? {
              status: 404,
              body: { detail: 'API endpoint not found', url: `http://${call.headers.host ?? ''}${call.url}` },
            }
          : recordedAnswer('web-root'),
      costMs: call => costMs(shop, call),
      headers: {
        server: 'gunicorn',
        'content-type': JSON_TYPE,
        'x-inventree-version': '1.4.0 dev',
        'x-inventree-api': '479',
      },
    },
    options.port,
  );
  fake.setLatency(options.latency ?? false);
  const stopListening = fake.close;
  let callsBefore = 0;

  return Object.assign(fake, {
    shop,
    tokens: TOKENS,
    setMaintenance: (on: boolean) => void (maintenance = on),
    setDatabaseDown: (on: boolean) => void (databaseDown = on),
    setPlugin: (on: boolean) => void (plugin = on),
    setAbout: (changed: { worker_running?: boolean }) => void (about = changed),
    sendTo: (...targets: WebhookTarget[]) => {
      for (const sender of senders) sender.stop();
      senders = targets.map(createWebhookSender);
    },
    idle: async () => {
      await shop.idle();
      await Promise.all(senders.map(sender => sender.idle()));
    },
    resetCounts: () => void (callsBefore = fake.calls.length),
    reads: () => fake.calls.slice(callsBefore).filter(isRead).length,
    close: async () => {
      for (const sender of senders) sender.stop();
      await stopListening();
    },
  });
}

function isRead({ method, path }: { method: string; path: string }): boolean {
  return method === 'GET' || path.startsWith('/plugin/');
}

function recordedAnswer(name: string): FakeAnswer {
  const { status, headers, body } = inventreeRecording(name).response;
  return { status, headers, body };
}

function tooLong(length: number): FakeAnswer {
  const { status, headers, body } = inventreeRecording('error-long-url').response;
  return { status, headers, body: String(body).replace(/\(\d+ /, `(${length} `) };
}

const unauthorized = (detail: string): FakeAnswer => ({
  status: 401,
  headers: { 'www-authenticate': 'Token' },
  body: { detail },
});

function forbidden(call: FakeCall, token: string): FakeAnswer | undefined {
  const role = ROLES.find(([path]) => path.test(call.path))?.[1];
  if (token === TOKENS.admin || role === undefined) return undefined;
  // The role sales_order sufficed for customers, orders and their lines (docs/facts/inventree.md, "Sales orders").
  if (token === TOKENS.orders && role === 'sales_order') return undefined;
  const sees = (token === TOKENS.viewer || token === TOKENS.orders) && VIEWER_ROLES.has(role);
  const onlyReads = call.method === 'GET' || call.path.startsWith('/plugin/');
  if (sees && onlyReads) return undefined;
  return { status: 403, body: { detail: 'You do not have permission to perform this action.' } };
}

function malformed(call: FakeCall): FakeAnswer | undefined {
  if (!(call.body instanceof MalformedBody)) return undefined;
  // Python's parser reports the position where it stopped: for a truncated body, its end.
  const at = call.body.text.length;
  return { status: 400, body: { detail: `JSON parse error - Expecting value: line 1 column ${at + 1} (char ${at})` } };
}

function wrongMethod(call: FakeCall, routes: readonly Route[]): FakeAnswer | undefined {
  const here = routes.filter(route => route.path.test(call.path));
  if (here.length === 0 || here.some(route => route.method === call.method)) return undefined;
  return { status: 405, body: { detail: `Method "${call.method}" not allowed.` } };
}

function info(plugin: boolean, about: object): FakeAnswer {
  const { status, body } = inventreeRecording('info-anonymous').response;
  const recorded = body as { active_plugins: unknown[] };
  const ours = { name: 'MagentoSync', slug: 'magento-sync', version: '0.1.0' };
  const activePlugins = plugin ? [...recorded.active_plugins, ours] : recorded.active_plugins;
  return { status, body: { ...recorded, ...about, active_plugins: activePlugins } };
}

function setting(call: FakeCall): FakeAnswer {
  const recorded = {
    ENABLE_PLUGINS_EVENTS: 'setting-events',
    STOCK_DELETE_DEPLETED_DEFAULT: 'setting-delete-depleted',
  };
  if (call.captured[0] === 'SALESORDER_REFERENCE_PATTERN') return salesOrderRecording('02-settings-pattern').response;
  const name = recorded[(call.captured[0] ?? '') as keyof typeof recorded];
  return name
    ? recordedAnswer(name)
    : { status: 404, body: { detail: 'No InvenTreeSetting matches the given query.' } };
}

/** The recorded times (docs/facts/inventree.md, "Cost"). */
function costMs(shop: InvenTreeShop, call: FakeCall): number {
  if (call.path.startsWith('/plugin/')) return 13;
  if (call.method !== 'GET') return 30;
  if (call.path === '/api/part/')
    return call.query.has('name_regex')
      ? 171
      : call.query.has('IPN_regex')
        ? 111
        : 120 + 0.7 * Number(call.query.get('offset') ?? 0);
  if (call.path === '/api/stock/' && !call.query.has('part'))
    return 50 + 0.2 * Math.min(shop.items.size, Number(call.query.get('limit') ?? shop.items.size));
  return 52;
}
