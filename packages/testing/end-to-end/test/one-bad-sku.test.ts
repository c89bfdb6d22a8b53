import { stockActions, type Fault } from '@stock-sync/fakes';
import { queueKey, startSystem, type System } from '../src';
import {
  deadLettersOf,
  faultOnce,
  hasWaited,
  isWrite,
  jsonError,
  messages,
  redisServer,
  shown,
  until,
  widget,
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

/** Until there is one dead letter. */
const untilDeadLettered = (running: System) =>
  until(
    'it is dead-lettered',
    async () => (await deadLettersOf(running)).length === 1,
    25_000,
    () => messages(running),
  );

describe('when a single SKU is refused', () => {
  it('the others of its batch are written, and it becomes a dead letter with its reason', async () => {
    const running = await start({ MAX_ATTEMPTS: '2' });
    const { inventree, magento } = running;
    const items = Array.from({ length: 9 }, (_, n) => widget(running, `PART-${n}`));
    magento.setFault(call =>
      isWrite(call) && JSON.stringify(call.body).includes('"PART-4"')
        ? {
            answer: {
              status: 400,
              headers: { 'content-type': 'application/json' },
              body: { message: 'Could not save %1', parameters: ['Source Item'] },
            },
          }
        : undefined,
    );
    inventree.shop.transaction(() => {
      for (const item of items) stockActions.add(inventree.shop, item, 1);
    });
    await running.quiet();
    for (const [n] of items.entries()) expect([n, shown(running, `PART-${n}`)]).toEqual([n, n === 4 ? 999 : 51]);
    const deadLetters = await deadLettersOf(running);
    expect(deadLetters).toHaveLength(1);
    expect(deadLetters[0]).toMatchObject({
      part: items[4]?.part,
      sku: 'PART-4',
      errorKind: 'refused',
      reason: 'Magento answered 400: Could not save Source Item',
      attempts: 2,
      event: 'stock_stockitem.saved',
    });

    magento.setFault(undefined);
    await running.send({ event: 'stock_stockitem.saved', part: items[4]?.part });
    await running.quiet();
    expect(shown(running, 'PART-4')).toBe(51);
    expect(await deadLettersOf(running)).toEqual([]);
  });

  it.each<[string, Fault]>([
    ['a 500 with a bare text', { answer: { status: 500, headers: {}, body: 'no' } }],
    ['a 502 page', { answer: { status: 502, headers: { 'content-type': 'text/html' }, body: 'no' } }],
    ['no answer', { hang: true }],
  ])('the others are written, and it becomes a dead letter, however it is refused: %s', async (_, fault) => {
    // Reconcile too: it reads the bad SKU together with others.
    const running = await start({ MAX_ATTEMPTS: '2', TIMEOUT: '1', RECONCILE_INTERVAL_MINUTES: '30' });
    const items = Array.from({ length: 6 }, (_, n) => widget(running, `PART-${n}`));
    const [first] = items;
    if (!first) throw new Error('no item');
    stockActions.add(running.inventree.shop, first, 0);
    await until('one SKU is in sync', () => shown(running, 'PART-0') === 50);
    running.magento.setFault(call =>
      decodeURIComponent(call.url + JSON.stringify(call.body ?? '')).includes('PART-3') ? fault : undefined,
    );
    for (const item of items) stockActions.add(running.inventree.shop, item, 1);
    await until(
      'the others are right',
      () => items.every((_, n) => n === 3 || shown(running, `PART-${n}`) === 51),
      30_000,
      () => messages(running),
    );
    await untilDeadLettered(running);
    await running.quiet();
    expect(await deadLettersOf(running)).toMatchObject([{ part: items[3]?.part }]);
    // No part that shared a call with it failed.
    const failed = messages(running).filter(line => /: attempt \d|Dead letter/.test(line));
    expect(failed.filter(line => !new RegExp(`part ${items[3]?.part}\\b`).test(line))).toEqual([]);
  });

  it('a SKU that looks like an outage does not make the others wait, even in a quiet shop', async () => {
    const running = await start({ MAX_ATTEMPTS: '2' });
    const [good, bad] = [widget(running, 'GOOD'), widget(running, 'BAD')];
    stockActions.add(running.inventree.shop, good, 1);
    await until('one SKU is in sync', () => shown(running, 'GOOD') === 51);
    running.magento.setFault(call =>
      decodeURIComponent(call.url).includes('BAD') ? { answer: { status: 503, headers: {}, body: 'no' } } : undefined,
    );
    stockActions.add(running.inventree.shop, bad, 1);
    await untilDeadLettered(running);
    expect((await fetch(`${running.workers[0]?.url ?? ''}/readyz`)).status).toBe(200);
  });

  it('a SKU that looks like an outage is recognised also before anything was written', async () => {
    const running = await start({ MAX_ATTEMPTS: '2', TIMEOUT: '1' });
    const [good, bad] = [widget(running, 'GOOD'), widget(running, 'BAD')];
    stockActions.add(running.inventree.shop, good, 949);
    await until('one SKU is in sync', () => messages(running).some(line => line.includes("'GOOD' already shows 999")));
    running.magento.setFault(({ method, body }) =>
      isWrite({ method, body }) && JSON.stringify(body).includes('BAD') ? { hang: true } : undefined,
    );
    stockActions.add(running.inventree.shop, bad, 1);
    await untilDeadLettered(running);
    expect((await fetch(`${running.workers[0]?.url ?? ''}/readyz`)).status).toBe(200);
  });

  it('a SKU whose write is never answered is left alone once it is a dead letter', async () => {
    const running = await start({ MAX_ATTEMPTS: '2', TIMEOUT: '1' });
    const [good, bad] = [widget(running, 'GOOD'), widget(running, 'BAD')];
    stockActions.add(running.inventree.shop, good, 1);
    await until('one SKU is in sync', () => shown(running, 'GOOD') === 51);
    const isBad = ({ method, body }: { method: string; body: unknown }) =>
      isWrite({ method, body }) && JSON.stringify(body).includes('BAD');
    running.magento.setFault(call => (isBad(call) ? { hang: true } : undefined));
    stockActions.add(running.inventree.shop, bad, 1);
    await untilDeadLettered(running);
    const writes = running.magento.calls.filter(isBad).length;
    const isDue = () => running.database.redis.exists(queueKey('lookups', `de:resync:${bad.part}:15000`));
    expect(await isDue()).toBe(1);
    await until('its resync was due', async () => (await isDue()) === 0, 20_000);
    await running.quiet();
    expect(running.magento.calls.filter(isBad)).toHaveLength(writes);
  });

  it('the canary SKU of the health probe is right, also where the store carries out the probe late', async () => {
    const running = await start({ TIMEOUT: '1' });
    const [good, bad] = [widget(running, 'GOOD'), widget(running, 'BAD')];
    stockActions.add(running.inventree.shop, good, 1);
    await until('one SKU is in sync', () => shown(running, 'GOOD') === 51);
    const late = faultOnce({ beginAfterMs: 6_000 }, isWrite);
    running.magento.setFault(call => {
      const isBad = isWrite(call) && JSON.stringify(call.body).includes('BAD');
      return isBad ? jsonError(400, 'Could not save Source Item') : late.of(call);
    });
    stockActions.add(running.inventree.shop, bad, 1);
    await until('the probe gets no answer', () => messages(running).some(line => line.includes('no answer within')));
    stockActions.add(running.inventree.shop, good, 10);
    await until('the newer write is done', () => shown(running, 'GOOD') === 61);
    await until('then the older one', () => shown(running, 'GOOD') === 51, 15_000);
    await until('it is right again', () => shown(running, 'GOOD') === 61, 30_000);
  });

  it.each([true, false])('a part that InvenTree cannot read affects no other part (plugin: %s)', async plugin => {
    system = await startSystem({
      redisServer: redisServer(),
      plugin,
      sends: 'none',
      environment: { SYNC_DELAY_MS: '30', MAX_ATTEMPTS: '2' },
    });
    const running = system;
    const items = Array.from({ length: 6 }, (_, n) => widget(running, `PART-${n}`));
    const bad = items[2]?.part ?? 0;
    running.inventree.setFault(call => {
      const { parts = [] } = (call.body ?? {}) as { parts?: number[] };
      const isBad = parts.includes(bad) || call.path === `/api/part/${bad}/`;
      return isBad
        ? { answer: { status: 500, headers: { 'content-type': 'text/html' }, body: '<h1>Server Error (500)</h1>' } }
        : undefined;
    });
    await running.send({ event: 'stock_stockitem.saved', parts: items.map(item => item.part) });
    await until('the others are right', () => items.every((_, n) => n === 2 || shown(running, `PART-${n}`) === 50));
    await until('it is dead-lettered', async () => (await deadLettersOf(running)).length === 1);
    expect((await deadLettersOf(running))[0]).toMatchObject({ part: bad, errorKind: 'refused' });
    expect(hasWaited(running, 'InvenTree')).toBe(false);
  });

  it('a limit of 20 rows in one write is obeyed from then on', async () => {
    const running = await start();
    const { inventree, magento } = running;
    magento.settings.inputLimit = { array: 20, pageSize: 300, defaultPageSize: 20 };
    const items = Array.from({ length: 50 }, (_, n) => widget(running, `PART-${n}`));
    for (const quantity of [1, 2]) {
      inventree.shop.transaction(() => {
        for (const item of items) stockActions.add(inventree.shop, item, quantity);
      });
      await running.quiet();
    }
    for (const [n] of items.entries()) expect([n, shown(running, `PART-${n}`)]).toEqual([n, 53]);
    const sizes = magento.calls
      .filter(isWrite)
      .map(call => (call.body as { sourceItems: unknown[] }).sourceItems.length);
    expect(sizes.filter(size => size > 20)).toHaveLength(1);
  });
});
