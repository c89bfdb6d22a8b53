import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { connectToRedis, openOrderLedger, openReconcileProgress, type OrderRecord } from '@stock-sync/state';
import { chromium, type Browser, type BrowserContext, type Page } from 'playwright-core';
import { startService, startSystem, type ServiceProcess, type System } from '../src';
import { deadLettersOf, isWrite, jsonError, redisServer, shown, until, widget } from './support';

/** The dashboard in a real browser, in front of a real system. */

const OPERATOR = { user: 'operator', password: 'a-long-password' };
const VIEWER = { user: 'vera', password: 'another-password' };
/** Made by `stock-sync password` from VIEWER.password. */
const VIEWER_HASH = 'scrypt$c2FsdHNhbHRzYWx0c2FsdA$YBAPL7Zd8hGofTqICJ-IAfmOCJDXMYigauZwZxbF62A';

let system: System;
let dashboard: ServiceProcess;
let browser: Browser;
const problems: string[] = [];

beforeAll(async () => {
  system = await startSystem({
    redisServer: redisServer(),
    environment: { MAX_ATTEMPTS: '1', SYNC_DELAY_MS: '30' },
    sends: 'none',
  });
  dashboard = await startService('dashboard', {
    REDIS_URL: system.environment.REDIS_URL ?? '',
    DASHBOARD_USER: OPERATOR.user,
    DASHBOARD_PASSWORD: OPERATOR.password,
    DASHBOARD_USERS: `${VIEWER.user}:viewer:${VIEWER_HASH}`,
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
afterEach(() => {
  // Errors of scripts, whatever the content security policy blocked, and requests to other hosts.
  expect(problems.splice(0)).toEqual([]);
});

const DESKTOP = { width: 1300, height: 850 };
const PHONE = { width: 390, height: 844 };

async function openPage(context: BrowserContext): Promise<Page> {
  const page = await context.newPage();
  page.setDefaultTimeout(10_000);
  page.on('pageerror', error => problems.push(error.message));
  page.on('console', message => {
    if (message.type() === 'error' && !/status of 4\d\d/.test(message.text())) problems.push(message.text());
  });
  page.on('request', request => {
    if (!request.url().startsWith(dashboard.url) && !request.url().startsWith('data:')) problems.push(request.url());
  });
  return page;
}

async function loggedIn(who: typeof OPERATOR, options: Parameters<Browser['newContext']>[0] = {}): Promise<Page> {
  const page = await openPage(await browser.newContext({ viewport: DESKTOP, ...options }));
  await page.goto(dashboard.url);
  await page.getByLabel('User').fill(who.user);
  await page.getByLabel('Password').fill(who.password);
  await page.getByRole('button', { name: 'Log in' }).click();
  await page.getByRole('heading', { level: 1 }).waitFor();
  return page;
}

/** A part in sync, one that is not sold online, one that the store refuses, and two with one SKU. */
let item: ReturnType<typeof widget>;
beforeAll(async () => {
  const { shop } = system.inventree;
  item = widget(system);
  const lonely = shop.addPart({ name: 'NOT-SOLD' });
  const bad = widget(system, 'BAD');
  const twins = ['TWIN', 'twin'].map(name => shop.addPart({ name }));
  system.magento.store.addProduct('TWIN');
  system.magento.setFault(call =>
    isWrite(call) && JSON.stringify(call.body).includes('BAD') ? jsonError(400, 'no') : undefined,
  );
  for (const part of [item.part, lonely.pk, bad.part, twins[0]?.pk]) {
    await system.send({ event: 'stockitem.counted', part });
  }
  await until('the store is right', () => shown(system) === 50);
  await until('there are two dead letters', async () => (await deadLettersOf(system)).length === 2);
  await system.quiet();
});

describe('the login', () => {
  it('is required by every page but health and metrics', async () => {
    for (const path of ['/', '/history', '/history.csv', '/queues', '/events', '/explanation?of=1']) {
      const answer = await fetch(`${dashboard.url}${path}`, { redirect: 'manual', headers: { accept: 'text/html' } });
      expect([answer.status, answer.headers.get('location')]).toEqual([302, '/login']);
    }
    expect((await fetch(`${dashboard.url}/queues/api/queues`)).status).toBe(401);
    for (const path of ['/healthz', '/metrics']) expect((await fetch(`${dashboard.url}${path}`)).status).toBe(200);
  });

  it('takes the right password only, and returns to the page that was asked for', async () => {
    const page = await openPage(await browser.newContext());
    await page.goto(`${dashboard.url}/dead-letters`);
    await page.getByLabel('User').fill(OPERATOR.user);
    await page.getByLabel('Password').fill('wrong');
    await page.getByRole('button', { name: 'Log in' }).click();
    await page.getByText('Wrong user or password.').waitFor();
    await page.getByLabel('User').fill(OPERATOR.user);
    await page.getByLabel('Password').fill(OPERATOR.password);
    await page.getByRole('button', { name: 'Log in' }).click();
    await page.getByRole('heading', { name: 'Dead letters' }).waitFor();
    await page.getByRole('button', { name: 'Log out' }).click();
    await page.getByRole('heading', { name: 'InvenTree Magento Sync' }).waitFor();
    await page.goto(`${dashboard.url}/history`);
    expect(page.url()).toBe(`${dashboard.url}/login`);
  });

  it('refuses forms of other sites and without a token, and sends secure headers', async () => {
    const page = await loggedIn(OPERATOR);
    const cookie = (await page.context().cookies()).map(({ name, value }) => `${name}=${value}`).join('; ');
    const post = (headers: Record<string, string>) =>
      fetch(`${dashboard.url}/actions/reconcile`, {
        method: 'POST',
        redirect: 'manual',
        headers: { cookie, 'content-type': 'application/x-www-form-urlencoded', ...headers },
      });
    expect((await post({})).status).toBe(403);
    expect((await post({ 'sec-fetch-site': 'cross-site' })).status).toBe(403);
    const pause = await fetch(`${dashboard.url}/queues/api/queues/parts/pause`, {
      method: 'PUT',
      headers: { cookie, 'sec-fetch-site': 'cross-site' },
    });
    expect(pause.status).toBe(403);
    const { headers } = await fetch(dashboard.url, { headers: { cookie } });
    expect(headers.get('content-security-policy')).toContain("default-src 'self'");
    expect(headers.get('content-security-policy')).not.toContain('unsafe');
    expect(headers.get('x-content-type-options')).toBe('nosniff');
    const [session] = await page.context().cookies();
    expect(session).toMatchObject({ httpOnly: true, sameSite: 'Lax' });
  });

  it('lets a viewer look and change nothing', async () => {
    const page = await loggedIn(VIEWER);
    await page.goto(`${dashboard.url}/sku?sku=WIDGET-123`);
    await page.getByText('50 in stock: 50 for sale').waitFor();
    expect(await page.getByRole('button', { name: 'Sync now' }).count()).toBe(0);
    const csrf = await page.locator('form.user input[name=csrf]').inputValue();
    const status = (path: string, method: string) =>
      page.evaluate(
        async ([url, verb, body]) => {
          const headers = { 'content-type': 'application/x-www-form-urlencoded' };
          return (await fetch(url, { method: verb, headers, body })).status;
        },
        [path, method, `csrf=${csrf}&parts=1`] as const,
      );
    expect(await status('/actions/sync', 'POST')).toBe(403);
    expect(await status('/queues/api/queues/parts/pause', 'PUT')).toBe(403);
  });

  it('is refused for a while after ten wrong passwords', async () => {
    const own = await startService('dashboard', {
      REDIS_URL: system.environment.REDIS_URL ?? '',
      DASHBOARD_PASSWORD: OPERATOR.password,
    });
    try {
      const login = await fetch(`${own.url}/login`);
      const csrf = /name="csrf" value="([^"]+)"/.exec(await login.text())?.[1] ?? '';
      const cookie = login.headers.get('set-cookie')?.split(';')[0] ?? '';
      const body = new URLSearchParams({ csrf, user: 'admin', password: 'wrong' });
      const statuses: number[] = [];
      for (let attempt = 0; attempt < 11; attempt++) {
        // Made up by the client: there is no reverse proxy.
        const headers = { cookie, 'x-forwarded-for': `10.0.0.${attempt}` };
        statuses.push((await fetch(`${own.url}/login`, { method: 'POST', headers, body })).status);
      }
      expect(statuses).toEqual([...Array.from({ length: 10 }, () => 401), 429]);
    } finally {
      await own.stop();
    }
  });
});

describe('the overview', () => {
  it('says first whether the store is right, and counts', async () => {
    const page = await loggedIn(OPERATOR);
    await page.getByRole('heading', { name: '2 parts cannot be synced.' }).waitFor();
    const tile = (name: string) => page.locator('.tiles li', { hasText: name }).locator('strong').textContent();
    expect(await tile('In sync')).toBe('1');
    expect(await tile('Failing')).toBe('2');
    expect(await tile('Not sold online')).toBe('1');
    expect(await tile('Ambiguous')).toBe('1');
    await page.getByRole('img', { name: 'Seconds from an event to the store' }).waitFor();
    await until('the calls are counted', async () => {
      await page.reload();
      return Number(await page.locator('tr', { hasText: 'Magento' }).locator('td').first().textContent()) > 0;
    });
    await page.getByRole('link', { name: /Not sold online/ }).click();
    await page.getByRole('link', { name: 'NOT-SOLD' }).waitFor();
  });

  it('changes by itself: an outage, its end, and the progress of a reconcile', async () => {
    const page = await loggedIn(OPERATOR);
    system.magento.setMaintenance(true);
    await system.send({ event: 'stockitem.counted', part: item.part });
    await page.getByRole('heading', { name: /^Waiting for Magento for \d s: .*503/ }).waitFor();
    await page.getByText(/magento-(read|write) open since/).waitFor();
    // Six parts that changed together share a job, and each of them waits.
    const parts = [901, 902, 903, 904, 905, 906];
    await system.send({ events: parts.map(part => ({ event: 'stockitem.counted', part })) });
    await page.goto(`${dashboard.url}/parts?list=waiting`);
    for (const part of parts) await page.getByRole('link', { name: String(part) }).waitFor();
    await page.goto(dashboard.url);
    system.magento.setMaintenance(false);
    await page.getByText('closed: both systems can be reached').waitFor();
    await system.quiet();

    const connection = connectToRedis(system.database.url, { whileUnreachable: { wait: true } });
    const progress = openReconcileProgress(connection);
    await progress.set({ event: 'schedule', startedAt: Date.now(), parts: 400, about: 1_000 });
    await page.getByText('400 of about 1,000 parts').waitFor();
    expect(await page.getByRole('progressbar').getAttribute('value')).toBe('400');
    await progress.delete();
    await page.getByText('400 of about 1,000 parts').waitFor({ state: 'detached' });
    connection.redis.disconnect();
  });
});

describe('the page of a SKU', () => {
  it('is found by SKU, part, name, and a piece of the SKU', async () => {
    const page = await loggedIn(OPERATOR);
    const find = async (text: string) => {
      await page.getByRole('searchbox').fill(text);
      await page.getByRole('button', { name: 'Find' }).click();
    };
    await find('widget-123');
    await page.getByRole('heading', { name: 'widget-123' }).waitFor();
    await find(String(item.part));
    await page.getByRole('heading', { name: 'WIDGET-123' }).waitFor();
    await find('NOT-S');
    await page.getByRole('link', { name: 'NOT-SOLD' }).click();
    await page.getByRole('heading', { name: 'NOT-SOLD' }).waitFor();
    await page.getByText('Magento has no product with this SKU').waitFor();
  });

  it('says how the quantity is made up, what both systems show, and what happened', async () => {
    const page = await loggedIn(OPERATOR);
    await page.goto(`${dashboard.url}/sku?sku=WIDGET-123`);
    await page.getByText('50 in stock: 50 for sale').waitFor();
    await page.getByText('shows 50: equal').waitFor();
    const row = page.locator('tbody tr').last();
    expect(await row.locator('td').allTextContents()).toEqual([
      expect.stringMatching(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$/),
      'updated',
      '999',
      '50',
      'stockitem.counted',
      expect.stringMatching(/^read after \d+ ms, written \d+ ms later, by .+:\d+, webhook msg_/),
    ]);
    system.magento.store.writeSourceItem('WIDGET-123', 'default', 7, 1);
    await page.getByRole('button', { name: 'Check now' }).click();
    await page.getByText('shows 7, should show 50').waitFor();
    await page.getByRole('button', { name: 'Sync now' }).click();
    await page.getByText('1 part will be synced.').waitFor();
    await until('the store is right', () => shown(system) === 50);
    await system.quiet();
    await page.reload();
    await page.getByText('sync by operator').first().waitFor();
    expect(dashboard.log.some(({ message }) => message === 'Audit: operator requested sync: WIDGET-123')).toBe(true);
  });
});

describe('the history', () => {
  it('is filtered, and exported as CSV', async () => {
    const page = await loggedIn(OPERATOR);
    await page.goto(`${dashboard.url}/history`);
    await page.getByLabel('Outcome').selectOption('dead letter');
    await page.getByRole('button', { name: 'Filter' }).click();
    await page.getByRole('cell', { name: 'BAD', exact: true }).waitFor();
    const outcomes = await page.locator('tbody .outcome').allTextContents();
    expect(new Set(outcomes)).toEqual(new Set(['dead letter']));
    const [download] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('link', { name: 'Export CSV' }).click(),
    ]);
    const lines = readFileSync(await download.path(), 'utf8').split('\r\n');
    expect(lines[0]).toBe('time,sku,part,outcome,old,new,cause,reason,worker,webhook');
    expect(lines).toHaveLength(outcomes.length + 2);
    expect(lines.some(line => line.includes(',BAD,') && line.includes(',dead letter,999,50,'))).toBe(true);
  });
});

