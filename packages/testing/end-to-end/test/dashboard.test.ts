import { chromium, type Browser } from 'playwright-core';
import { queueKey, startService, startSystem, type ServiceProcess, type System } from '../src';
import { redisServer, until } from './support';

const LOGIN = { username: 'operator', password: 'a-long-password' };

let system: System;
let dashboard: ServiceProcess;
let browser: Browser;
beforeAll(async () => {
  system = await startSystem({
    redisServer: redisServer(),
    environment: { MAX_ATTEMPTS: '1', SYNC_DELAY_MS: '30' },
    sends: 'none',
  });
  dashboard = await startService('dashboard', {
    REDIS_URL: system.environment.REDIS_URL ?? '',
    DASHBOARD_USER: LOGIN.username,
    DASHBOARD_PASSWORD: LOGIN.password,
  });
  browser = await chromium.launch({
    executablePath: process.env.CHROMIUM_PATH ?? '/usr/bin/chromium',
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  });
});
afterAll(async () => {
  await browser.close();
  await dashboard.stop();
  await system.stop();
});

const deadLetterKeys = () => system.database.redis.keys(queueKey('dead-letters', 'part-*').replace(/[{}]/g, '?'));

describe('the dashboard', () => {
  it('requires the login, and refuses changes from other sites', async () => {
    const basic = (user: string, password: string) => `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;
    expect((await fetch(`${dashboard.url}/queues`)).status).toBe(401);
    expect(
      (await fetch(`${dashboard.url}/queues`, { headers: { authorization: basic('operator', 'wrong') } })).status,
    ).toBe(401);
    const authorization = basic(LOGIN.username, LOGIN.password);
    expect((await fetch(`${dashboard.url}/queues`, { headers: { authorization } })).status).toBe(200);
    const change = await fetch(`${dashboard.url}/queues/api/queues/parts/pause`, {
      method: 'PUT',
      headers: { authorization, 'sec-fetch-site': 'cross-site' },
    });
    expect(change.status).toBe(403);
    expect((await fetch(`${dashboard.url}/healthz`)).status).toBe(200);
  });

  it('shows the queues, and a dead letter with its reason', async () => {
    const { shop } = system.inventree;
    const twins = ['TWIN', 'twin'].map(name => shop.addPart({ name }));
    system.magento.store.addProduct('TWIN');
    await system.send({ event: 'stock_stockitem.saved', part: twins[0]?.pk });
    await system.quiet();

    const context = await browser.newContext({ httpCredentials: LOGIN, viewport: { width: 1300, height: 800 } });
    const page = await context.newPage();
    const problems: string[] = [];
    page.on('pageerror', error => problems.push(error.message));
    await page.goto(dashboard.url);
    await page.getByRole('link', { name: 'dead-letters', exact: true }).first().click();
    await page.getByText("both have SKU 'TWIN'").first().waitFor();
    if (process.env.SCREENSHOT_PATH) await page.screenshot({ path: process.env.SCREENSHOT_PATH });
    expect(problems).toEqual([]);
  });

  it('retries a dead letter, which is removed when its part is in sync', async () => {
    const { shop } = system.inventree;
    const [twin] = [...shop.parts.values()].filter(part => part.name === 'twin');
    if (!twin) throw new Error('no twin');
    twin.name = 'NOT A TWIN ANY MORE';
    const context = await browser.newContext({ httpCredentials: LOGIN, viewport: { width: 1300, height: 800 } });
    const page = await context.newPage();
    await page.goto(`${dashboard.url}/queues/queue/dead-letters?status=failed`);
    await page.getByText("both have SKU 'TWIN'").first().waitFor();
    await page.getByRole('button', { name: 'Retry all' }).click();
    await page.getByRole('button', { name: 'Confirm' }).click();
    await until('the dead letter is removed', async () => (await deadLetterKeys()).length === 0);
  });
});

it('does not start without a password', async () => {
  await expect(startService('dashboard', { REDIS_URL: system.environment.REDIS_URL ?? '' })).rejects.toThrow(
    'DASHBOARD_PASSWORD: is not set',
  );
});
