import { stockActions } from '@stock-sync/fakes';
import { startSystem, type System } from '../src';
import { messages, redisServer } from './support';

let system: System;
beforeAll(async () => {
  system = await startSystem({ redisServer: redisServer(), environment: { SYNC_DELAY_MS: '30', MAX_ATTEMPTS: '1' } });
});
afterAll(() => system.stop());

function stockOf(name: string, quantity: number, more: object = {}) {
  const { shop } = system.inventree;
  const part = shop.addPart({ name, ...more });
  stockActions.create(shop, { part: part.pk, quantity });
  return part;
}

describe('a SKU', () => {
  it.each([
    ['with a slash', 'A/B-1'],
    ['with a comma', 'COMMA,1'],
    ['with a percent sign', 'PCT%1'],
    ['with a space', 'WIDGET 124 with space'],
    ['with a hash', 'HASH#1'],
    ['with a plus', 'PLUS+1'],
    ['with a question mark', 'Q?1'],
    ['with an ampersand', 'AMP&1'],
    ['with a quote', "QUOTE'1"],
    ['in Greek and German', 'Größe-Ω'],
    ['like a regular expression', 'R(1).*[x]|\\d$'],
    ['as long as the store allows', 'X'.repeat(64)],
  ])('%s is synced', async (_, sku) => {
    system.magento.store.addProduct(sku);
    stockOf(sku, 12);
    await system.quiet();
    expect(system.magento.store.shown(sku)).toEqual({ quantity: 12, inStock: true });
  });

  it('in another case is the same SKU, and is written as the store spells it', async () => {
    system.magento.store.addProduct('Mixed-Case-9');
    stockOf('MIXED-case-9', 4);
    await system.quiet();
    expect(system.magento.store.shown('Mixed-Case-9')?.quantity).toBe(4);
    expect([...system.magento.store.sourceItems.values()].filter(item => /mixed-case-9/i.test(item.sku))).toHaveLength(
      1,
    );
  });

  it('without a product is skipped, and no source item is created', async () => {
    const part = stockOf('NOSUCH-9', 42);
    await system.quiet();
    expect(messages(system)).toContainEqual(
      `info SKU 'NOSUCH-9' skipped: Magento has no product with this SKU (part ${part.pk}, stock_stockitem.created)`,
    );
    expect(system.magento.store.sourceItem('NOSUCH-9')).toBeUndefined();
  });

  it('whose product was deleted in the store since is not written', async () => {
    const { shop } = system.inventree;
    system.magento.store.addProduct('DELETED-1');
    const part = stockOf('DELETED-1', 4);
    await system.quiet();
    system.magento.store.deleteProduct('DELETED-1');
    stockActions.create(shop, { part: part.pk, quantity: 1 });
    await system.quiet();
    expect(system.magento.store.sourceItem('DELETED-1')).toBeUndefined();
  });

  it.each(['bundle', 'configurable', 'grouped'])(
    'of a %s product is skipped: it has no stock of its own',
    async typeId => {
      const sku = `TYPE-${typeId}`;
      system.magento.store.addProduct(sku, { typeId });
      const part = stockOf(sku, 3);
      await system.quiet();
      expect(messages(system)).toContainEqual(
        `info SKU '${sku}' skipped: a ${typeId} product has no stock of its own ` +
          `(part ${part.pk}, stock_stockitem.created)`,
      );
      expect(system.magento.store.sourceItem(sku)).toBeUndefined();
    },
  );

  it('of two parts (in another case, with a trailing space) is not written, and an error names both', async () => {
    const { shop } = system.inventree;
    system.magento.store.addProduct('TWIN-1', { quantity: 77 });
    const first = shop.addPart({ name: 'twin-1 ', IPN: 'other' });
    const second = stockOf('TWIN-1', 5);
    await system.quiet();
    expect(system.magento.store.shown('TWIN-1')?.quantity).toBe(77);
    const named = `Parts ${first.pk} and ${second.pk} both have SKU 'TWIN-1': nothing is written until only one has it`;
    expect(messages(system).filter(line => line.startsWith('error') && line.includes(named))).toHaveLength(1);

    stockActions.renamePart(shop, first.pk, { name: 'TWIN-2' });
    await system.send({ event: 'stock_stockitem.saved', part: second.pk });
    await system.quiet();
    expect(system.magento.store.shown('TWIN-1')?.quantity).toBe(5);
    expect(messages(system)).toContainEqual(`info part ${second.pk} is in sync: its dead letter is removed`);
  });

  it('of a renamed part is reported and taken to zero, and the new SKU is synced', async () => {
    const { shop } = system.inventree;
    for (const sku of ['OLD-1', 'NEW-1']) system.magento.store.addProduct(sku);
    const part = stockOf('OLD-1', 8);
    await system.quiet();
    stockActions.renamePart(shop, part.pk, { name: 'NEW-1' });
    await system.quiet();
    expect(system.magento.store.shown('NEW-1')?.quantity).toBe(8);
    expect(system.magento.store.shown('OLD-1')?.quantity).toBe(0);
    expect(messages(system)).toContainEqual(
      `warn Part ${part.pk} had SKU 'OLD-1' and now has SKU 'NEW-1': no part has it now, so it is updated from 8 to 0`,
    );
  });

  it('of a virtual part is skipped, and of a template only its own stock counts', async () => {
    const { shop } = system.inventree;
    for (const sku of ['VIRTUAL-1', 'TEMPLATE-1']) system.magento.store.addProduct(sku, { quantity: 77 });
    stockOf('VIRTUAL-1', 1, { virtual: true });
    const template = stockOf('TEMPLATE-1', 1, { isTemplate: true });
    const variant = shop.addPart({ name: 'VARIANT-1', variantOf: template.pk });
    stockActions.create(shop, { part: variant.pk, quantity: 20 });
    await system.quiet();
    expect(system.magento.store.shown('VIRTUAL-1')?.quantity).toBe(77);
    expect(system.magento.store.shown('TEMPLATE-1')?.quantity).toBe(1);
  });

  it('that was sold out is in stock again when stock arrives', async () => {
    const { shop } = system.inventree;
    system.magento.store.addProduct('AGAIN-1', { quantity: 3 });
    const part = shop.addPart({ name: 'AGAIN-1' });
    const item = shop.insertItem({ part: part.pk, quantity: 3 });
    stockActions.remove(shop, item, 3);
    await system.quiet();
    expect(system.magento.store.shown('AGAIN-1')).toEqual({ quantity: 0, inStock: false });
    stockActions.create(shop, { part: part.pk, quantity: 9 });
    await system.quiet();
    expect(system.magento.store.shown('AGAIN-1')).toEqual({ quantity: 9, inStock: true });
  });
});
