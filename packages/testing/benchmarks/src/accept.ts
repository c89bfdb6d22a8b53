import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { startService, TEST_SECRET } from '@stock-sync/end-to-end';
import { reserveDatabase } from '@stock-sync/servers';
import { signatureOf } from '@stock-sync/fakes';
import { sendAll } from './load';
import { median, type Report } from './report';

const CONNECTIONS = 64;
const ROUNDS = 5;
const PARTS = 200;

/**
 * Events per second that ingest accepts (verified, validated, stored in Redis), and requests per second of a bare
 * Express route that answers 202, in turn, in one run: with one event in a webhook, and with many.
 */
export async function benchAccept(redisUrl: string, report: Report): Promise<void> {
  const database = await reserveDatabase(redisUrl);
  const ingest = await startService('ingest', {
    REDIS_URL: database.url,
    WEBHOOK_SECRET: TEST_SECRET,
    INGEST_RATE_LIMIT: '0',
  });
  const bare = spawn(process.execPath, [join(__dirname, 'bare-express.js')], { stdio: ['ignore', 'pipe', 'inherit'] });
  const barePort = await new Promise<number>(resolve =>
    bare.stdout.once('data', (line: Buffer) => resolve(Number(line))),
  );
  const ingestPort = Number(new URL(ingest.url).port);

  for (const eventsEach of [1, 20, 200]) {
    const webhooks = eventsEach === 1 ? 6_000 : eventsEach === 20 ? 3_000 : 1_000;
    const rates: { bare: number; ingest: number }[] = [];
    for (let round = 0; round <= ROUNDS; round++) {
      const requests = Array.from({ length: webhooks }, (_, n) =>
        webhook(`${eventsEach}-${round}-${n}`, eventsEach, n),
      );
      const bareRun = await sendAll(barePort, requests, CONNECTIONS);
      const ingestRun = await sendAll(ingestPort, requests, CONNECTIONS);
      if (ingestRun.statuses.get('202') !== webhooks)
        throw new Error(`not all accepted: ${JSON.stringify([...ingestRun.statuses])}`);
      // The first round warms up both.
      if (round > 0)
        rates.push({ bare: webhooks / bareRun.seconds, ingest: (webhooks * eventsEach) / ingestRun.seconds });
    }
    const perWebhook = rates.map(rate => rate.ingest / eventsEach / rate.bare);
    const events = rates.map(rate => rate.ingest);
    if (eventsEach === 1) {
      const name = 'ingest, single events, against a bare Express route with express.json';
      report.add({ name, values: perWebhook, unit: 'x', goal: { atLeast: 0.8 } });
    } else {
      const goal = eventsEach === 20 && { goal: { atLeast: 15_000 } };
      report.add({ name: `ingest, ${eventsEach} events a webhook`, values: events, unit: 'events/s', ...goal });
    }
    const [bareRate, ingestRate] = [median(rates.map(rate => rate.bare)), median(rates.map(rate => rate.ingest))];
    report.say(
      `accept, ${String(eventsEach).padStart(3)} events per webhook: ` +
        `ingest ${format(ingestRate)} events/s, bare Express ${format(bareRate)} answers/s, ` +
        `ratio ${(ingestRate / bareRate).toFixed(2)} (per webhook ${(ingestRate / eventsEach / bareRate).toFixed(2)})`,
    );
  }
  bare.kill();
  await ingest.stop();
  await database.release();
}

function webhook(id: string, events: number, start: number): Buffer {
  const event = (n: number) => ({
    event: 'stock_stockitem.saved',
    model: 'StockItem',
    id: 1 + (n % PARTS),
    part: 1 + (n % PARTS),
  });
  const body = JSON.stringify(
    events === 1 ? event(start) : { events: Array.from({ length: events }, (_, n) => event(start * 7 + n)) },
  );
  const timestamp = String(Math.floor(Date.now() / 1000));
  return Buffer.from(
    [
      'POST /webhooks/inventree HTTP/1.1',
      'host: ingest',
      'content-type: application/json',
      `content-length: ${Buffer.byteLength(body)}`,
      `webhook-id: ${id}`,
      `webhook-timestamp: ${timestamp}`,
      `webhook-signature: ${signatureOf(TEST_SECRET, id, timestamp, body)}`,
      '',
      body,
    ].join('\r\n'),
  );
}

const format = (rate: number) => Math.round(rate).toLocaleString('en');
