import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { startMagento } from '@stock-sync/fakes';
import { startService, startSystem, TEST_SECRET, type System, type SystemOptions } from '../src';
import { deadLettersOf, messages, redisServer, shown, until } from './support';

/** The rules that a shop sets, in a running system: docs/rules.md has an example of each. */

let system: System | undefined;
afterEach(async () => {
  await system?.stop();
  system = undefined;
});

async function start(environment: Record<string, string>, options: Partial<SystemOptions> = {}) {
  system = await startSystem({
    redisServer: redisServer(),
    ...options,
    environment: { SYNC_DELAY_MS: '10', ...environment },
  });
  return system;
}

const OTHER_SECRET = 'whsec_b3RoZXItc2VjcmV0LW9mLTI0LWJ5dGVzLi4uLi4=';

/** A part with this many in stock, whose product shows 999. */
function addPart({ inventree, magento }: System, name: string, quantity: number, more: object = {}, sku = name) {
  const part = inventree.shop.addPart({ name, ...more });
  if (!magento.store.product(sku)) magento.store.addProduct(sku, { quantity: 999 });
  return { part, item: inventree.shop.insertItem({ part: part.pk, quantity }) };
}

const logged = (running: System, text: string) => messages(running).filter(line => line.includes(text));

/** Saves a part in InvenTree, as a user does. */
const save = ({ inventree: { shop } }: System, part: ReturnType<typeof addPart>['part']) =>
  shop.transaction(() => shop.savePart(part));

/** Counts an item in InvenTree, as a user does. */
const count = ({ inventree: { shop } }: System, item: ReturnType<typeof addPart>['item'], quantity: number) =>
  shop.transaction(() => {
    item.quantity = quantity;
    shop.saveItem(item);
  });

async function shows(running: System, sku: string, quantity: number): Promise<void> {
  await until(
    `the store shows ${quantity} of ${sku}`,
    () => shown(running, sku) === quantity,
    10_000,
    () => [`it shows ${shown(running, sku)}`, ...messages(running)],
  );
}

it('a part that is no longer sold online is taken to zero, and comes back', async () => {
  const running = await start({ SYNC_CATEGORIES: '3' });
  const { shop } = running.inventree;
  for (const [pk, parent] of [
    [3, null],
    [7, 3],
    [9, null],
  ] as const)
    shop.categories.set(pk, parent);
  const { part } = addPart(running, 'WIDGET-123', 50, { category: 7 });
  const other = addPart(running, 'TOOL-1', 5, { category: 9 });
  save(running, part);
  save(running, other.part);
  await shows(running, 'WIDGET-123', 50);
  part.category = 9;
  save(running, part);
  await shows(running, 'WIDGET-123', 0);
  const why = 'now is in none of the categories 3 (SYNC_CATEGORIES): no part has it now';
  await until('the log says why', () => logged(running, why).length === 1);
  // A sub-category that was created since.
  shop.categories.set(11, 7);
  part.category = 11;
  save(running, part);
  await shows(running, 'WIDGET-123', 50);
  expect(shown(running, 'TOOL-1')).toBe(999);
});

it('a part that leaves is taken to zero although a part that never was sold online has its SKU', async () => {
  const running = await start({ SYNC_PARTS: 'salable', SKU_FIELD: 'IPN' });
  const { part } = addPart(running, 'New', 50, { IPN: 'W-1' }, 'W-1');
  running.inventree.shop.addPart({ name: 'Sample', IPN: 'W-1', salable: false });
  save(running, part);
  await shows(running, 'W-1', 50);
  part.salable = false;
  save(running, part);
  await shows(running, 'W-1', 0);
});

