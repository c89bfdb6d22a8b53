import { formatStoreStock, hasOwnStock, showsStock, stockChanges, type StoreStock } from './stock-difference';
import { formatTarget, isZero, type TargetQuantities, type TargetStock } from './target-stock';

/** What a reconcile can find for a SKU. */
export const FINDING_KINDS = [
  'equal',
  'drifted',
  'missing in Magento',
  'missing in InvenTree',
  'ambiguous',
  'skipped type',
  'unreadable',
  'wrong parameter',
  'not for sale any more',
] as const;
export type FindingKind = (typeof FINDING_KINDS)[number];

/** A SKU that is not equal in both systems. */
export interface Finding {
  kind: Exclude<FindingKind, 'equal'>;
  /** null where InvenTree has none. */
  part: number | null;
  sku: string;
  /** What the store shows; undefined where it could not be read. */
  store: readonly StoreStock[] | undefined;
  /** What it should show; undefined where InvenTree has no such part. */
  target: TargetQuantities | undefined;
}

/** "SKU 'WIDGET-123' shows 50, should show 80 (part 45)" */
export function driftLine({ sku, store, target, part }: Finding): string {
  const difference = `shows ${formatStoreStock(store ?? [])}, should show ${formatTarget(target ?? {})}`;
  return `SKU '${sku}' ${difference} (part ${part})`;
}

/** What both systems say about a SKU. */
export interface BothSides {
  target: TargetStock;
  store: readonly StoreStock[];
  /** Parts that are known to have this SKU. */
  parts: readonly number[];
}

/** Whether the comparison needs to know the product. */
export function needsProduct({ target, store, parts }: BothSides): boolean {
  return parts.length <= 1 && stockChanges(target, store).length > 0;
}

/** What the two sides amount to. `productType` is undefined where the store has no product, or where none is needed. */
export function compareSides(sides: BothSides, productType: string | undefined): FindingKind {
  if (sides.parts.length > 1) return 'ambiguous';
  if (!needsProduct(sides)) return 'equal';
  if (productType === undefined) return 'missing in Magento';
  return hasOwnStock(productType) ? 'drifted' : 'skipped type';
}

/** Whether the store shows stock and should show none. */
export function fallsToZero({ target, store }: Pick<BothSides, 'target' | 'store'>): boolean {
  return isZero(target) && showsStock(store);
}
