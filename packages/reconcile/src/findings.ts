import type { Product } from '@stock-sync/magento-client';
import { holdsStock, isNothing, stockChanges, type ShownStock, type WantedStock } from '@stock-sync/sync-core';

/** What comparing both sides may find of a SKU. */
export const KINDS = [
  'equal',
  'drifted',
  'missing in Magento',
  'missing in InvenTree',
  'ambiguous',
  'skipped type',
  'unreadable',
] as const;
export type FindingKind = (typeof KINDS)[number];

/** A SKU that is not equal on both sides, and both numbers, in words. */
export interface Finding {
  kind: Exclude<FindingKind, 'equal'>;
  /** null where InvenTree has none. */
  part: number | null;
  sku: string;
  /** What the store shows: "80". */
  shows: string;
  /** What it should show; empty where nobody knows. */
  wanted: string;
}

/** What both sides tell of a SKU. */
export interface BothSides {
  wanted: readonly WantedStock[];
  shown: readonly ShownStock[];
  /** Parts that are known to bear the SKU. */
  bearers: readonly number[];
}

/** Whether the store's product has to be known to tell what is wrong, if anything is. */
export function asksForProduct({ wanted, shown, bearers }: BothSides): boolean {
  return bearers.length <= 1 && stockChanges(wanted, shown).length > 0;
}

/** What they come to; `product` is undefined where the store has none, or where it was not asked for. */
export function kindOf(sides: BothSides, product: Product | undefined): FindingKind {
  if (sides.bearers.length > 1) return 'ambiguous';
  if (!asksForProduct(sides)) return 'equal';
  if (!product) return 'missing in Magento';
  return holdsStock(product.typeId) ? 'drifted' : 'skipped type';
}

/** Whether the store shows stock and should show none. */
export function fallsToZero({ wanted, shown }: BothSides): boolean {
  return isNothing(wanted) && showsStock(shown);
}

export function showsStock(shown: readonly ShownStock[]): boolean {
  return shown.some(({ quantity, inStock }) => quantity > 0 && inStock);
}
