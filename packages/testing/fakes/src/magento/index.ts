import { startFakeHttpServer, type FakeHttpServer, type FakeAnswer, type FakeCall } from '../fake-http-server';
import { magentoRecording } from '../recordings';
import { refusalOf, type Integration, type MagentoVersion } from './authorization';
import { bodyRefusal, magentoRoutes, noRoute, type MagentoSettings } from './routes';
import { searchFrom } from './search';
import { MagentoStore } from './store';

export interface FakeMagentoOptions {
  settings?: Partial<MagentoSettings>;
  /** Whether integrations may use a Bearer token; off by default since Magento 2.4.4. */
  bearerEnabled?: boolean;
  version?: MagentoVersion;
  integration?: Partial<Integration>;
  latency?: boolean;
  port?: number;
}

/** A fake Magento: answers as the recorded one did. */
export interface FakeMagento extends FakeHttpServer {
  store: MagentoStore;
  integration: Integration;
  settings: MagentoSettings;
  setMaintenance(on: boolean): void;
  setDatabaseDown(on: boolean): void;
  /** The most simultaneous writes of one SKU so far. */
  maxWritersPerSku(): number;
  /** The number of writes that are being answered now. */
  writesUnderWay(): number;
  /** The number of writes and reads so far. */
  counts(): { writes: number; reads: number };
  resetCounts(): void;
}

/** nginx's limit for a request line: a longer URL gets 414 (docs/facts/magento.md). */
const MAX_REQUEST_LINE_LENGTH = 8 * 1024;

const recordedAnswer = (name: string): FakeAnswer => {
  const { status, headers, body } = magentoRecording(name).response;
  return { status, headers, body };
};

/** Starts a fake Magento on a free port. */
export async function startMagento(options: FakeMagentoOptions = {}): Promise<FakeMagento> {
  const store = new MagentoStore();
  const settings: MagentoSettings = { sourceItems: true, ...options.settings };
  const integration: Integration = {
    consumerKey: 'consumer-key',
    consumerSecret: 'consumer-secret',
    accessToken: 'access-token',
    accessTokenSecret: 'access-token-secret',
    ...options.integration,
  };
  let maintenance = false;
  let databaseDown = false;
  const writing = new Map<string, number>();
  let maxWriters = 0;
  let writesUnderWay = 0;
  let counts = { writes: 0, reads: 0 };

  const before = (call: FakeCall): FakeAnswer | undefined => {
    if (`${call.method} ${call.url} HTTP/1.1`.length > MAX_REQUEST_LINE_LENGTH)
      return recordedAnswer('error-uri-too-long');
    if (maintenance) return recordedAnswer(call.method === 'GET' ? 'maintenance-get' : 'maintenance-post');
    if (databaseDown) return recordedAnswer(call.method === 'GET' ? 'error-db-down' : 'error-db-down-post');
    if (call.path.startsWith('/rest/async/')) return recordedAnswer('async-post');
    const { bearerEnabled = true, version = '2.4.7' } = options;
    return refusalOf(call, integration, { bearerEnabled, version }) ?? bodyRefusal(call);
  };
  const fake = await startFakeHttpServer(
    {
      system: 'magento',
      routes: magentoRoutes(store, settings),
      before,
      around: watched,
      notFound: noRoute,
      costMs: call => costMs(call, options.version ?? '2.4.7'),
      cores: 2,
      headers: { 'content-type': 'application/json; charset=utf-8', 'cache-control': 'no-store' },
    },
    options.port,
  );
  fake.setLatency(options.latency ?? false);

  /** Counts calls, and simultaneous writes of a SKU: a write takes a moment even without latency. */
  async function watched(call: FakeCall, work: () => Promise<FakeAnswer>): Promise<FakeAnswer> {
    const skus = skusWritten(call);
    // An empty write changes nothing.
    if (call.method === 'GET' || skus.size === 0) {
      counts.reads++;
      return work();
    }
    counts.writes++;
    writesUnderWay++;
    for (const sku of skus) {
      const writers = (writing.get(sku) ?? 0) + 1;
      writing.set(sku, writers);
      maxWriters = Math.max(maxWriters, writers);
    }
    let over = false;
    // A caller that closed the connection no longer counts as a writer.
    const end = () => {
      if (over) return;
      over = true;
      writesUnderWay--;
      for (const sku of skus) writing.set(sku, (writing.get(sku) ?? 1) - 1);
    };
    call.hungUp.addEventListener('abort', end);
    await new Promise(resolve => setTimeout(resolve, 5));
    try {
      return await work();
    } finally {
      end();
    }
  }

  return Object.assign(fake, {
    store,
    integration,
    settings,
    setMaintenance: (on: boolean) => void (maintenance = on),
    setDatabaseDown: (on: boolean) => void (databaseDown = on),
    maxWritersPerSku: () => maxWriters,
    writesUnderWay: () => writesUnderWay,
    counts: () => ({ ...counts }),
    resetCounts: () => void (counts = { writes: 0, reads: 0 }),
  });
}

function skusWritten(call: FakeCall): Set<string> {
  const { sourceItems } = (call.body ?? {}) as { sourceItems?: { sku?: unknown }[] };
  const skus = Array.isArray(sourceItems)
    ? sourceItems.map(item => String(item.sku))
    : [/\/products\/([^/]+)\//.exec(call.path)?.[1] ?? ''].map(decodeURIComponent);
  return new Set(skus.map(sku => MagentoStore.key(sku)));
}

/**
 * The recorded times (docs/facts/magento.md, "Cost"): a read is nearly free; a write takes 7 ms for each SKU in 2.4.4,
 * and about 170 ms for 100 of them in 2.4.7 on a faster machine.
 */
function costMs(call: FakeCall, version: MagentoVersion): number {
  if (call.method === 'PUT') return 98;
  if (call.method === 'POST') {
    const skus = skusWritten(call).size;
    return version === '2.4.4' ? 74 + 7 * skus : 30 + 1.4 * skus;
  }
  if (call.path === '/rest/V1/products') {
    const [[filter] = []] = searchFrom(call.query).groups;
    return 14 + 4.6 * (filter?.value.split(',').length ?? 1);
  }
  return call.path.startsWith('/rest/V1/products/') ? 45 : 30;
}