describe('the dead letters', () => {
  it('are replayed by choice, which stays while the list is loaded again', async () => {
    const page = await loggedIn(OPERATOR);
    await page.goto(`${dashboard.url}/dead-letters`);
    await page.getByRole('button', { name: 'Replay chosen' }).first().click();
    await page.getByText('Nothing was done: choose at least one dead letter').waitFor();

    await page.getByLabel('Choose BAD').check();
    const loadedAgain = page.waitForResponse(answer => answer.url().endsWith('/dead-letters'));
    await system.send({ event: 'stockitem.counted', part: item.part });
    await (await loadedAgain).finished();
    await system.quiet();
    expect(await page.getByLabel('Choose BAD').isChecked()).toBe(true);
    expect(await page.getByRole('checkbox', { checked: true }).count()).toBe(1);

    const kind = page.locator('section', { has: page.getByLabel('Choose BAD') });
    await kind.getByRole('button', { name: 'Replay chosen' }).click();
    await page.getByText('1 dead letter replayed').waitFor();
    expect(dashboard.log.some(({ message }) => message === 'Audit: operator requested replay: BAD')).toBe(true);
    await system.quiet();
    // The probe of writes may have led to one more, for the other part with the SKU of the second one.
    const events = new Map((await deadLettersOf(system)).map(({ sku, event }) => [sku, event]));
    expect(events.get('BAD')).toBe('replay of stockitem.counted');
    expect(events.get('TWIN')).toBe('stockitem.counted');
  });
});