describe('several parts with one SKU', () => {
  it('show their sum with SHARED_SKU=sum, whichever changes, and what is left when one is deleted', async () => {
    const running = await start({ SKU_FIELD: 'IPN', SHARED_SKU: 'sum' });
    const first = addPart(running, 'Red box', 50, { IPN: 'BOX' }, 'BOX');
    const second = addPart(running, 'Blue box', 7, { IPN: 'box' }, 'BOX');
    save(running, first.part);
    await shows(running, 'BOX', 57);
    count(running, second.item, 8);
    await shows(running, 'BOX', 58);
    count(running, first.item, 20);
    await shows(running, 'BOX', 28);
    running.inventree.shop.transaction(() => running.inventree.shop.deletePart(first.part));
    await shows(running, 'BOX', 8);
  });

  it('are synced by a sweep when one changes without an event, and are equal for a reconcile', async () => {
    const environment = { SKU_FIELD: 'IPN', SHARED_SKU: 'sum', SWEEP_INTERVAL_SECONDS: '1' };
    const running = await start(environment, { sends: 'none' });
    addPart(running, 'Red box', 50, { IPN: 'BOX' }, 'BOX');
    const second = addPart(running, 'Blue box', 7, { IPN: 'box' }, 'BOX');
    await shows(running, 'BOX', 57);
    second.item.quantity = 8;
    await shows(running, 'BOX', 58);
    await running.startWorker({ RECONCILE_INTERVAL_MINUTES: '30' });
    await until('a reconcile ran', () => logged(running, 'Reconcile (').length > 0);
    expect(logged(running, 'parts in').every(line => line.includes('1 equal; 0 queued'))).toBe(true);
  });
});

it('several SKUs of one part show the same, and one that it loses falls to zero', async () => {
  const running = await start({ SKU_FIELD: 'parameter:Web SKU', SKU_SEPARATOR: ',' });
  const { shop } = running.inventree;
  shop.templates.set(5, { pk: 5, name: 'Web SKU' });
  const { part, item } = addPart(running, 'Widget', 50, {}, 'W-1');
  running.magento.store.addProduct('W-2', { quantity: 999 });
  const parameter = { pk: 1, template: 5, part: part.pk, data: 'W-1, W-2' };
  shop.parameters.push(parameter);
  save(running, part);
  await shows(running, 'W-1', 50);
  await shows(running, 'W-2', 50);
  count(running, item, 40);
  await shows(running, 'W-1', 40);
  await shows(running, 'W-2', 40);
  parameter.data = 'W-2';
  save(running, part);
  await shows(running, 'W-1', 0);
  expect(shown(running, 'W-2')).toBe(40);
});

it('a template has the stock of its variants, and follows them at once', async () => {
  const running = await start({ TEMPLATE_TOTAL: 'true' });
  const template = addPart(running, 'SHIRT', 1, { isTemplate: true });
  const red = addPart(running, 'SHIRT-RED', 10, { variantOf: template.part.pk });
  save(running, red.part);
  await shows(running, 'SHIRT-RED', 10);
  await shows(running, 'SHIRT', 11);
  count(running, red.item, 4);
  await shows(running, 'SHIRT', 5);
});

it('what can be built counts, and follows its components with the next sweep', async () => {
  const running = await start({ COUNT_BUILDABLE: 'true', SWEEP_INTERVAL_SECONDS: '1' });
  const kit = addPart(running, 'KIT', 2, { assembly: true });
  const screw = addPart(running, 'SCREW', 100);
  running.inventree.shop.billOfMaterials.push({ part: kit.part.pk, component: screw.part.pk, quantity: 20 });
  await shows(running, 'KIT', 7);
  count(running, screw.item, 45);
  await shows(running, 'KIT', 4);
});

it('a parameter with a wrong value is a dead letter that says so, until it is right', async () => {
  const running = await start({ PACK_SIZE_PARAMETER: 'Pack size', MAX_ATTEMPTS: '1' });
  const { shop } = running.inventree;
  shop.templates.set(5, { pk: 5, name: 'Pack size' });
  const { part } = addPart(running, 'WIDGET-123', 57);
  const parameter = { pk: 1, template: 5, part: part.pk, data: 'ten' };
  shop.parameters.push(parameter);
  save(running, part);
  await until('there is a dead letter', async () => (await deadLettersOf(running)).length === 1);
  expect(await deadLettersOf(running)).toMatchObject([
    {
      sku: 'WIDGET-123',
      errorKind: 'wrong-parameter',
      reason: `Part ${part.pk} has 'ten' as parameter 'Pack size': expected a number above 0, such as 10`,
    },
  ]);
  parameter.data = '10';
  save(running, part);
  await shows(running, 'WIDGET-123', 5);
  await until('the dead letter is gone', async () => (await deadLettersOf(running)).length === 0);
});

