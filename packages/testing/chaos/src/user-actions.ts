import { stockActions, type InvenTreeShop } from '@stock-sync/fakes';
import type { Random } from './random';

/** A random user action on the stock of a part, or of any part; returns what it was. */
export function userAction(shop: InvenTreeShop, random: Random, index?: number): string {
  const parts = [...shop.parts.keys()];
  const part = (index === undefined ? undefined : parts[index]) ?? random.one(parts);
  const items = shop.itemsOf(part);
  const item = items.length > 0 ? random.one(items) : undefined;
  const location = random.one([...shop.locations.keys()]);
  if (!item || random.chance(0.15)) {
    const quantity = random.between(1, 100);
    stockActions.create(shop, { part, quantity, location });
    return `create ${quantity} of part ${part}`;
  }
  const what = random.one([
    'add',
    'remove',
    'count',
    'sell out',
    'move',
    'status',
    'delete',
    'convert',
    'patch',
  ] as const);
  switch (what) {
    case 'add':
      stockActions.add(shop, item, random.between(1, 20));
      break;
    case 'remove':
      stockActions.remove(shop, item, random.between(1, 20));
      break;
    case 'count':
      stockActions.count(shop, item, random.between(0, 100));
      break;
    case 'sell out':
      stockActions.count(shop, item, 0);
      break;
    case 'move':
      stockActions.transfer(shop, item, random.between(1, Math.max(1, Math.floor(item.quantity))), location);
      break;
    case 'status':
      stockActions.changeStatus(shop, [item], random.one([10, 50, 65, 70]));
      break;
    case 'delete':
      stockActions.deleteItem(shop, item);
      break;
    case 'convert':
      stockActions.convert(shop, item, random.one([...shop.parts.keys()]));
      break;
    case 'patch':
      stockActions.patch(shop, item, { quantity: random.between(1, 100) });
      break;
  }
  return `${what} item ${item.pk} of part ${part}`;
}
