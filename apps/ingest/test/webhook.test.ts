import { randomUUID } from 'node:crypto';
import { request as httpRequest } from 'node:http';
import { gzipSync } from 'node:zlib';
import { queueKey, startService, TEST_SECRET, type ServiceProcess } from '@stock-sync/end-to-end';
import { reserveDatabase, type RedisDatabase } from '@stock-sync/servers';
import { signatureOf } from '@stock-sync/fakes';
import fc from 'fast-check';
import { Webhook } from 'standardwebhooks';

const OLD_SECRET = 'whsec_b2xkLXNlY3JldC1vZi0yNC1ieXRlcy1vay4uLi4=';

let database: RedisDatabase;
let ingest: ServiceProcess;
beforeAll(async () => {
  database = await reserveDatabase(process.env.TEST_REDIS_URL ?? '');
  ingest = await startService('ingest', {
    REDIS_URL: database.url,
    WEBHOOK_SECRET: `${TEST_SECRET},${OLD_SECRET}`,
    SYNC_DELAY_MS: '60000',
  });
});
afterAll(async () => {
  await ingest.stop();
  await database.release();
});
beforeEach(async () => {
  const keys = await database.redis.keys('{stock-sync}:queue:*');
  if (keys.length > 0) await database.redis.del(...keys);
});

interface Sent {
  status: number;
  body: Record<string, unknown>;
  headers: Headers;
}

/** Posts a body; `headers` override those of a valid webhook. */
async function post(
  body: string,
  headers: Record<string, string | undefined> = {},
  secret = TEST_SECRET,
): Promise<Sent> {
  const id = headers['webhook-id'] ?? `msg_${randomUUID()}`;
  const timestamp = headers['webhook-timestamp'] ?? String(Math.floor(Date.now() / 1000));
  const all: Record<string, string | undefined> = {
    'content-type': 'application/json',
    'webhook-id': id,
    'webhook-timestamp': timestamp,
    'webhook-signature': signatureOf(secret, id, timestamp, body),
    ...headers,
  };
  const sent = Object.entries(all).filter((entry): entry is [string, string] => entry[1] !== undefined);
  const response = await fetch(`${ingest.url}/webhooks/inventree`, { method: 'POST', headers: sent, body });
  return {
    status: response.status,
    body: (await response.json()) as Record<string, unknown>,
    headers: response.headers,
  };
}

const send = (content: unknown) => post(JSON.stringify(content));
const jobIds = () => database.redis.zrange(queueKey('parts', 'delayed'), '0', '-1');
const lookupIds = () => database.redis.lrange(queueKey('lookups', 'wait'), 0, -1);
const jobs = async () => {
  const keys = [
    ...(await jobIds()).map(id => queueKey('parts', id)),
    ...(await lookupIds()).map(id => queueKey('lookups', id)),
  ];
  const data = await Promise.all(keys.map(key => database.redis.hget(key, 'data')));
  return data.map(text => JSON.parse(text ?? '{}') as Record<string, unknown>);
};

