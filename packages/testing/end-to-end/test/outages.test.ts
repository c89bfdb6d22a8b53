import { setTimeout as sleep } from 'node:timers/promises';
import { stockActions, type FakeCall } from '@stock-sync/fakes';
import { openStockItems } from '@stock-sync/state';
import { startSystem, type System } from '../src';
import {
  deadLettersOf,
  hasWaited,
  isWrite,
  jsonError,
  messages,
  redisServer,
  shown,
  until,
  widget,
  withConnection,
} from './support';

let system: System | undefined;
afterEach(async () => {
  await system?.stop();
  system = undefined;
});

async function start(environment: Record<string, string> = {}) {
  system = await startSystem({ redisServer: redisServer(), environment: { SYNC_DELAY_MS: '30', ...environment } });
  return system;
}

describe('while a system is unreachable, work waits, and nothing becomes a dead letter', () => {
  it.each<[string, (running: System, on: boolean) => void, RegExp]>([
    [
      'Magento in maintenance',
      (r, on) => r.magento.setMaintenance(on),
      /Magento answered 503: Error 503: Service Unavailable/,
    ],
    ["Magento's database", (r, on) => r.magento.setDatabaseDown(on), /Magento answered 500: An error has happened/],
    ['InvenTree in maintenance', (r, on) => r.inventree.setMaintenance(on), /InvenTree answered 503/],
    [
      "InvenTree's database",
      (r, on) => r.inventree.setDatabaseDown(on),
      /InvenTree answered 500 for .*: OperationalError/,
    ],
    [
      'Magento hanging',
      (r, on) => r.magento.setFault(on ? () => ({ hang: true }) : undefined),
      /Magento did not answer: no answer within 1 s/,
    ],
    [
      'Magento breaking connections',
      (r, on) => r.magento.setFault(on ? () => ({ reset: 'before' }) : undefined),
      /Magento did not answer: ECONNRESET/,
    ],
    [
      'a web page where JSON is due',
      (r, on) =>
        r.inventree.setFault(
          on
            ? () => ({
                answer: { status: 200, headers: { 'content-type': 'text/html' }, body: '<title>Login</title>' },
              })
            : undefined,
        ),
      /InvenTree answered .* with a page instead of JSON: Login/,
    ],
  ])('%s', async (_, setUnreachable, reason) => {
    const running = await start({ TIMEOUT: '1', MAX_ATTEMPTS: '2' });
    const item = widget(running);
    setUnreachable(running, true);
    stockActions.add(running.inventree.shop, item, 30);
    await until('the outage is logged', () => messages(running).some(line => reason.test(line)), 20_000);
    const ready = await fetch(`${running.workers[0]?.url ?? ''}/readyz`);
    expect(ready.status).toBe(503);
    expect((await ready.json()) as { reason: string }).toMatchObject({
      reason: expect.stringMatching(reason) as string,
    });
    await new Promise(resolve => setTimeout(resolve, 1_500));
    expect(shown(running)).toBe(999);
    setUnreachable(running, false);
    await until('the store is right', () => shown(running) === 80, 40_000);
    await running.quiet();
    expect(messages(running).join('\n')).toMatch(/(read again|writes again) after \d+ s\. Work that waited resumes/);
    expect(await deadLettersOf(running)).toEqual([]);
  });

  it.each<[string, (call: FakeCall) => boolean]>([
    ['to every call', () => true],
    ['to every read and write of stock, while its sources can be read', call => call.path.endsWith('/source-items')],
    ['to every write', isWrite],
  ])('Magento answers 500, as for a single wrong SKU, %s', async (_, meant) => {
    const running = await start({ MAX_ATTEMPTS: '2' });
    const items = Array.from({ length: 4 }, (_, n) => widget(running, `PART-${n}`));
    const [first] = items;
    if (!first) throw new Error('no item');
    stockActions.add(running.inventree.shop, first, 1);
    await until('one SKU is in sync', () => shown(running, 'PART-0') === 51);
    running.magento.setFault(call => (meant(call) ? jsonError(500) : undefined));
    for (const item of items.slice(1)) stockActions.add(running.inventree.shop, item, 30);
    await until('the outage is logged', () => hasWaited(running, 'Magento'));
    await sleep(3_000);
    running.magento.setFault(undefined);
    await until('the store is right', () => [1, 2, 3].every(n => shown(running, `PART-${n}`) === 80), 40_000);
    await running.quiet();
    expect(messages(running).filter(line => /attempt \d/.test(line))).toEqual([]);
    expect(await deadLettersOf(running)).toEqual([]);
  });

  it('an outage right after a probe that passed is not blamed on the item that finds it', async () => {
    const running = await start({ MAX_ATTEMPTS: '1' });
    const [good, bad] = [widget(running, 'GOOD'), widget(running, 'BAD')];
    stockActions.add(running.inventree.shop, good, 1);
    await until('one SKU is in sync', () => shown(running, 'GOOD') === 51);
    running.magento.setFault(call =>
      isWrite(call) && JSON.stringify(call.body).includes('BAD') ? jsonError(400, 'no') : undefined,
    );
    stockActions.add(running.inventree.shop, bad, 1);
    await until('the other one is a dead letter', async () => (await deadLettersOf(running)).length === 1);
    running.magento.setMaintenance(true);
    stockActions.add(running.inventree.shop, good, 1);
    await until(
      'the outage is logged',
      () => hasWaited(running, 'Magento'),
      10_000,
      () => messages(running),
    );
    running.magento.setMaintenance(false);
    await until('the store is right', () => shown(running, 'GOOD') === 52, 20_000);
    expect(await deadLettersOf(running)).toMatchObject([{ part: bad.part }]);
  });

  it('one probe follows each pause, however many jobs wait, and then all of them run', async () => {
    const running = await start();
    await running.startWorker();
    const items = Array.from({ length: 40 }, (_, n) => widget(running, `PART-${n}`));
    running.magento.setMaintenance(true);
    for (const item of items.slice(0, 3)) stockActions.add(running.inventree.shop, item, 1);
    await until('the outage is logged', () => hasWaited(running, 'Magento'));
    for (const item of items) stockActions.add(running.inventree.shop, item, 1);
    await sleep(300);
    const before = running.magento.calls.length;
    const probes = () => messages(running).filter(line => line.includes('Next check in')).length;
    const probesBefore = probes();
    await sleep(7_500);
    // A probe that fails makes one call.
    expect(running.magento.calls.length - before).toBeLessThanOrEqual(probes() - probesBefore + 1);
    expect(probes() - probesBefore).toBeGreaterThanOrEqual(2);
    running.magento.setMaintenance(false);
    await until('all are right', () => items.every((item, n) => shown(running, `PART-${n}`) === item.quantity), 20_000);
    expect(await deadLettersOf(running)).toEqual([]);
  });

  it('lookups in InvenTree continue while Magento is unreachable', async () => {
    const running = await start();
    const item = widget(running);
    running.magento.setMaintenance(true);
    await running.send({ event: 'stock_stockitem.saved', part: item.part });
    await until('the outage is logged', () => hasWaited(running, 'Magento'));
    const other = widget(running, 'OTHER');
    await running.send({ event: 'stock_stockitem.saved', model: 'StockItem', id: other.pk });
    await withConnection(running, async connection => {
      const stockItems = openStockItems(connection);
      await until('the part is known', async () => (await stockItems.partOf(other.pk)) === other.part, 3_000);
    });
    expect(shown(running, 'OTHER')).toBe(999);
  });

  it('a pause survives a restart of all workers', async () => {
    const running = await start();
    const item = widget(running);
    running.magento.setFault(() => ({ answer: { status: 503, headers: { 'retry-after': '4' }, body: 'busy' } }));
    stockActions.add(running.inventree.shop, item, 1);
    await until('the outage is logged', () => messages(running).some(line => line.includes('Next check in 4 s')));
    await Promise.all(running.workers.map(worker => worker.stop()));
    running.magento.setFault(undefined);
    const calls = running.magento.calls.length;
    const worker = await running.startWorker();
    await until('it is not ready', async () => (await fetch(`${worker.url}/readyz`)).status === 503, 1_500);
    await sleep(500);
    expect(running.magento.calls).toHaveLength(calls);
    await until('the store is right', () => shown(running) === 51);
    await until('it is ready', async () => (await fetch(`${worker.url}/readyz`)).status === 200);
  });

  it('refused credentials are logged as an error, and new ones are tried at once', async () => {
    const running = await start({ MAGENTO_ACCESS_TOKEN_SECRET: 'wrong' });
    const item = widget(running);
    stockActions.add(running.inventree.shop, item, 1);
    await until('the refusal is logged', () =>
      messages(running).some(line =>
        line.startsWith('error Magento cannot be read: Magento refused the credentials: The signature is invalid.'),
      ),
    );
    expect(await deadLettersOf(running)).toEqual([]);

    // The pause would last 15 s; whoever fixes the settings need not wait for it.
    await Promise.all(running.workers.map(worker => worker.stop()));
    await running.startWorker({ MAGENTO_ACCESS_TOKEN_SECRET: running.magento.integration.accessTokenSecret });
    await until('the store is right', () => shown(running) === 51, 8_000);
  });

  it('a source in SOURCE_MAP that the store lacks is logged as an error, and nothing is written', async () => {
    const running = await start({ SOURCE_MAP: '{"default":[1],"wset":[2]}' });
    for (const name of ['Main', 'West']) running.inventree.shop.addLocation(name);
    const item = widget(running);
    stockActions.add(running.inventree.shop, item, 1);
    await until('it is logged', () =>
      messages(running).some(line =>
        line.startsWith(
          'error Magento cannot be read: SOURCE_MAP names wset, but this store has only the sources default.',
        ),
      ),
    );
    expect(running.magento.counts().writes).toBe(0);
    expect(await deadLettersOf(running)).toEqual([]);
  });
});
