import { setTimeout as sleep } from 'node:timers/promises';
import { stockActions } from '@stock-sync/fakes';
import { requestReconcile, startSystem, type System } from '../src';
import { deadLettersOf, messages, redisServer, shown, until } from './support';

/** Parts that are deleted, renamed or replaced by a new revision: the store must not sell what nobody has. */

let system: System | undefined;
afterEach(async () => {
  await system?.stop();
  system = undefined;
});

async function start(environment: Record<string, string> = {}) {
  system = await startSystem({
    redisServer: redisServer(),
    workers: 0,
    environment: { SYNC_DELAY_MS: '10', MAX_ATTEMPTS: '1', ...environment },
  });
  return system;
}

/** A part with 50 in stock and its product, in sync. */
async function synced(running: System, name = 'WIDGET-123', more: object = {}) {
  const part = running.inventree.shop.addPart({ name, ...more }).pk;
  running.magento.store.addProduct(name, { quantity: 1 });
  stockActions.create(running.inventree.shop, { part, quantity: 50 });
  await until(
    `${name} is in sync`,
    () => shown(running, name) === 50,
    10_000,
    () => messages(running),
  );
  return part;
}

const logged = (running: System, text: string) => messages(running).filter(line => line.includes(text));

it('takes the SKU of a deleted part to zero', async () => {
  const running = await start();
  await running.startWorker();
  const part = await synced(running);
  stockActions.deletePart(running.inventree.shop, part);
  await until('it is out of stock', () => shown(running) === 0);
  await running.quiet();
  expect(running.magento.store.shown('WIDGET-123')).toEqual({ quantity: 0, inStock: false });
  expect(logged(running, 'warn Part')).toEqual([
    `warn Part ${part} had SKU 'WIDGET-123' and is no longer in InvenTree: ` +
      'no part has it now, so it is updated from 50 to 0',
  ]);
});

it('moves the stock of a renamed part to its new SKU', async () => {
  const running = await start();
  await running.startWorker();
  const part = await synced(running);
  running.magento.store.addProduct('NEW-1', { quantity: 0 });
  stockActions.renamePart(running.inventree.shop, part, { name: 'NEW-1' });
  await until('the new SKU shows it', () => shown(running, 'NEW-1') === 50);
  expect(shown(running)).toBe(0);
});

it('leaves the store alone with ON_PART_GONE=keep', async () => {
  const running = await start({ ON_PART_GONE: 'keep' });
  await running.startWorker();
  const part = await synced(running);
  stockActions.deletePart(running.inventree.shop, part);
  await until('it is reported', () => logged(running, 'the store keeps showing 50 (ON_PART_GONE=keep)').length === 1);
  expect(shown(running)).toBe(50);
});

it('zeroes nothing where only the setting SKU_FIELD was changed', async () => {
  const running = await start();
  await running.startWorker();
  const part = await synced(running, 'WIDGET-123', { IPN: 'IPN-1' });
  await running.workers[0]?.stop();
  running.magento.store.addProduct('IPN-1', { quantity: 0 });
  await running.startWorker({ SKU_FIELD: 'IPN' });
  await running.send({ event: 'part_part.saved', parts: [part] });
  await until('the other SKU shows it', () => shown(running, 'IPN-1') === 50);
  expect(shown(running)).toBe(50);
});

it('zeroes nothing because one answer leaves a part out', async () => {
  const running = await start();
  await running.startWorker();
  const part = await synced(running);
  running.inventree.setFault(({ method, path }) =>
    method === 'POST' && path.startsWith('/plugin/')
      ? {
          answer: {
            status: 200,
            headers: { 'content-type': 'application/json' },
            body: { parts: [], missing: [part] },
          },
        }
      : undefined,
  );
  await running.send({ event: 'part_part.saved', parts: [part] });
  await until('it is a dead letter', async () => (await deadLettersOf(running)).length === 1);
  expect((await deadLettersOf(running))[0]?.reason).toBe(
    `InvenTree answered the stock of parts without part ${part}, although it has this part`,
  );
  expect(shown(running)).toBe(50);
});

it.each([
  ['sweep', { SWEEP_INTERVAL_SECONDS: '1' }, 'Sweep: '],
  ['reconcile', {}, 'Reconcile: '],
])(
  'a %s holds back what an InvenTree with another database would empty',
  async (_, settings, line) => {
    const running = await start(settings);
    await running.startWorker();
    const { shop } = running.inventree;
    const parts = [];
    for (let n = 0; n < 12; n++) parts.push(await synced(running, `SKU-${n}`));
    running.inventree.sendTo();
    for (const part of parts) stockActions.deletePart(shop, part);
    shop.addPart({ name: 'OTHER', pk: 9_000 });
    if (line === 'Reconcile: ') await requestReconcile(running.database.url);
    await until(
      'the guard says so',
      () => logged(running, `error ${line}12 of `).length > 0,
      15_000,
      () => messages(running),
    );
    await sleep(1_500);
    expect(parts.map((_, n) => shown(running, `SKU-${n}`))).toEqual(parts.map(() => 50));
  },
  60_000,
);

describe('of several parts with one SKU', () => {
  it('the only active one counts, and the earlier revisions are ignored', async () => {
    const running = await start();
    await running.startWorker();
    const { shop } = running.inventree;
    const old = shop.addPart({ name: 'WIDGET-123', IPN: 'REV-A', active: false }).pk;
    stockActions.create(shop, { part: old, quantity: 7 });
    const now = await synced(running);
    for (let event = 1; event <= 3; event++) {
      await running.send({ event: 'part_part.saved', parts: [old] });
      await running.quiet();
    }
    await requestReconcile(running.database.url);
    await until('the reconcile is done', () => logged(running, 'Reconcile (').length === 1);
    await running.quiet();
    expect(shown(running)).toBe(50);
    expect(await deadLettersOf(running)).toEqual([]);
    expect(logged(running, 'is inactive')).toEqual([
      `info SKU 'WIDGET-123' skipped: the part is inactive, and part ${now} with the same SKU is active ` +
        `(part ${old}, stock_stockitem.created)`,
    ]);
    expect(logged(running, 'Reconcile (')[0]).toContain(': 1 equal; 0 queued');
  });

  it('several active ones stay ambiguous', async () => {
    const running = await start();
    await running.startWorker();
    const { shop } = running.inventree;
    const first = await synced(running);
    for (const active of [true, false]) {
      const other = shop.addPart({ name: 'WIDGET-123', IPN: `X-${active}`, active }).pk;
      stockActions.create(shop, { part: other, quantity: 7 });
    }
    await running.quiet();
    await until('it is a dead letter', async () => (await deadLettersOf(running)).length > 0);
    expect((await deadLettersOf(running))[0]?.reason).toContain(`Parts ${first} and`);
    expect(shown(running)).toBe(50);
  });

  it('an inactive part that has its SKU alone is synced', async () => {
    const running = await start();
    await running.startWorker();
    await synced(running, 'LAST-ONES', { active: false });
  });
});
