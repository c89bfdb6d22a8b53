import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { openPluginHeartbeat } from '@stock-sync/state';
import { SMTPServer } from 'smtp-server';
import { runStockSync, startSystem, type System } from '../src';
import { isWrite, jsonError, messages, redisServer, until, widget, withConnection } from './support';

/** Notifications, through a real SMTP server and a real HTTP server. */

interface Posted {
  text: string;
  state: string;
  message: string;
}

let system: System | undefined;
let hook: Server;
let mailServer: SMTPServer;
let posted: Posted[];
let mails: string[];
let isHookDown: boolean;

beforeEach(async () => {
  [posted, mails, isHookDown] = [[], [], false];
  hook = createServer((request, response) => {
    void text(request).then(body => {
      if (!isHookDown) posted.push(JSON.parse(body) as Posted);
      response.writeHead(isHookDown ? 500 : 200).end();
    });
  });
  await new Promise<void>(resolve => hook.listen(0, '127.0.0.1', resolve));
  mailServer = new SMTPServer({
    authOptional: true,
    disabledCommands: ['STARTTLS'],
    onData(stream, _session, done) {
      void text(stream).then(mail => {
        mails.push(mail);
        done();
      });
    },
  });
  await new Promise<void>(resolve => mailServer.listen(0, '127.0.0.1', resolve));
});
afterEach(async () => {
  await system?.stop();
  system = undefined;
  hook.close();
  await new Promise<void>(resolve => mailServer.close(resolve));
});

const portOf = (server: { address(): unknown }) => (server.address() as AddressInfo).port;

async function start(environment: Record<string, string> = {}): Promise<System> {
  system = await startSystem({
    redisServer: redisServer(),
    sends: 'none',
    environment: {
      SYNC_DELAY_MS: '10',
      MAX_ATTEMPTS: '1',
      NOTIFY_AFTER_MINUTES: '0',
      NOTIFY_WEBHOOK_URL: `http://127.0.0.1:${portOf(hook)}/hook`,
      NOTIFY_EMAIL_TO: 'anna@shop.example',
      SMTP_URL: `smtp://127.0.0.1:${portOf(mailServer.server)}`,
      DASHBOARD_URL: 'https://stock.shop.example',
      ...environment,
    },
  });
  return system;
}

const texts = () => posted.map(one => one.text);

it('tells once of an outage, and once that it is over, by e-mail and webhook', async () => {
  const running = await start();
  const item = widget(running);
  running.magento.setMaintenance(true);
  await running.send({ event: 'stockitem.counted', part: item.part });
  await until('the webhook has it', () => posted.length > 0, 20_000);
  // Nothing more while it lasts.
  await new Promise(resolve => setTimeout(resolve, 6_000));
  running.magento.setMaintenance(false);
  await until('the webhook has its end', () => posted.length > 1, 20_000);
  expect(texts()).toEqual([
    expect.stringMatching(
      /^\[stock-sync\] Problem: Magento cannot be reached for \d+ s: .*503.* https:\/\/stock\.shop\.example$/,
    ),
    expect.stringMatching(/^\[stock-sync\] Resolved: Magento cannot be reached/),
  ]);
  await until('both e-mails are there', () => mails.length === 2);
  expect(mails[0]).toContain('Subject: [stock-sync] Problem: Magento cannot be reached');
  expect(mails[0]).toContain('To: anna@shop.example');
  expect(mails[1]).toContain('Subject: [stock-sync] Resolved: Magento cannot be reached');
});

it('tells of dead letters, a silent plugin and an expiring token, and tries a broken channel again', async () => {
  isHookDown = true;
  const soon = new Date(Date.now() + 5 * 24 * 3600 * 1000).toISOString().slice(0, 10);
  const running = await start({ INVENTREE_TOKEN_EXPIRES: soon });
  const bad = widget(running, 'BAD');
  running.magento.setFault(call => (isWrite(call) ? jsonError(400, 'no') : undefined));
  await running.send({ event: 'stockitem.counted', part: bad.part });
  await withConnection(running, connection => {
    const old = { ...connection, now: () => Date.now() - 3_600_000 };
    return openPluginHeartbeat(old).received({ plugin: '0.1.0', inventree: '1.4.0', queue: true });
  });

  await until('all e-mails are there', () => mails.length === 3, 20_000);
  const subjects = mails
    .map(mail => /^Subject: (.*(?:\r\n .*)*)/m.exec(mail)?.[1]?.replaceAll('\r\n', '') ?? '')
    .sort();
  expect(subjects).toEqual([
    expect.stringContaining('Problem: 1 part cannot be synced: stock-sync dead-letters list'),
    expect.stringMatching(/Problem: The InvenTree plugin is silent for 60 min: check InvenTree's/),
    expect.stringMatching(/Problem: The InvenTree token expires in \d+ (h|days)/),
  ]);
  expect(messages(running).filter(line => line.includes('A notification by webhook was not accepted'))).toHaveLength(1);
  isHookDown = false;
  await until('the webhook has them, too', () => posted.length === 3, 20_000);
  expect(mails).toHaveLength(3);
});

describe('stock-sync test-notification', () => {
  const run = ({ REDIS_URL = '' }: Record<string, string>) => runStockSync({ REDIS_URL }, ['test-notification']);

  it('sends through every channel, and says which of them failed', async () => {
    const running = await start();
    expect(await run(running.environment)).toEqual({
      code: 0,
      out: 'By webhook: accepted.\nBy e-mail: accepted.\n',
    });
    expect(texts()).toEqual(['[stock-sync] Test: This is a test. https://stock.shop.example']);
    isHookDown = true;
    expect(await run(running.environment)).toEqual({
      code: 1,
      out: expect.stringMatching(/^By webhook: 127.0.0.1:\d+ answered 500.\nBy e-mail: accepted.\n$/) as string,
    });
  });

  it('says what to set where there is no channel', async () => {
    const running = await start({ NOTIFY_WEBHOOK_URL: '', NOTIFY_EMAIL_TO: '' });
    expect((await run(running.environment)).out).toContain('No channel is set: NOTIFY_WEBHOOK_URL');
  });
});