describe('the board', () => {
  it('names jobs by SKU, part and cause, has their logs, and links to the SKU', async () => {
    const page = await loggedIn(OPERATOR);
    await page.goto(`${dashboard.url}/queues/queue/parts?status=completed`);
    await until('the jobs have their names', async () => {
      await page.reload();
      await page
        .getByText(/\(part \d+\)|part \d+/)
        .first()
        .waitFor();
      return (await page.getByText(`WIDGET-123 (part ${item.part}) stock changed`).count()) > 0;
    });
    type BoardQueues = {
      queues: { name: string; jobs: { id: string; name: string; externalUrl?: { href: string } }[] }[];
    };
    const jobs = await page.evaluate(async () => {
      const answer = await fetch('/queues/api/queues?activeQueue=parts&status=completed&page=1&jobsPerPage=20');
      return (await answer.json()) as BoardQueues;
    });
    const job = jobs.queues
      .find(({ name }) => name === 'parts')
      ?.jobs.filter(({ name }) => name.startsWith('WIDGET-123'))
      .at(-1);
    expect(job?.externalUrl?.href).toBe('/sku?sku=WIDGET-123');
    const logs = await page.evaluate(
      async id => (await (await fetch(`/queues/api/queues/parts/${id}/logs`)).json()) as string[],
      job?.id ?? '',
    );
    expect(logs.join('\n')).toMatch(/updated 999 → 50 \(stockitem.counted, .+:\d+\)/);
  });

  it('retries a dead letter, which is removed when its part is in sync', async () => {
    const { shop } = system.inventree;
    const [twin] = [...shop.parts.values()].filter(part => part.name === 'twin');
    if (!twin) throw new Error('no twin');
    twin.name = 'NOT A TWIN ANY MORE';
    const page = await loggedIn(OPERATOR);
    await page.goto(`${dashboard.url}/queues/queue/dead-letters?status=failed`);
    await page.getByText("both have SKU 'TWIN'").first().waitFor();
    await page.getByRole('button', { name: 'Retry all' }).click();
    await page.getByRole('button', { name: 'Confirm' }).click();
    await until('the dead letter of the twins is removed', async () => (await deadLettersOf(system)).length === 1);
  });
});

