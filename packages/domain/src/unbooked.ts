import { ONE, parseQuantity, type Quantity } from './quantity';
import type { OrderLine, ShopOrder } from './sales-order';
import type { TargetStock } from './target-stock';

/** What both systems have shipped of a row of an order, in units of the product. */
export interface ShippedUnits extends Pick<OrderLine, 'shipped' | 'toShip'> {
  /** What InvenTree has shipped. */
  inInvenTree: number;
  /** Whether InvenTree will ship no more of it, because its sales order is cancelled. */
  isCancelled: boolean;
}

/**
 * The units that one of the two systems has shipped and the other has not booked yet: what the store has to show beyond
 * InvenTree's stock for sale. Above zero where InvenTree is ahead, for Magento goes on reserving those units until it
 * ships them, and below zero where Magento is ahead, for InvenTree still has them on its shelves.
 */
export function unbookedUnits({ shipped, toShip, inInvenTree, isCancelled }: ShippedUnits): number {
  const ahead = inInvenTree - shipped;
  // More than the store has to ship is not reserved there.
  if (ahead > 0) return Math.min(ahead, toShip);
  return isCancelled ? 0 : ahead;
}

/**
 * A target with what is unbooked. The first source gets what is added; what is taken away comes from the first sources
 * that have it, and none falls below zero: the store refuses nothing, but it would sell what nobody has.
 */
export function withUnbooked(target: TargetStock, units: number): TargetStock {
  let rest = parseQuantity(units.toFixed(5));
  if (rest === 0n) return target;
  return target.map(({ sourceCode, quantity }) => {
    const now = rest > 0n ? quantity + rest : quantity - smaller(quantity, -rest);
    rest -= now - quantity;
    return { sourceCode, quantity: now };
  });
}

function smaller(first: Quantity, second: Quantity): Quantity {
  const limit = first < 0n ? 0n : first;
  return limit < second ? limit : second;
}

/** Units of the product in a quantity of the part: of packs, only whole ones. */
export function unitsOfProduct(quantity: number, packSize: number): number {
  const units = parseQuantity(quantity.toFixed(5));
  if (packSize === 1) return Number(units) / Number(ONE);
  return Math.floor(Number(units) / Number(parseQuantity(packSize.toFixed(5))));
}

/** What is to be shipped of a row, in units of the product. */
export interface ShipmentItem {
  item: number;
  quantity: number;
}

/**
 * The rows by which the store ships these units. A bundle is shipped by its own row, as a whole: its children have no
 * shipment of their own, so parts of one wait until all of them are there (docs/facts/magento.md, "The life of an
 * order").
 * @param units by the row that has the product, as in `orderLines`
 */
export function shipmentItems({ items }: ShopOrder, units: ReadonlyMap<number, number>): ShipmentItem[] {
  const found: ShipmentItem[] = [];
  for (const { id, productType, parent, ordered } of items) {
    if (parent !== undefined) continue;
    const quantity = productType === 'bundle' ? wholeBundles(id, ordered) : (units.get(id) ?? 0);
    if (quantity > 0) found.push({ item: id, quantity });
  }
  return found;

  function wholeBundles(bundle: number, ordered: number): number {
    const children = items.filter(({ parent }) => parent === bundle);
    if (children.length === 0) return 0;
    return Math.min(...children.map(child => Math.floor((units.get(child.id) ?? 0) / (child.ordered / ordered))));
  }
}

/** What a shipment of the store has sent, by the rows of `orderLines`: of a bundle, all that one unit consists of. */
export function shippedUnits({ items }: ShopOrder, shipped: readonly ShipmentItem[]): Map<number, number> {
  const units = new Map<number, number>();
  for (const { item, quantity } of shipped) {
    const row = items.find(({ id }) => id === item);
    if (!row) continue;
    const children = row.productType === 'bundle' ? items.filter(({ parent }) => parent === item) : [];
    for (const child of children) units.set(child.id, (child.ordered / row.ordered) * quantity);
    if (row.productType !== 'bundle') units.set(item, quantity);
  }
  return units;
}
