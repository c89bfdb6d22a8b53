import { spawn, type ChildProcess } from 'node:child_process';
import { join } from 'node:path';
import { connect, createServer, type AddressInfo, type Server } from 'node:net';
import { createInterface } from 'node:readline';
import { chromium, type Browser } from 'playwright-core';
import { reserveDatabase, type RedisDatabase } from '@stock-sync/servers';
import { startService, type ServiceProcess } from '../src';
import { redisServer } from './support';

/** The login with a real OpenID Connect provider. */

const TLS = join(__dirname, '../../../http-client/test/tls');

let provider: ChildProcess;
let proxy: Server;
let url: string;
let database: RedisDatabase;
let dashboard: ServiceProcess;
let browser: Browser;
let issuer: string;

beforeAll(async () => {
  database = await reserveDatabase(redisServer());
  // The provider knows the dashboard by an address that is fixed before the dashboard has its port.
  proxy = createServer(socket => {
    const upstream = connect(Number(new URL(dashboard.url).port), '127.0.0.1');
    socket.pipe(upstream).pipe(socket);
    for (const end of [socket, upstream]) end.on('error', () => undefined);
  });
  await new Promise<void>(resolve => proxy.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`;
  const script = join(__dirname, 'openid-provider.mjs');
  const files = [join(TLS, 'key.pem'), join(TLS, 'certificate.pem')];
  provider = spawn(process.execPath, [script, ...files, `${url}/login/openid/callback`]);
  issuer = await new Promise<string>((resolve, reject) => {
    if (provider.stdout) createInterface(provider.stdout).once('line', resolve);
    provider.once('exit', () => reject(new Error('the provider ended')));
  });
  dashboard = await startService('dashboard', {
    REDIS_URL: database.url,
    DASHBOARD_URL: url,
    DASHBOARD_OIDC_ISSUER: issuer,
    DASHBOARD_OIDC_CLIENT_ID: 'dashboard',
    DASHBOARD_OIDC_CLIENT_SECRET: 'a-client-secret',
    DASHBOARD_OIDC_OPERATORS: 'anna@shop.example',
    DASHBOARD_OIDC_VIEWERS: 'vera@shop.example',
    NODE_EXTRA_CA_CERTS: join(TLS, 'certificate.pem'),
  });
  browser = await chromium.launch({
    executablePath: process.env.CHROMIUM_PATH ?? '/usr/bin/chromium',
    args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--disable-background-networking'],
  });
});
afterAll(async () => {
  await browser.close();
  await dashboard.stop();
  provider.kill();
  proxy.close();
  await database.release();
});

async function logIn(name: string) {
  const context = await browser.newContext({ ignoreHTTPSErrors: true });
  const page = await context.newPage();
  page.setDefaultTimeout(10_000);
  await page.goto(`${url}/history`);
  await page.getByRole('link', { name: 'Log in with your organisation' }).click();
  await page.getByPlaceholder('Enter any login').fill(name);
  await page.getByPlaceholder('and password').fill('any');
  await page.getByRole('button', { name: 'Sign-in' }).click();
  await page.getByRole('button', { name: 'Continue' }).click();
  return page;
}

it.each([
  ['anna', 'anna@shop.example, operator'],
  ['vera', 'vera@shop.example, viewer'],
])('logs %s in with the role that the settings give', async (name, shown) => {
  const page = await logIn(name);
  await page.getByRole('heading', { name: 'History' }).waitFor();
  await page.getByText(shown).waitFor();
});

it('lets nobody in whom the settings do not name', async () => {
  const page = await logIn('mallory');
  await page.getByText('You may not see this dashboard. Ask an operator.').waitFor();
});

it('refuses a return that no login began', async () => {
  const answer = await fetch(`${url}/login/openid/callback?code=made-up&state=made-up`);
  expect(answer.status).toBe(502);
  expect(await answer.text()).toContain('The login failed.');
});
