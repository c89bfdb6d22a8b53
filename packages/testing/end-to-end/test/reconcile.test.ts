import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { stockActions } from '@stock-sync/fakes';
import { connectToRedis, openJobQueues, openReconcileReport } from '@stock-sync/state';
import { queueKey, startSystem, type System, type SystemOptions } from '../src';
import { hasWaited, redisServer, until } from './support';

let system: System | undefined;
afterEach(async () => {
  await system?.stop();
  system = undefined;
});

const command = join(__dirname, '..', '..', '..', '..', 'apps', 'cli', 'dist', 'main.js');

/** Runs `stock-sync reconcile ...` without npm. */
function runCommand(running: System, ...args: string[]): Promise<{ code: number; out: string; errors: string }> {
  return new Promise(resolve => {
    const env = { PATH: process.env.PATH, NODE_ENV: 'production', ...running.environment };
    const child = execFile(process.execPath, [command, 'reconcile', ...args], { env }, (_, out, errors) =>
      resolve({ code: child.exitCode ?? -1, out, errors }),
    );
  });
}

/** A shop with 50 of each part, all in sync, without webhooks. */
async function start(parts: number, options: Partial<SystemOptions> = {}) {
  system = await startSystem({
    redisServer: redisServer(),
    sends: 'none',
    workers: 0,
    ...options,
    environment: { SYNC_DELAY_MS: '30', ...options.environment },
  });
  const { shop } = system.inventree;
  const items = Array.from({ length: parts }, (_, n) => {
    const part = shop.addPart({ name: `SKU-${n}` });
    system?.magento.store.addProduct(part.name, { quantity: 50 });
    return shop.insertItem({ part: part.pk, quantity: 50 });
  });
  return { running: system, items, shop, store: system.magento.store };
}

const shown = (running: System, n: number) => running.magento.store.shown(`SKU-${n}`)?.quantity;
const logged = (running: System, text: string) => running.workerLog().filter(line => line.message.includes(text));
const EVERY_MINUTE = { environment: { RECONCILE_INTERVAL_MINUTES: '1' } };

describe.each([true, false])('the reconcile command (plugin: %s)', plugin => {
  it('reports everything that is not equal, and has it synced', async () => {
    const { running, shop, store } = await start(250, { plugin });
    store.writeSourceItem('SKU-7', 'default', 3, 1);
    store.writeSourceItem('SKU-8', 'default', 50, 0);
    shop.insertItem({ part: shop.addPart({ name: 'NOT SOLD, "ever"' }).pk, quantity: 1 });
    shop.insertItem({ part: shop.addPart({ name: 'BUNDLE' }).pk, quantity: 1 });
    store.addProduct('BUNDLE', { typeId: 'bundle' });
    store.addProduct('STRANGER', { quantity: 4 });
    for (const name of ['TWIN', 'twin']) shop.insertItem({ part: shop.addPart({ name }).pk, quantity: 1 });
    store.addProduct('TWIN', { quantity: 9 });
    shop.addPart({ name: 'VIRTUAL', virtual: true });

    const csv = join(mkdtempSync(join(tmpdir(), 'stock-sync-')), 'report.csv');
    await running.startWorker();
    const printed = await runCommand(running, '--dry-run', '--csv', csv);
    expect([printed.errors, printed.code]).toEqual(['', 0]);
    expect(printed.out.split('\n')).toEqual(
      expect.arrayContaining([
        "SKU 'SKU-7' shows 3, should show 50 (part 8)",
        "SKU 'SKU-8' shows 50 (out of stock), should show 50 (part 9)",
        expect.stringMatching(/^255 parts compared in \d+\.\d s:$/),
        '      248 equal',
        '        2 drifted',
        '        1 missing in Magento',
        '        1 missing in InvenTree',
        '        2 ambiguous',
        '        1 skipped type',
        '        0 unreadable',
        '0 parts are queued for sync.',
      ]),
    );
    expect(readFileSync(csv, 'utf8').split('\r\n').sort()).toEqual(
      [
        '',
        'finding,part,sku,store shows,should show',
        'ambiguous,253,TWIN,9,1',
        'ambiguous,254,twin,9,1',
        'drifted,8,SKU-7,3,50',
        'drifted,9,SKU-8,50 (out of stock),50',
        'missing in InvenTree,,STRANGER,4,',
        'missing in Magento,251,"NOT SOLD, ""ever""",nothing,1',
        'skipped type,252,BUNDLE,nothing,1',
      ].sort(),
    );
    expect(await running.database.redis.exists(queueKey('parts', 'wait'), queueKey('parts', 'completed'))).toBe(0);

    expect((await runCommand(running)).out).toContain('parts are queued for sync.');
    await until('both are right', () => shown(running, 7) === 50 && store.shown('SKU-8')?.inStock === true);
    expect(store.shown('TWIN')?.quantity).toBe(9);
  });
});

