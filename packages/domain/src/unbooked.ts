import { ONE, quantityFrom, roundedNumber, type Quantity } from './quantity';
import type { OrderLine, ShopOrder } from './sales-order';
import type { SourceQuantity, TargetStock } from './target-stock';

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

/** Units of a product by the source they were shipped from, `''` where that is not known. */
export type UnitsBySource = Readonly<Record<string, number>>;

export function totalUnits(units: UnitsBySource): number {
  return roundedNumber(Object.values(units).reduce((total, count) => total + count, 0));
}

/** The sum of several, source by source, without those of which nothing is left. */
export function sumOfUnits(all: readonly UnitsBySource[]): UnitsBySource {
  const total: Record<string, number> = {};
  for (const [source, count] of all.flatMap(units => Object.entries(units))) {
    total[source] = roundedNumber((total[source] ?? 0) + count);
  }
  return Object.fromEntries(Object.entries(total).filter(([, count]) => count !== 0));
}

/**
 * Unbooked units by source: those of which the system that is ahead has shipped more than the other one. What both have
 * shipped is not unbooked, even if they say different sources.
 */
export function unitsBySource(units: number, inInvenTree: UnitsBySource, inMagento: UnitsBySource): UnitsBySource {
  const [ahead, behind] = units > 0 ? [inInvenTree, inMagento] : [inMagento, inInvenTree];
  const found: Record<string, number> = {};
  let rest = Math.abs(units);
  for (const [source, count] of Object.entries(ahead)) {
    const taken = Math.min(rest, Math.max(0, count - (behind[source] ?? 0)));
    rest -= taken;
    found[source] = Math.sign(units) * taken;
  }
  return sumOfUnits([found, { '': Math.sign(units) * rest }]);
}

/**
 * A target with what is unbooked, at its source. What belongs to no source of the target counts at the first one, if it
 * is added; if it is taken away, and where a source has too little, at the first ones that have it. None falls below
 * zero: the store refuses nothing, but it would sell what nobody has.
 */
export function withUnbooked(target: TargetStock, units: UnitsBySource): TargetStock {
  if (Object.keys(units).length === 0) return target;
  const atSources = target.map(at => changedBy(at, quantityFrom(units[at.sourceCode] ?? 0)));
  let rest = quantityFrom(totalUnits(units)) - (total(atSources) - total(target));
  if (rest === 0n) return atSources;
  return atSources.map(at => {
    const changed = changedBy(at, rest);
    rest -= changed.quantity - at.quantity;
    return changed;
  });
}

function changedBy({ sourceCode, quantity }: SourceQuantity, change: Quantity): SourceQuantity {
  return { sourceCode, quantity: change > 0n ? quantity + change : quantity - smaller(quantity, -change) };
}

function total(target: TargetStock): Quantity {
  return target.reduce((sum, { quantity }) => sum + quantity, 0n);
}

function smaller(first: Quantity, second: Quantity): Quantity {
  const limit = first < 0n ? 0n : first;
  return limit < second ? limit : second;
}

/** Units of the product in a quantity of the part: of packs, only whole ones. */
export function unitsOfProduct(quantity: number, packSize: number): number {
  const units = quantityFrom(quantity);
  if (packSize === 1) return Number(units) / Number(ONE);
  return Math.floor(Number(units) / Number(quantityFrom(packSize)));
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
