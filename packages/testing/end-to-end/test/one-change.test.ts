import { stockActions } from '@stock-sync/fakes';
import { startSystem, type System } from '../src';
import { redisServer } from './support';

describe('one change in InvenTree', () => {
  let system: System;
  beforeAll(async () => {
    system = await startSystem({ redisServer: redisServer() });
  });
  afterAll(() => system.stop());

  it('ends as the right quantity in Magento', async () => {
    const { inventree, magento } = system;
    const shelf = inventree.shop.addLocation('Shelf');
    const part = inventree.shop.addPart({ name: 'WIDGET-123' });
    magento.store.addProduct('WIDGET-123');

    stockActions.create(inventree.shop, { part: part.pk, quantity: 50, location: shelf.pk });
    await system.quiet();

    expect(magento.store.shown('WIDGET-123')).toEqual({ quantity: 50, inStock: true });
    const lines = system.workerLog().map(line => line.message);
    expect(lines).toContainEqual(
      `Magento 2 SKU 'WIDGET-123' updated from 0 to 50, in stock (part ${part.pk}, stock_stockitem.created)`,
    );
  });
});