describe('events', () => {
  it('one event with its part leads to a job for the part', async () => {
    const sent = await send({
      event: 'stock_stockitem.saved',
      model: 'StockItem',
      id: 789,
      part: 45,
      colour: 'ignored',
    });
    expect([sent.status, sent.body]).toEqual([202, { accepted: 1, ignored: 0 }]);
    expect(await jobs()).toMatchObject([{ kind: 'part', part: 45, event: 'stock_stockitem.saved' }]);
  });

  it('a batch leads to one job per part; unknown events are counted, not refused', async () => {
    const events = [
      { event: 'stock_stockitem.deleted', parts: [45, 46] },
      { event: 'stock_stockitem.saved', part: 45 },
      { event: 'label.printed', id: 'x' },
      { event: 'stockitem.counted', id: null, quantity: 50 },
    ];
    const sent = await send({ events });
    expect([sent.status, sent.body]).toEqual([202, { accepted: 2, ignored: 2 }]);
    expect((await jobs()).map(job => job.part).sort()).toEqual([45, 46]);
  });

  it.each<[Record<string, unknown>, Record<string, unknown>[]]>([
    [{ event: 'stock_stockitem.created', model: 'StockItem', id: 7 }, [{ stockItem: 7, change: 'created' }]],
    [{ event: 'stock_stockitem.deleted', model: 'StockItem', id: 7 }, [{ stockItem: 7, change: 'deleted' }]],
    [{ event: 'stockitem.created_items', ids: [7, 8] }, [{ stockItem: 7 }, { stockItem: 8 }]],
    [{ event: 'stockitem.split', id: 8, parent: 7 }, [{ stockItem: 8 }, { stockItem: 7 }]],
    [{ event: 'stockitem.installed', id: 8, assembly_id: 7 }, [{ stockItem: 8 }, { stockItem: 7 }]],
    [{ event: 'purchaseorderitem.received', order_id: 3, item_ids: [7] }, [{ stockItem: 7 }]],
    [{ event: 'purchaseorderitem.received', order_id: 3, item_id: 7, line_id: 2 }, [{ stockItem: 7 }]],
    [{ event: 'buildoutput.completed', id: 7, build_id: 3 }, [{ stockItem: 7 }]],
    [{ event: 'part_part.saved', model: 'Part', id: 45 }, [{ kind: 'part', part: 45 }]],
    [{ event: 'stock_stockitemtracking.created', model: 'StockItemTracking', id: 7 }, []],
    [{ event: 'order_salesorderallocation.created', id: 7 }, []],
    [{ event: 'stock_stocklocation.deleted', id: 7 }, []],
    [{ event: 'build.completed', id: 7 }, []],
    [{ event: 'salesordershipment.completed', id: 7, parts: [45] }, [{ kind: 'part', part: 45 }]],
  ])('%j: its ids are of stock items, parts, or neither', async (event, expected) => {
    const sent = await send(event);
    expect([sent.status, sent.body]).toEqual([
      202,
      { accepted: expected.length > 0 ? 1 : 0, ignored: expected.length > 0 ? 0 : 1 },
    ]);
    const found = await jobs();
    expect(found).toHaveLength(expected.length);
    for (const job of expected) expect(found).toContainEqual(expect.objectContaining(job));
  });

  it('that any part may have changed leads to one sweep, and not to a comparison of both systems', async () => {
    await send({ events: [{ event: 'stock_sync.everything_changed' }, { event: 'stock_sync.everything_changed' }] });
    expect(await jobs()).toMatchObject([{ kind: 'sweep', everything: true }]);
  });

  it('a heartbeat of our plugin leads to no job, and appears in status and metrics', async () => {
    expect(await (await fetch(`${ingest.operatorUrl}/status`)).json()).toEqual({
      bridge: { state: 'no heartbeat yet' },
      problems: [],
    });
    const beat = { event: 'stock_sync.heartbeat', plugin: '0.1.0', inventree: '1.4.0', queue: true };
    const sent = await send({ events: [beat], counters: { sent_at_once: 3 } });
    expect([sent.status, sent.body]).toEqual([202, { accepted: 1, ignored: 0 }]);
    expect(await jobs()).toEqual([]);
    const status = (await (await fetch(`${ingest.operatorUrl}/status`)).json()) as { bridge: object };
    expect(status.bridge).toMatchObject({ state: 'alive', plugin: '0.1.0', inventree: '1.4.0', inventreeQueue: true });
    const metrics = await (await fetch(`${ingest.operatorUrl}/metrics`)).text();
    expect(metrics).toContain('stock_sync_plugin_total{counter="sent_at_once"} 3');
  });

  it('another InvenTree than the first one is refused, and named', async () => {
    const from = (id: string) => ({
      instance: { id, url: `http://${id}.test` },
      events: [{ event: 'stock_stockitem.saved', part: 45 }],
    });
    expect((await send(from('shop'))).status).toBe(202);
    const copy = await send(from('copy'));
    expect(copy.status).toBe(409);
    expect(copy.body).toMatchObject({ field: 'instance' });
    expect(JSON.stringify(copy.body)).toContain(
      'expected the InvenTree http://shop.test (shop), got http://copy.test (copy). A copy needs an ingest and a Redis ' +
        'of its own. If InvenTree moved, set INVENTREE_INSTANCE=copy for ingest',
    );
    expect(await jobs()).toHaveLength(1);
    expect((await send(from('shop'))).status).toBe(202);
    expect((await send({ event: 'stock_stockitem.saved', part: 45 })).status).toBe(202);

    const moved = await startService('ingest', {
      REDIS_URL: database.url,
      WEBHOOK_SECRET: TEST_SECRET,
      INVENTREE_INSTANCE: 'copy',
    });
    const url = ingest.url;
    ingest.url = moved.url;
    try {
      expect((await send(from('copy'))).status).toBe(202);
      expect((await send(from('shop'))).status).toBe(409);
    } finally {
      ingest.url = url;
      await moved.stop();
    }
  });

  it('an item that belonged to another part before leads to jobs for both parts', async () => {
    await send({ event: 'stock_stockitem.saved', id: 4712, part: 45 });
    await send({ event: 'stock_stockitem.saved', id: 4712, part: 46 });
    expect((await jobs()).map(job => job.part).sort()).toEqual([45, 46]);
  });

  it('a repeated webhook is answered 202 again, without a new job', async () => {
    const body = JSON.stringify({ event: 'stock_stockitem.saved', part: 45 });
    const first = await post(body, { 'webhook-id': 'msg_twice' });
    await database.redis.del(...(await database.redis.keys('{stock-sync}:queue:*')));
    const second = await post(body, { 'webhook-id': 'msg_twice' });
    expect([first.status, second.status, second.body]).toEqual([
      202,
      202,
      { accepted: 1, ignored: 0, duplicate: true },
    ]);
    expect(await jobs()).toEqual([]);
  });

  it('1,000 events over 50 parts in one webhook lead to two jobs, which name each part once', async () => {
    const events = Array.from({ length: 1_000 }, (_, n) => ({ event: 'stock_stockitem.saved', part: 1 + (n % 50) }));
    const sent = await send({ events });
    expect(sent.body).toEqual({ accepted: 1_000, ignored: 0 });
    const parts = (await jobs()).map(job => (job.parts as { part: number }[]).map(({ part }) => part));
    expect(parts.map(({ length }) => length)).toEqual([25, 25]);
    expect(new Set(parts.flat()).size).toBe(50);
  });
});