it('reports that it has started, before a large shop is read', async () => {
  const { running } = await start(2);
  running.inventree.setFault(() => ({ answerAfterMs: 300 }));
  await running.startWorker();
  const connection = connectToRedis(running.database.url, { whileUnreachable: { wait: true } });
  const queues = openJobQueues(connection);
  const messages = openReconcileReport(connection, 'r1');
  const acceptedAt = Date.now();
  const job = {
    kind: 'reconcile-command',
    event: 'test',
    report: 'r1',
    dryRun: true,
    force: false,
    acceptedAt,
  } as const;
  await queues.enqueue([job]);
  const received: string[] = [];
  await until('it is done', async () => {
    received.push(...(await messages.receive()).map(({ type }) => type));
    return received.includes('done');
  });
  expect(received[0]).toBe('started');
  await queues.close();
  connection.redis.disconnect();
});

it('reports a SKU whose part was deleted in InvenTree', async () => {
  const { running, shop } = await start(2, { ...EVERY_MINUTE });
  await running.startWorker();
  await until('the first reconcile is done', () => logged(running, 'Reconcile (').length > 0);
  await running.send({ event: 'stock_stockitem.saved', part: 1 });
  await until('the part is known', () => logged(running, "SKU 'SKU-0' already shows 50").length > 0);
  stockActions.deletePart(shop, 1);

  expect((await runCommand(running, '--dry-run')).out).toContain('1 missing in InvenTree');
  await runCommand(running);
  await until(
    'it is reported',
    () => logged(running, "Part 1 had SKU 'SKU-0' and is no longer in InvenTree").length > 0,
  );
});

describe('the mass-zero guard', () => {
  it('holds back what would empty the store at once, says so, and is off with --force', async () => {
    const { running, items } = await start(30, EVERY_MINUTE);
    for (const [n, item] of items.entries()) item.quantity = n < 10 ? 0 : 60;
    await running.startWorker();
    await until('the rest', () => shown(running, 29) === 60);
    await until('it is logged', () => logged(running, '10 of 30 SKUs that show stock would fall to zero').length === 1);
    const held = await runCommand(running);
    expect(held.code).toBe(1);
    expect(held.out).toContain('stock-sync reconcile --force');
    await sleep(500);
    expect(shown(running, 0)).toBe(50);
    expect((await runCommand(running, '--force')).code).toBe(0);
    await until('they are out of stock', () =>
      Array.from({ length: 10 }, (_, n) => shown(running, n)).every(q => q === 0),
    );
  });
});

describe('workers reconcile', () => {
  it('at start-up, once for all of them, and log what they found', async () => {
    const { running, store } = await start(5, EVERY_MINUTE);
    store.writeSourceItem('SKU-3', 'default', 7, 1);
    await Promise.all([running.startWorker(), running.startWorker(), running.startWorker()]);
    await until('the store is right', () => shown(running, 3) === 50);
    await until(
      'it is logged',
      () => logged(running, "Reconcile: SKU 'SKU-3' shows 7, should show 50 (part 4)").length > 0,
    );
    await sleep(1_500);
    const lines = logged(running, '5 parts in');
    expect(lines.length).toBeGreaterThanOrEqual(1);
    expect(lines.length).toBeLessThanOrEqual(4);
  });

  it('after an outage, and find changes without events', async () => {
    const { running, items, store } = await start(3, EVERY_MINUTE);
    await running.startWorker();
    await until('the first reconcile is done', () => logged(running, 'Reconcile (').length > 0);
    running.magento.setMaintenance(true);
    await running.send({ event: 'stock_stockitem.saved', part: items[0]?.part });
    await until('the outage is logged', () => hasWaited(running, 'Magento'));
    store.writeSourceItem('SKU-2', 'default', 1, 1);
    running.magento.setMaintenance(false);
    await until('the store is right', () => shown(running, 2) === 50, 20_000);
    await until('it is logged', () => logged(running, 'Reconcile (Magento is reachable again)').length > 0);
  });

  it('after Redis was emptied', async () => {
    const { running, items } = await start(3, {
      environment: { ...EVERY_MINUTE.environment, SWEEP_INTERVAL_SECONDS: '1' },
    });
    await running.startWorker();
    await until('the first reconcile is done', () => logged(running, 'Reconcile (').length > 0);
    await running.database.empty();
    for (const item of items) item.quantity = 8;
    await until('the store is right', () => [0, 1, 2].every(n => shown(running, n) === 8), 20_000);
  });
});
