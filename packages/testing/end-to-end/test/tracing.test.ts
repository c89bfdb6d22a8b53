import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { startSystem, type System } from '../src';
import { redisServer, shown, until, widget } from './support';

/** Traces, sent to a collector by OTLP over HTTP. */

interface Span {
  traceId: string;
  spanId: string;
  parentSpanId?: string;
  name: string;
  service: string;
  attributes: Record<string, unknown>;
}

interface Exported {
  resourceSpans: {
    resource: { attributes: Attribute[] };
    scopeSpans: { spans: (Omit<Span, 'service' | 'attributes'> & { attributes: Attribute[] })[] }[];
  }[];
}
interface Attribute {
  key: string;
  value: Record<string, unknown>;
}

const valuesOf = (attributes: readonly Attribute[]) =>
  Object.fromEntries(attributes.map(({ key, value }) => [key, Object.values(value)[0]]));

let system: System | undefined;
let collector: Server | undefined;
afterEach(async () => {
  await system?.stop();
  collector?.close();
});

async function startCollector(): Promise<{ url: string; spans: Span[] }> {
  const spans: Span[] = [];
  collector = createServer((request, response) => {
    let body = '';
    request.on('data', chunk => (body += String(chunk)));
    request.on('end', () => {
      if (request.url === '/v1/traces') {
        for (const { resource, scopeSpans } of (JSON.parse(body) as Exported).resourceSpans) {
          const service = String(valuesOf(resource.attributes)['service.name']);
          for (const span of scopeSpans.flatMap(scope => scope.spans)) {
            spans.push({ ...span, service, attributes: valuesOf(span.attributes) });
          }
        }
      }
      response.setHeader('content-type', 'application/json').end('{}');
    });
  });
  const server = collector;
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, spans };
}

it('has one trace from each webhook to the read and the write, and adds no header to calls', async () => {
  const { url, spans } = await startCollector();
  system = await startSystem({
    redisServer: redisServer(),
    sends: 'none',
    environment: { OTEL_EXPORTER_OTLP_ENDPOINT: url, OTEL_BSP_SCHEDULE_DELAY: '100', SYNC_DELAY_MS: '10' },
  });
  const running = system;
  const headers = new Set<string>();
  for (const fake of [running.inventree, running.magento]) {
    fake.setFault(call => {
      for (const name of Object.keys(call.headers)) headers.add(name);
      return undefined;
    });
  }
  const item = widget(running);
  const other = widget(running, 'OTHER');
  await running.send({ event: 'stockitem.counted', part: item.part });
  await until('the store is right', () => shown(running) === 50);
  await running.quiet();
  await running.send({ event: 'stockitem.counted', part: other.part });
  await running.quiet();
  const runs = () => spans.filter(({ name, service }) => service === 'stock-sync-worker' && name.startsWith('process'));
  const webhooks = () => spans.filter(({ name }) => name === 'POST /webhooks/inventree');
  // Each service sends its own, so those of ingest may come last.
  await until('both runs have come', () => runs().filter(({ parentSpanId }) => parentSpanId).length === 2);
  await until('both webhooks have come', () => webhooks().length >= 2);

  expect(webhooks().map(({ service }) => service)).toEqual(['stock-sync-ingest', 'stock-sync-ingest']);
  expect(new Set(webhooks().map(({ traceId }) => traceId)).size).toBe(2);
  for (const webhook of webhooks()) {
    const trace = spans.filter(({ traceId }) => traceId === webhook.traceId);
    const run = runs().find(({ traceId }) => traceId === webhook.traceId);
    expect(run?.parentSpanId).toBe(webhook.spanId);
    const calls = trace.filter(({ name }) => /^(InvenTree|Magento) /.test(name));
    expect(calls.map(({ name }) => name)).toEqual(expect.arrayContaining(['InvenTree POST', 'Magento POST']));
    const write = calls.find(({ name }) => name === 'Magento POST');
    expect(write?.attributes).toMatchObject({
      'http.request.method': 'POST',
      'url.path': '/rest/V1/inventory/source-items',
      'http.response.status_code': 200,
    });
  }
  expect([...headers].filter(name => name.startsWith('trace') || name === 'baggage')).toEqual([]);
  expect(headers).toContain('authorization');
});