describe('signatures', () => {
  const body = JSON.stringify({ event: 'stock_stockitem.saved', part: 45 });
  const seconds = (fromNow: number) => String(Math.floor(Date.now() / 1000) + fromNow);

  it('of either secret are valid while secrets are rotated, also one of several', async () => {
    expect((await post(body, {}, OLD_SECRET)).status).toBe(202);
    const [id, timestamp] = [`msg_${randomUUID()}`, seconds(0)];
    const signatures = `v1a,xxx v1,AAAA ${signatureOf(TEST_SECRET, id, timestamp, body)}`;
    expect(
      (await post(body, { 'webhook-id': id, 'webhook-timestamp': timestamp, 'webhook-signature': signatures })).status,
    ).toBe(202);
  });

  it('of the Standard Webhooks package are valid', async () => {
    const [id, now] = [`msg_${randomUUID()}`, new Date()];
    const signature = new Webhook(TEST_SECRET).sign(id, now, body);
    expect(
      (
        await post(body, {
          'webhook-id': id,
          'webhook-signature': signature,
          'webhook-timestamp': String(Math.floor(now.getTime() / 1000)),
        })
      ).status,
    ).toBe(202);
  });

  it.each<[string, Record<string, string | undefined>, string]>([
    ['no signature', { 'webhook-signature': undefined }, 'webhook-signature'],
    ['a wrong signature', { 'webhook-signature': `v1,${Buffer.alloc(32).toString('base64')}` }, 'webhook-signature'],
    ['a signature of another version', { 'webhook-signature': 'v2,AAAA' }, 'webhook-signature'],
    ['no id', { 'webhook-id': undefined }, 'webhook-id'],
    ['a huge id', { 'webhook-id': 'x'.repeat(300) }, 'webhook-id'],
    ['no timestamp', { 'webhook-timestamp': undefined }, 'webhook-timestamp'],
    ['a timestamp that is none', { 'webhook-timestamp': 'yesterday' }, 'webhook-timestamp'],
    ['an old timestamp', { 'webhook-timestamp': seconds(-301) }, 'webhook-timestamp'],
    ['a timestamp of the future', { 'webhook-timestamp': seconds(360) }, 'webhook-timestamp'],
  ])('%s is answered 401, which names the header', async (_, headers, field) => {
    const sent = await post(body, headers);
    expect([sent.status, sent.body.field]).toEqual([401, field]);
    expect(await jobs()).toEqual([]);
  });

  it('of another body are invalid', async () => {
    const [id, timestamp] = [`msg_${randomUUID()}`, seconds(0)];
    const signature = signatureOf(TEST_SECRET, id, timestamp, body);
    const changed = body.replace('45', '46');
    expect(
      (await post(changed, { 'webhook-id': id, 'webhook-timestamp': timestamp, 'webhook-signature': signature }))
        .status,
    ).toBe(401);
  });
});

