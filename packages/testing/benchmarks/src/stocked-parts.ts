import { chunk } from '@stock-sync/domain';
import type { System } from '@stock-sync/end-to-end';
import type { StockItem } from '@stock-sync/fakes';

/** Adds a part that is sold online, with one stock item, whose quantity the store shows. */
export function addStockedPart({ inventree: { shop }, magento }: System, name: string, quantity: number): StockItem {
  magento.store.addProduct(name, { quantity });
  return shop.insertItem({ part: shop.addPart({ name }).pk, quantity });
}

/** The same for several: PART-0, PART-1, ... */
export function addStockedParts(system: System, count: number, quantity: number): StockItem[] {
  return Array.from({ length: count }, (_, n) => addStockedPart(system, `PART-${n}`, quantity));
}

/** What the plugin sends when a stock item was saved. */
export function savedEvent({ pk, part }: StockItem) {
  return { event: 'stock_stockitem.saved', model: 'StockItem', id: pk, part };
}

/** The events of one webhook where many items change. */
const EVENTS_EACH = 50;

/** Sends what the plugin sends for these items, 50 events a webhook, one after another. */
export async function sendSaved(system: System, items: readonly StockItem[]): Promise<void> {
  for (const some of chunk(items, EVENTS_EACH)) await system.send({ events: some.map(savedEvent) });
}

/** Whether the store shows the quantity of a part's only stock item. */
export function isShown({ inventree: { shop }, magento: { store } }: System, { part, quantity }: StockItem): boolean {
  return store.shown(shop.parts.get(part)?.name ?? '')?.quantity === quantity;
}