describe('orders', () => {
  const record: OrderRecord = {
    order: 1,
    incrementId: '000000001',
    reference: 'SO-0001',
    salesOrder: 1,
    extraLines: {},
    followed: { state: 'processing', updatedAt: '2026-11-25 14:42:17' },
    booked: {
      updatedAt: '2026-11-25 14:42:17',
      at: 1_795_000_000_000,
      twice: true,
      skus: ['WIDGET-123'],
      units: { 'WIDGET-123': { '': -3 } },
      shipments: [],
    },
    at: 1_795_000_000_000,
  };

  it('are listed with what is next, and those that only one system has shipped', async () => {
    const connection = connectToRedis(system.environment.REDIS_URL ?? '', { whileUnreachable: { wait: true } });
    const ledger = openOrderLedger(connection);
    await ledger.set(record);
    await ledger.set({ ...record, order: 2, incrementId: '000000002', booked: undefined });
    await ledger.set({ ...record, order: 3, incrementId: '000000003', isLeft: true });
    connection.redis.disconnect();
    const page = await loggedIn(OPERATOR);
    await page.goto(`${dashboard.url}/orders`);
    expect(await page.getByRole('row').allInnerTexts()).toEqual([
      expect.stringContaining('Order') as string,
      expect.stringMatching(/^000000002\tprocessing\tSO-0001\t\tto be shipped, or invoiced/) as string,
      expect.stringMatching(
        /^000000001\tprocessing\tSO-0001\tWIDGET-123\tMagento has shipped 3 of 'WIDGET-123', and InvenTree has not/,
      ) as string,
    ]);
    await page.getByRole('link', { name: 'Shipped in one system only' }).click();
    await page.getByText('000000002').waitFor({ state: 'detached' });
    expect(await page.getByRole('row').count()).toBe(2);
    await page.close();
  });
});

