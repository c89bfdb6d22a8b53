import { numberOf, textOf } from './decimal';
import type { WantedStock } from './wanted-stock';

/** What a store shows for a SKU at one source. */
export interface ShownStock {
  sourceCode: string;
  quantity: number;
  inStock: boolean;
}

/** A write that would make the store right. */
export interface StockChange {
  sourceCode: string;
  quantity: number;
  /** Follows the quantity, always: a quantity alone leaves a product that was sold out unbuyable [recording
   * legacy-put-back-only-qty-after]. */
  inStock: boolean;
  /** What the store shows now, in words: "50", "50 (out of stock)", "nothing". */
  from: string;
  /** What it should show, in the same words. */
  to: string;
}

/** The writes that make what the store shows equal to what it should show; none where it does already. */
export function stockChanges(wanted: readonly WantedStock[], shown: readonly ShownStock[]): StockChange[] {
  return wanted.flatMap(({ sourceCode, quantity }) => {
    const target = { quantity: numberOf(quantity), inStock: quantity > 0n };
    const now = shown.find(row => row.sourceCode === sourceCode);
    if (now && now.quantity === target.quantity && now.inStock === target.inStock) return [];
    return [{ sourceCode, ...target, from: describeShown(now), to: textOf(quantity) }];
  });
}

/** What the store shows, in words: "80", "default: 50, west: 30", or "nothing" where it has no row. */
export function shownInWords(shown: readonly ShownStock[]): string {
  const [only] = shown;
  if (!only || shown.length === 1) return describeShown(only);
  return shown.map(row => `${row.sourceCode}: ${describeShown(row)}`).join(', ');
}

function describeShown(now: ShownStock | undefined): string {
  if (!now) return 'nothing';
  const expected = now.quantity > 0;
  if (now.inStock === expected) return String(now.quantity);
  return `${now.quantity} (${now.inStock ? 'in stock' : 'out of stock'})`;
}

/** Product types that hold stock of their own; others show the stock of their parts or variants. Magento takes a
 * source item for any of them all the same [recordings msi-post-configurable, msi-post-bundle-in-batch]. */
const TYPES_WITH_STOCK: ReadonlySet<string> = new Set(['simple', 'virtual', 'downloadable', 'giftcard']);

/** Whether a product of this type has a quantity of its own. */
export function holdsStock(typeId: string): boolean {
  return TYPES_WITH_STOCK.has(typeId);
}