describe('other rules', () => {
  /** Eight parts of which five are damaged, in sync without any rule. */
  async function shopInSync() {
    const running = await start({ RECONCILE_INTERVAL_MINUTES: '30', SWEEP_INTERVAL_SECONDS: '1' });
    const { shop } = running.inventree;
    const repair = shop.addLocation('Repair');
    for (let n = 1; n <= 8; n++) {
      const { part } = addPart(running, `P-${n}`, 10 * n);
      shop.insertItem({ part: part.pk, quantity: 5, status: 55, location: repair.pk });
      save(running, part);
    }
    for (let n = 1; n <= 8; n++) await shows(running, `P-${n}`, 10 * n + 5);
    await running.workers[0]?.stop();
    return { running, repair };
  }

  it('are announced with what they change, before all parts are synced by them', async () => {
    const { running } = await shopInSync();
    const [first] = running.inventree.shop.parts.values();
    if (first) save(running, first);
    await running.startWorker({ COUNT_STATUSES: 'OK', SAFETY_STOCK: '10%' });
    for (let n = 1; n <= 8; n++) await shows(running, `P-${n}`, 9 * n);
    const announced = logged(running, 'By the new rules');
    expect(announced[0]).toBe(
      'warn By the new rules 8 of 8 SKUs will show another quantity: 0 more (0 units), 8 less (76 units); ' +
        '0 are not for sale any more',
    );
    expect(announced[1]).toBe("warn By the new rules SKU 'P-8' will go from 85 to 72 (part 8)");
    const lines = messages(running);
    // Not even the part that had an event.
    const firstWrite = lines.findIndex(line => line.includes('from 15 to 9'));
    expect(firstWrite).toBeGreaterThan(lines.indexOf(announced[0] ?? ''));
    // The same rules are not announced again.
    await running.workers[1]?.stop();
    await running.startWorker({ COUNT_STATUSES: 'OK', SAFETY_STOCK: '10%' });
    await until('a reconcile ran', () => logged(running, 'Reconcile (start-up').length > 1);
    expect(logged(running, 'The rules of this shop were changed')).toHaveLength(1);
  });

  it('that would take much of the shop to zero are held back', async () => {
    const { running } = await shopInSync();
    await running.startWorker({ SYNC_PARAMETER: 'Web shop=yes' });
    await until('it is refused', () => logged(running, 'error InvenTree cannot be read').length > 0);
    expect(logged(running, "no parameter template named 'Web shop'").length).toBeGreaterThan(0);
    await running.workers[1]?.stop();
    running.inventree.shop.templates.set(5, { pk: 5, name: 'Web shop' });
    await running.startWorker({ SYNC_PARAMETER: 'Web shop=yes', TIMEOUT: '6' });
    await until(
      'the guard holds them back',
      () => logged(running, 'error Reconcile: ').length > 0,
      20_000,
      () => messages(running),
    );
    expect(logged(running, '0 less (0 units); 8 are not for sale any more')).toHaveLength(1);
    expect(shown(running, 'P-8')).toBe(85);
  });
});