describe('what people see', () => {
  const PAGES = {
    overview: '/',
    sku: '/sku?sku=WIDGET-123',
    history: '/history',
    'dead-letters': '/dead-letters',
    parts: '/parts',
    orders: '/orders',
  };
  const looks = [
    { name: 'light', colorScheme: 'light', viewport: DESKTOP },
    { name: 'dark', colorScheme: 'dark', viewport: DESKTOP },
    { name: 'phone', colorScheme: 'light', viewport: PHONE },
    { name: 'phone-dark', colorScheme: 'dark', viewport: PHONE },
  ] as const;
  const axe = readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8');

  it.each(looks)('is accessible and fits: $name', async ({ name, colorScheme, viewport }) => {
    const page = await loggedIn(OPERATOR, { colorScheme, viewport });
    for (const [title, path] of Object.entries(PAGES)) {
      await page.goto(`${dashboard.url}${path}`);
      if (title === 'sku') await page.getByText('50 in stock: 50 for sale').waitFor();
      await page.evaluate(axe);
      const violations = await page.evaluate(async () => {
        const { axe: runner } = globalThis as unknown as { axe: { run(): Promise<{ violations: Violation[] }> } };
        type Violation = { id: string; impact: string; nodes: { html: string }[] };
        const { violations: found } = await runner.run();
        return found.map(({ id, impact, nodes }) => `${impact} ${id}: ${nodes.map(({ html }) => html).join(' ')}`);
      });
      expect([title, violations]).toEqual([title, []]);
      const overflow = await page.locator('html').evaluate(({ scrollWidth, clientWidth }) => scrollWidth - clientWidth);
      expect([title, overflow]).toEqual([title, 0]);
      if (process.env.SCREENSHOTS) {
        mkdirSync(process.env.SCREENSHOTS, { recursive: true });
        await page.screenshot({ path: join(process.env.SCREENSHOTS, `${title}-${name}.png`) });
      }
    }
  });

  it('can be used with the keyboard alone', async () => {
    const page = await loggedIn(OPERATOR);
    await page.goto(dashboard.url);
    await page.keyboard.press('Tab');
    expect(await page.locator(':focus').textContent()).toContain('Skip to the content');
    const links = await page.getByRole('navigation', { name: 'Pages' }).getByRole('link').count();
    // Past the name of the shop and the pages, to the search.
    for (let n = 0; n < links + 2; n++) await page.keyboard.press('Tab');
    await page.keyboard.type('WIDGET-123');
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'WIDGET-123' }).waitFor();
  });
});

describe('the start', () => {
  it('needs a password, users or a provider, and lists everything that is wrong', async () => {
    const start = (more: Record<string, string>) =>
      startService('dashboard', { REDIS_URL: system.environment.REDIS_URL ?? '', ...more });
    await expect(start({})).rejects.toThrow('DASHBOARD_PASSWORD: is not set');
    await expect(start({ DASHBOARD_USERS: 'anna:admin:x' })).rejects.toThrow(
      'DASHBOARD_USERS: expected name:operator:hash or name:viewer:hash, got "anna:..."',
    );
    await expect(start({ DASHBOARD_OIDC_ISSUER: 'https://login.example' })).rejects.toThrow(
      /DASHBOARD_OIDC_CLIENT_ID: is not set[^]*DASHBOARD_URL: is not set/,
    );
  });
});
