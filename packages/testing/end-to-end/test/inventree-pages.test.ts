import { readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { chromium, type Browser, type Page } from 'playwright-core';
import { startPlugin, startSystem, TEST_SECRET, type PluginProcess, type System } from '../src';
import { redisServer, shown, until, widget } from './support';

/**
 * What InvenTree's pages show, in a real browser: our script, the real plugin in Python, the real ingest. Only the page
 * around it is ours; it gives the script what InvenTree's gives it (docs/facts/inventree.md, "Showing something").
 */

const SCRIPT = join(__dirname, '../../../inventree-plugin/inventree_magento_sync/static/panel.js');
/** `api` rejects where the status is an error, as axios does. */
const PAGE = `<!DOCTYPE html>
<html lang="en">
  <title>Part</title>
  <main><div id="panel"></div></main>
  <script type="module">
    import * as panel from '/panel.js';
    const call = async (method, path) => {
      const answer = await fetch(path, { method });
      if (!answer.ok) throw Object.assign(new Error('refused'), { response: { status: answer.status } });
      return { data: await answer.json() };
    };
    const api = { get: path => call('GET', path), post: path => call('POST', path) };
    window.render = (name, context) =>
      panel[name](document.getElementById('panel'), { api, locale: 'en-GB', context });
  </script>
</html>`;

let system: System;
let plugin: PluginProcess;
let server: Server;
let browser: Browser;
let url: string;

beforeAll(async () => {
  system = await startSystem({
    redisServer: redisServer(),
    sends: 'none',
    environment: { SYNC_DELAY_MS: '10', DASHBOARD_URL: 'https://stock.shop.example/' },
  });
  plugin = await startPlugin(process.env.PYTHON_PATH ?? 'python3', '1.4');
  await plugin.play({ do: 'configure', INGEST_URL: system.ingest.url, WEBHOOK_SECRET: TEST_SECRET });
  // The page, its script, and whatever else is asked of the plugin, with a login.
  server = createServer((request, response) => {
    if (request.url === '/') response.setHeader('content-type', 'text/html').end(PAGE);
    else if (request.url === '/panel.js')
      response.setHeader('content-type', 'text/javascript').end(readFileSync(SCRIPT));
    else {
      void fetch(`${plugin.url}${request.url ?? ''}`, {
        method: request.method ?? 'GET',
        headers: { authorization: `Token ${plugin.token}` },
      }).then(async answer => response.writeHead(answer.status).end(await answer.text()));
    }
  });
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  browser = await chromium.launch({
    executablePath: process.env.CHROMIUM_PATH ?? '/usr/bin/chromium',
    args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--disable-background-networking'],
  });
});
afterAll(async () => {
  await browser.close();
  server.close();
  await plugin.stop();
  await system.stop();
});

/** A page on which InvenTree has called a function of our script. */
async function rendered(render: 'renderPanel' | 'renderDashboardItem', context: object): Promise<Page> {
  const page = await browser.newPage();
  page.setDefaultTimeout(10_000);
  await page.goto(url);
  await page.evaluate(
    ([name, given]) =>
      (globalThis as unknown as { render(name: string, context: object): unknown }).render(name, given),
    [render, context] as const,
  );
  return page;
}

it('shows on the page of a part what Magento shows, since when, and the last change', async () => {
  const item = widget(system);
  await system.send({ event: 'stockitem.counted', part: item.part });
  await until('the store is right', () => shown(system) === 50);
  await system.quiet();
  const page = await rendered('renderPanel', { part: item.part, may_sync: false });
  await page
    .getByText(/^✓ Magento shows 50, in sync since \d\d:\d\d:\d\d; last change 999 → 50 by stockitem.counted, /)
    .waitFor();
  expect(await page.getByRole('link', { name: 'Details' }).getAttribute('href')).toBe(
    'https://stock.shop.example/sku?sku=WIDGET-123',
  );
  expect(await page.getByRole('button').count()).toBe(0);
});

it('syncs a part for a user who may change stock', async () => {
  const item = widget(system, 'SECOND');
  const page = await rendered('renderPanel', { part: item.part, may_sync: true });
  await page.getByText('Never synced').waitFor();
  await page.getByRole('button', { name: 'Sync now' }).click();
  await until('the store is right', () => shown(system, 'SECOND') === 50);
  await page.getByText('✓ Magento shows 50').waitFor();
  expect(
    system.ingest.log.some(({ message }) => message.startsWith('Audit: stock sync requested sync in InvenTree')),
  ).toBe(true);
});

it('says that a part is not sold online, and why one cannot be synced', async () => {
  const lonely = system.inventree.shop.addPart({ name: 'NOT-SOLD <b>bold</b>' });
  await system.send({ event: 'part_part.saved', part: lonely.pk });
  await system.quiet();
  const page = await rendered('renderPanel', { part: lonely.pk, may_sync: false });
  await page.getByText('Not sold online: Magento has no product with this SKU').waitFor();
});

it('shows on the dashboard how the shop stands', async () => {
  const page = await rendered('renderDashboardItem', {});
  await page.getByText(/In sync \d+, waiting 0, failing 0/).waitFor();
});

it('says so where the service is down', async () => {
  await system.ingest.stop();
  const page = await rendered('renderPanel', { part: 4711, may_sync: false });
  await page.getByText(/^▲ The stock sync at 127.0.0.1:\d+ does not answer: /).waitFor();
});