it('one InvenTree feeds two shops, each with its own store, rules, secret and keys', async () => {
  const retail = await start({ SAFETY_STOCK: '5' }, { sends: 'none' });
  const wholesale = await startMagento();
  const { accessToken, consumerKey, consumerSecret, accessTokenSecret } = wholesale.integration;
  const environment = {
    ...retail.environment,
    REDIS_PREFIX: 'wholesale',
    WEBHOOK_SECRET: OTHER_SECRET,
    MAGENTO_URL: wholesale.url,
    MAGENTO_ACCESS_TOKEN: accessToken,
    MAGENTO_CONSUMER_KEY: consumerKey,
    MAGENTO_CONSUMER_SECRET: consumerSecret,
    MAGENTO_ACCESS_TOKEN_SECRET: accessTokenSecret,
    SAFETY_STOCK: '0',
    SYNC_PARAMETER: 'Wholesale=yes',
  };
  retail.inventree.shop.templates.set(5, { pk: 5, name: 'Wholesale' });
  const ingest = await startService('ingest', environment);
  const worker = await startService('worker', environment);
  try {
    retail.inventree.sendTo(
      { url: retail.ingest.url, secret: TEST_SECRET, sends: 'plugin' },
      { url: ingest.url, secret: OTHER_SECRET, sends: 'plugin' },
    );
    const both = addPart(retail, 'WIDGET-123', 50);
    const retailOnly = addPart(retail, 'GADGET-1', 20);
    for (const name of ['WIDGET-123', 'GADGET-1']) wholesale.store.addProduct(name, { quantity: 999 });
    retail.inventree.shop.parameters.push({ pk: 1, template: 5, part: both.part.pk, data: 'yes' });
    save(retail, both.part);
    save(retail, retailOnly.part);
    await shows(retail, 'WIDGET-123', 45);
    await shows(retail, 'GADGET-1', 15);
    await until('the other shop is in sync', () => wholesale.store.shown('WIDGET-123')?.quantity === 50);
    count(retail, both.item, 30);
    await shows(retail, 'WIDGET-123', 25);
    await until('the other shop is in sync', () => wholesale.store.shown('WIDGET-123')?.quantity === 30);
    expect(wholesale.store.shown('GADGET-1')?.quantity).toBe(999);
  } finally {
    retail.inventree.sendTo();
    await Promise.all([ingest.stop(), worker.stop()]);
    await wholesale.close();
  }
});

describe('stock-sync explain', () => {
  const command = join(__dirname, '../../../../apps/cli/dist/main.js');
  const explain = (running: System, ...args: string[]) =>
    new Promise<{ code: number | null; out: string }>(resolve => {
      const env = { ...process.env, ...running.environment };
      const child = execFile(process.execPath, [command, 'explain', ...args], { env }, (_, out, errors) =>
        resolve({ code: child.exitCode, out: out + errors }),
      );
    });

  it('says how the quantities of three SKUs are made up', async () => {
    const running = await start({
      COUNT_STATUSES: 'OK,Returned',
      EXCLUDE_LOCATIONS: '2',
      STOCK_BASIS: 'unallocated',
      SAFETY_STOCK: '3',
      SYNC_PARTS: 'active',
    });
    const { shop } = running.inventree;
    shop.addLocation('Main', { pk: 1 });
    shop.addLocation('Repair', { pk: 2 });
    const { part } = addPart(running, 'WIDGET-123', 65);
    shop.insertItem({ part: part.pk, quantity: 5, status: 55 });
    shop.insertItem({ part: part.pk, quantity: 10, location: 2 });
    shop.salesAllocations.push({ pk: 1, line: 1, item: 1, quantity: 12, shipment: 1, order: 1 });
    save(running, part);
    await shows(running, 'WIDGET-123', 50);
    const { code, out } = await explain(running, 'WIDGET-123');
    expect(code).toBe(0);
    expect(out.replace(/\d{4}-\S+Z/, '<time>')).toBe(
      [
        "Part 1 'WIDGET-123'",
        "  InvenTree:     80 in stock, 5 damaged, 10 at 'Repair', 12 allocated, 3 safety stock: 50 for sale",
        '  SKU:           WIDGET-123',
        '  Magento shows: 50',
        '  Last sync:     updated, <time>',
        '',
      ].join('\n'),
    );

    const inactive = addPart(running, 'OLD', 4, { active: false });
    expect((await explain(running, 'OLD')).out).toContain('not sold online: the part is inactive (SYNC_PARTS=active)');
    running.magento.store.writeSourceItem('WIDGET-123', 'default', 7, 1);
    const json = JSON.parse((await explain(running, String(part.pk), '--json')).out) as unknown;
    expect(json).toMatchObject([{ part: 1, target: { default: '50' }, store: [{ sku: 'WIDGET-123', shows: '7' }] }]);
    expect((await explain(running, 'WIDGET-123')).out).toContain('Magento shows: 7, should show 50');
    expect(inactive.part.pk).toBe(2);
    expect(await explain(running, 'NOBODY')).toEqual({ code: 1, out: "No part has SKU, id, name or IPN 'NOBODY'.\n" });
  });
});
