import { setTimeout as sleep } from 'node:timers/promises';
import { stockActions, type StandInCall } from '@stock-sync/stand-ins';
import { startSystem, type System } from '../src';
import { isWrite, jsonError, lettersOf, messages, redisServer, shown, until, widget } from './support';

let system: System | undefined;
afterEach(async () => {
  await system?.stop();
  system = undefined;
});

async function start(environment: Record<string, string> = {}) {
  system = await startSystem({ redisServer: redisServer(), environment: { SYNC_DELAY_MS: '30', ...environment } });
  return system;
}

describe('when a system is away, work waits, and nothing becomes a dead letter', () => {
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
      /Magento did not answer: nothing came within 1 s/,
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
  ])('%s', async (_, setAway, reason) => {
    const running = await start({ TIMEOUT: '1', MAX_ATTEMPTS: '2' });
    const item = widget(running);
    setAway(running, true);
    stockActions.add(running.inventree.shop, item, 30);
    await until('the outage is told', () => messages(running).some(line => reason.test(line)), 20_000);
    const ready = await fetch(`${running.workers[0]?.url ?? ''}/readyz`);
    expect(ready.status).toBe(503);
    expect((await ready.json()) as { reason: string }).toMatchObject({
      reason: expect.stringMatching(reason) as string,
    });
    await new Promise(resolve => setTimeout(resolve, 1_500));
    expect(shown(running)).toBe(999);
    setAway(running, false);
    await until('the store is right', () => shown(running) === 80, 40_000);
    await running.quiet();
    expect(messages(running).join('\n')).toMatch(/is back after \d+ s: the work that waited goes on/);
    expect(await lettersOf(running)).toEqual([]);
  });

  it.each<[string, (call: StandInCall) => boolean]>([
    ['to every call', () => true],
    ['to every read and write of stock, while its sources can be read', call => call.path.endsWith('/source-items')],
    ['to every write', isWrite],
  ])('Magento answers a 500 that looks like a single SKU %s', async (_, meant) => {
    const running = await start({ MAX_ATTEMPTS: '2' });
    const items = Array.from({ length: 4 }, (_, n) => widget(running, `PART-${n}`));
    const [first] = items;
    if (!first) throw new Error('no item');
    stockActions.add(running.inventree.shop, first, 1);
    await until('one SKU is known to be good', () => shown(running, 'PART-0') === 51);
    running.magento.setFault(call => (meant(call) ? jsonError(500) : undefined));
    for (const item of items.slice(1)) stockActions.add(running.inventree.shop, item, 30);
    await until('the outage is told', () => messages(running).some(line => line.includes('needs Magento waits')));
    await sleep(3_000);
    running.magento.setFault(undefined);
    await until('the store is right', () => [1, 2, 3].every(n => shown(running, `PART-${n}`) === 80), 40_000);
    await running.quiet();
    expect(messages(running).filter(line => /attempt \d/.test(line))).toEqual([]);
    expect(await lettersOf(running)).toEqual([]);
  });

  it('one job tries again after a pause, however many wait, and then all go', async () => {
    const running = await start();
    await running.startWorker();
    const items = Array.from({ length: 40 }, (_, n) => widget(running, `PART-${n}`));
    running.magento.setMaintenance(true);
    for (const item of items.slice(0, 3)) stockActions.add(running.inventree.shop, item, 1);
    await until('the outage is told', () => messages(running).some(line => line.includes('needs Magento waits')));
    for (const item of items) stockActions.add(running.inventree.shop, item, 1);
    await sleep(300);
    const before = running.magento.calls.length;
    const pauses = () => messages(running).filter(line => line.includes('needs Magento waits')).length;
    const pausesBefore = pauses();
    await sleep(7_500);
    // A sync reads its product and what is shown: two calls an attempt.
    expect(running.magento.calls.length - before).toBeLessThanOrEqual(2 * (pauses() - pausesBefore));
    expect(pauses() - pausesBefore).toBeGreaterThanOrEqual(2);
    running.magento.setMaintenance(false);
    await until('all are right', () => items.every((item, n) => shown(running, `PART-${n}`) === item.quantity), 20_000);
    expect(await lettersOf(running)).toEqual([]);
  });

  it('Magento away does not keep us from finding out whose a stock item is', async () => {
    const running = await start();
    const item = widget(running);
    running.magento.setMaintenance(true);
    await running.send({ event: 'stock_stockitem.saved', part: item.part });
    await until('the outage is told', () => messages(running).some(line => line.includes('needs Magento waits')));
    const other = widget(running, 'OTHER');
    await running.send({ event: 'stock_stockitem.saved', model: 'StockItem', id: other.pk });
    await until(
      'it is known',
      async () => (await running.database.redis.get(`stock-sync:stock-item:${other.pk}`)) === String(other.part),
      3_000,
    );
    expect(shown(running, 'OTHER')).toBe(999);
  });

  it('the pause outlives a restart of all workers', async () => {
    const running = await start();
    const item = widget(running);
    running.magento.setFault(() => ({ answer: { status: 503, headers: { 'retry-after': '4' }, body: 'busy' } }));
    stockActions.add(running.inventree.shop, item, 1);
    await until('the outage is told', () => messages(running).some(line => line.includes('next attempt in 4 s')));
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

  it('refused credentials: an error names the missing resource', async () => {
    const running = await start({ MAGENTO_ACCESS_TOKEN_SECRET: 'wrong' });
    const item = widget(running);
    stockActions.add(running.inventree.shop, item, 1);
    await until('the refusal is told', () =>
      messages(running).some(line =>
        line.startsWith('error Magento refused the credentials: The signature is invalid.'),
      ),
    );
    expect(await lettersOf(running)).toEqual([]);

    // The pause would take 15 s more; whoever mends the settings need not wait for it.
    await Promise.all(running.workers.map(worker => worker.stop()));
    await running.startWorker({ MAGENTO_ACCESS_TOKEN_SECRET: running.magento.integration.accessTokenSecret });
    await until('the store is right', () => shown(running) === 51, 8_000);
  });

  it('a SOURCE_MAP with a source that the store lacks: an error names it, nothing is written nor given up', async () => {
    const running = await start({ SOURCE_MAP: '{"default":[1],"wset":[2]}' });
    running.inventree.shop.addLocation('Main');
    const item = widget(running);
    stockActions.add(running.inventree.shop, item, 1);
    await until('it is told', () =>
      messages(running).some(line =>
        line.startsWith('error SOURCE_MAP names wset, but this store has only the sources default. What needs Magento'),
      ),
    );
    expect(running.magento.counts().writes).toBe(0);
    expect(await lettersOf(running)).toEqual([]);
  });
});