describe('bad input is answered 4xx with the field and what was expected, and nothing is enqueued', () => {
  it.each<[string, string, string]>([
    ['not JSON', '{"event":', 'body'],
    ['a list', '[]', 'body'],
    ['a text', '"event"', 'body'],
    ['nothing', '', 'body'],
    ['no event', '{}', 'event'],
    ['an event that is a number', '{"event":5}', 'event'],
    ['an empty event', '{"event":""}', 'event'],
    ['events that are not a list', '{"events":{}}', 'events'],
    ['no events', '{"events":[]}', 'events'],
    ['1,001 events', JSON.stringify({ events: Array(1_001).fill({ event: 'x' }) }), 'events'],
    [
      'an event that is none among good ones',
      '{"events":[{"event":"stock_stockitem.saved","part":45},7]}',
      'events[1]',
    ],
    ['a part that is a text', '{"event":"stock_stockitem.saved","part":"45"}', 'part'],
    [
      'a part that is no whole number',
      '{"events":[{"event":"stock_stockitem.saved","part":45},{"event":"stock_stockitem.saved","part":1.5}]}',
      'events[1].part',
    ],
    ['a negative part', '{"event":"stock_stockitem.saved","parts":[45,-1]}', 'parts[1]'],
    ['an id that is an object', '{"event":"stock_stockitem.saved","id":{}}', 'id'],
    ['an event that names nothing', '{"event":"stock_stockitem.saved","model":"StockItem"}', 'id'],
    ['ids with a text', '{"event":"stockitem.created_items","ids":[1,"2"]}', 'ids[1]'],
    ['a heartbeat without its version', '{"event":"stock_sync.heartbeat","inventree":"1","queue":true}', 'plugin'],
    ['a heartbeat that is odd', '{"events":[{"event":"stock_sync.heartbeat","plugin":1}]}', 'events[0].plugin'],
    ['counters that are no numbers', '{"events":[{"event":"x"}],"counters":{"sent":"many"}}', 'counters.sent'],
    ['a negative counter', '{"events":[{"event":"x"}],"counters":{"sent":-1}}', 'counters.sent'],
    ['counters that are none', '{"events":[{"event":"x"}],"counters":[1]}', 'counters'],
    ['a counter without a good name', '{"events":[{"event":"x"}],"counters":{"A-B":1}}', 'counters.A-B'],
  ])('%s', async (_, body, field) => {
    const sent = await post(body);
    expect([sent.status, sent.body.field]).toEqual([400, field]);
    expect(sent.body.error).toMatch(/: expected ./);
    expect(await jobs()).toEqual([]);
  });

  it('413 for a body that is too large', async () => {
    const sent = await post(
      JSON.stringify({ event: 'stock_stockitem.saved', part: 45, filler: 'x'.repeat(1024 * 1024) }),
    );
    expect([sent.status, sent.body.field]).toEqual([413, 'body']);
  });

  it('413 for a body that is too large once it is unpacked', async () => {
    const packed = gzipSync(Buffer.alloc(5 * 1024 * 1024, ' '));
    const status = await new Promise(resolve => {
      const url = `${ingest.url}/webhooks/inventree`;
      const headers = { 'content-type': 'application/json', 'content-encoding': 'gzip' };
      httpRequest(url, { method: 'POST', headers }, response => resolve(response.statusCode)).end(packed);
    });
    expect(status).toBe(413);
  });

  it('415 for another content type or encoding', async () => {
    const body = JSON.stringify({ event: 'stock_stockitem.saved', part: 45 });
    expect((await post(body, { 'content-type': 'text/plain' })).status).toBe(415);
    expect((await post(body, { 'content-encoding': 'rot13' })).status).toBe(415);
  });

  it('405 for another method, 404 for another path, without a stack trace or a framework header', async () => {
    const get = await fetch(`${ingest.url}/webhooks/inventree`);
    expect([get.status, get.headers.get('allow')]).toEqual([405, 'POST']);
    const missing = await fetch(`${ingest.url}/nothing`);
    expect(missing.status).toBe(404);
    expect(await missing.text()).not.toMatch(/at .*:\d+/);
    expect(missing.headers.get('x-powered-by')).toBeNull();
    expect(missing.headers.get('x-content-type-options')).toBe('nosniff');
  });

  it('any signed JSON is answered 202, or 400 with a field and without a job', async () => {
    const event = fc.record(
      {
        event: fc.oneof(
          fc.constantFrom(
            'stock_stockitem.saved',
            'stockitem.created_items',
            'part_part.saved',
            '__proto__',
            'toString',
          ),
          fc.string(),
          fc.jsonValue(),
        ),
        part: fc.oneof(fc.integer(), fc.jsonValue()),
        parts: fc.oneof(fc.array(fc.integer({ min: 1 })), fc.jsonValue()),
        id: fc.oneof(fc.integer(), fc.jsonValue()),
        ids: fc.jsonValue(),
      },
      { requiredKeys: [] },
    );
    const content = fc.oneof(event, fc.record({ events: fc.oneof(fc.array(event), fc.jsonValue()) }), fc.jsonValue());
    await fc.assert(
      fc.asyncProperty(content, async value => {
        const before = (await jobs()).length;
        const sent = await send(value);
        expect([202, 400]).toContain(sent.status);
        if (sent.status === 400) {
          expect(typeof sent.body.field).toBe('string');
          expect((await jobs()).length).toBe(before);
        }
      }),
      { numRuns: 300 },
    );
  });

  it('no bytes and headers are ever answered 5xx', async () => {
    const header = fc.oneof(
      fc.constant(undefined),
      fc.string({ maxLength: 40 }).map(text => text.replace(/[^\x20-\x7e]/g, '')),
    );
    const names = ['webhook-id', 'webhook-timestamp', 'webhook-signature'];
    const headers = fc.record({
      ...Object.fromEntries(names.map(name => [name, header])),
      'content-type': fc.oneof(fc.constant('application/json'), header),
    });
    await fc.assert(
      fc.asyncProperty(fc.string({ maxLength: 200 }), headers, async (body, given) => {
        const sent = await post(body, given);
        expect(sent.status).toBeGreaterThanOrEqual(400);
        expect(sent.status).toBeLessThan(500);
      }),
      { numRuns: 200 },
    );
  });
});

