import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseEnv } from 'node:util';
import { postWebhook, startInvenTree, startMagento, type FakeInvenTree, type FakeMagento } from '@stock-sync/fakes';
import { reserveDatabase } from '@stock-sync/servers';
import { startService, type ServiceProcess } from './service-process';
import { runStockSync } from './stock-sync';

/**
 * docs/first-ten-minutes.md, before it is formatted: a new shop is set up by the commands of the README, and the page
 * has what they printed. Addresses, times and ids are replaced by those of an example.
 */
export async function firstTenMinutes(redisServer: string): Promise<string> {
  const database = await reserveDatabase(redisServer);
  const inventree = await startInvenTree({ plugin: true });
  const magento = await startMagento();
  const folder = mkdtempSync(join(tmpdir(), 'stock-sync-first-ten-minutes-'));
  const services: ServiceProcess[] = [];
  const { shop } = inventree;
  const shelf = shop.addLocation('Shelf');
  for (const [name, quantity, sold] of [
    ['WIDGET-123', 80, 50],
    ['GADGET-7', 12, 12],
  ] as const) {
    shop.insertItem({ part: shop.addPart({ name }).pk, quantity, location: shelf.pk });
    magento.store.addProduct(name, { quantity: sold });
  }
  shop.insertItem({ part: shop.addPart({ name: 'Spare screw' }).pk, quantity: 500, location: shelf.pk });

  const example = exampleOf({ inventree, magento, redis: database.url, folder });
  const file = join(folder, '.env');
  const answers = answersFor(inventree, magento, database.url);

  try {
    const init = await runStockSync(
      {},
      ['init', '--file', file],
      answers.map(({ answer }) => answer),
    );
    const dialogue = withAnswers(inOrder(init.out), answers);
    const settings = () => parseEnv(readFileSync(file, 'utf8')) as Record<string, string>;
    const start = async (app: 'ingest' | 'worker', more: Record<string, string> = {}) => {
      // Without sweeps, which may find the same as the reconcile, before it or after it.
      const service = await startService(app, { ...settings(), SWEEP_INTERVAL_SECONDS: '0', ...more });
      services.push(service);
      return service;
    };
    const run = async (...args: string[]) => (await runStockSync(settings(), args)).out;
    const count = async (ingest: ServiceProcess, part: number, quantity: number) => {
      for (const item of shop.items.values()) if (item.part === part) item.quantity = quantity;
      const body = JSON.stringify({ event: 'stockitem.counted', part });
      await postWebhook({ url: ingest.url, secret: settings().WEBHOOK_SECRET ?? '' }, body, `msg_${quantity}`);
    };

    const ingest = await start('ingest');
    const dryWorker = await start('worker');
    await logged(dryWorker, 'Reconcile (start-up)');
    await logged(dryWorker, 'from 50 to 80');
    const started = linesOf(dryWorker);
    const heartbeat = { event: 'stock_sync.heartbeat', plugin: '0.1.0', inventree: '1.4.0', queue: true };
    const secret = settings().WEBHOOK_SECRET ?? '';
    await postWebhook({ url: ingest.url, secret }, JSON.stringify(heartbeat), 'msg_heartbeat');
    const doctor = await run('doctor');
    const preview = await run('reconcile', '--dry-run');
    await count(ingest, 1, 75);
    await logged(dryWorker, 'from 50 to 75');
    const dryRun = linesOf(dryWorker).slice(started.length);
    await dryWorker.stop();

    const worker = await start('worker', { ENABLE_SYNC: 'true' });
    await logged(worker, 'updated from 50 to 75');
    await count(ingest, 2, 11);
    await logged(worker, 'updated from 12 to 11');
    const live = linesOf(worker);
    await sleep(500);
    const status = await run('status');
    const explain = await run('explain', 'WIDGET-123');
    const history = await run('history');

    return example(page({ dialogue, started, doctor, preview, dryRun, live, status, explain, history }));
  } finally {
    await Promise.all(services.map(service => service.stop()));
    await Promise.all([inventree.close(), magento.close()]);
    await database.release();
    rmSync(folder, { recursive: true });
  }
}

interface Seen {
  dialogue: string;
  started: string[];
  doctor: string;
  preview: string;
  dryRun: string[];
  live: string[];
  status: string;
  explain: string;
  history: string;
}