describe('operators', () => {
  it.each(['/status', '/metrics', '/healthz', '/readyz'])('find no %s on the webhook port', async path => {
    expect((await fetch(ingest.url + path)).status).toBe(404);
  });

  it('can read health, readiness and metrics', async () => {
    expect((await fetch(`${ingest.operatorUrl}/healthz`)).status).toBe(200);
    expect((await fetch(`${ingest.operatorUrl}/readyz`)).status).toBe(200);
    const metrics = await (await fetch(`${ingest.operatorUrl}/metrics`)).text();
    expect(metrics).toMatch(/stock_sync_events_total\{result="accepted"\} \d+/);
    expect(metrics).toMatch(/stock_sync_events_total\{result="unknown event"\} \d+/);
    expect(metrics).toMatch(/stock_sync_webhooks_total\{answer="401"\} \d+/);
  });

  it('never see a secret or a signature in the log', () => {
    const log = JSON.stringify(ingest.log);
    expect(log.includes(TEST_SECRET.slice(6))).toBe(false);
    expect(/v1,[A-Za-z0-9+/]{10}/.test(log)).toBe(false);
  });

  it('can limit the requests of a client', async () => {
    const limited = await startService('ingest', {
      REDIS_URL: database.url,
      WEBHOOK_SECRET: TEST_SECRET,
      INGEST_RATE_LIMIT: '3',
    });
    const statuses = [];
    for (let n = 0; n < 5; n++)
      statuses.push((await fetch(`${limited.url}/webhooks/inventree`, { method: 'POST', body: '{}' })).status);
    expect(statuses).toEqual([415, 415, 415, 429, 429]);
    await limited.stop();
  });

  it('stop it with SIGTERM, and it exits with 0', async () => {
    const other = await startService('ingest', { REDIS_URL: database.url, WEBHOOK_SECRET: TEST_SECRET });
    expect(await other.stop()).toBe(0);
  });
});