function page(seen: Seen): string {
  const block = (text: string | string[]) => `\`\`\`\n${[text].flat().join('\n').trim()}\n\`\`\``;
  return `# The first ten minutes

What you type, and what you see. \`npm run docs\` makes this page: it runs these commands against fakes of both
systems that behave as recorded real ones, and a test compares. In the example shop, WIDGET-123 has 80 on the shelf
and 50 in the store, GADGET-7 has 12 in both, and spare screws are not sold online.

Before: an integration in Magento and a token in InvenTree ([README](../README.md#connect-your-own-systems), steps 1
and 2), and a Redis.

## Minute 0: the settings

\`\`\`
npm run cli -- init
\`\`\`

What is typed for a secret is not shown. Each system is checked before the next is asked for.

${block(seen.dialogue)}

## Minute 3: start, with writing off

\`npm run start:ingest\` and \`npm run start:worker\`, each in a terminal, or
\`docker compose up --build --detach\`. The worker compares both systems at once:

${block(seen.started)}

## Minute 4: the plugin, and a check of everything

Install the plugin ([its README](../packages/inventree-plugin/README.md)), then

\`\`\`
npm run cli -- doctor
\`\`\`

${block(seen.doctor)}

## Minute 6: what would be written?

\`\`\`
npm run cli -- reconcile --dry-run
\`\`\`

${block(seen.preview)}

Somebody counts 75 widgets in InvenTree. The worker says what it would do:

${block(seen.dryRun)}

## Minute 8: go live

Set \`ENABLE_SYNC=true\` in \`.env\`, and start the worker again. It corrects what differs; then somebody takes a
gadget off the shelf:

${block(seen.live)}

## Minute 9: is the store right?

\`\`\`
npm run cli -- status
\`\`\`

${block(seen.status)}

\`\`\`
npm run cli -- explain WIDGET-123
\`\`\`

${block(seen.explain)}

\`\`\`
npm run cli -- history
\`\`\`

${block(seen.history)}

The same and more is on the dashboard: \`npm run start:dashboard\`, port 3001 ([dashboard.md](dashboard.md)).
`;
}

interface Answer {
  question: string;
  answer: string;
  shown: string;
}

/** What a new user answers to `stock-sync init`, and what the terminal shows of it. */
function answersFor(inventree: FakeInvenTree, magento: FakeMagento, redis: string): Answer[] {
  const typed = (question: string, answer: string) => ({ question, answer, shown: answer });
  const secret = (question: string, answer: string) => ({ question, answer, shown: '' });
  const { consumerKey, consumerSecret, accessToken, accessTokenSecret } = magento.integration;
  return [
    typed('Address [redis://localhost:6379]: ', redis),
    typed('Address (https://inventree.example): ', inventree.url),
    secret('Token (inv-...): ', inventree.tokens.viewer),
    typed('Address (https://shop.example): ', magento.url),
    secret('Consumer key: ', consumerKey),
    secret('Consumer secret: ', consumerSecret),
    secret('Access token: ', accessToken),
    secret('Access token secret: ', accessTokenSecret),
  ];
}

/** The questions, which go to standard error, before the result, which comes first in what a command printed. */
function inOrder(out: string): string {
  const at = out.indexOf('\nRedis, which');
  return `${out.slice(at)}\n${out.slice(0, at)}`;
}

/** The output of a dialogue, with what the user typed. */
function withAnswers(out: string, answers: readonly Answer[]): string {
  let at = 0;
  let text = out;
  for (const { question, shown } of answers) {
    at = text.indexOf(question, at) + question.length;
    text = `${text.slice(0, at)}${shown}\n${text.slice(at)}`;
  }
  return text;
}

const linesOf = ({ log }: ServiceProcess) => log.map(({ level, message }) => `${level.padEnd(5)} worker: ${message}`);

async function logged({ log }: ServiceProcess, text: string): Promise<void> {
  const end = Date.now() + 20_000;
  while (!log.some(({ message }) => message.includes(text))) {
    if (Date.now() > end) {
      throw new Error(`the worker did not log: ${text}\n${log.map(({ message }) => message).join('\n')}`);
    }
    await sleep(20);
  }
}

/** Replaces what differs from run to run by the values of an example. */
function exampleOf(real: { inventree: FakeInvenTree; magento: FakeMagento; redis: string; folder: string }) {
  return (text: string) =>
    text
      .replaceAll(real.redis, 'redis://localhost:6379')
      .replaceAll(real.inventree.url, 'https://inventree.example')
      .replaceAll(real.magento.url, 'https://shop.example')
      .replaceAll(`${real.folder}/`, '')
      .replace(/are on port \d+/g, 'are on port 3002')
      .replace(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z/g, '2026-11-26T09:08:00Z')
      .replace(/\b\d+ ms\b/g, '200 ms')
      .replace(/\b[\d.]+ s\b/g, '2 s');
}
