import { formatQuantity, quantityAsNumber } from './quantity';
import type { TargetStock } from './target-stock';

/** What the store shows for a SKU at one source. */
export interface StoreStock {
  sourceCode: string;
  quantity: number;
  inStock: boolean;
}

/** A write that makes the store right at one source. */
export interface StockChange extends StoreStock {
  /** What the store shows now, for people: "50", "50 (out of stock)", "nothing". */
  from: string;
  /** What it will show, in the same form. */
  to: string;
}

/** How the store sells a product, by the product's own settings or the shop's. */
export interface SellingRules {
  /** Whether Magento keeps stock of it at all. */
  managesStock: boolean;
  /** Whether customers may order it at quantity 0. */
  backorders: boolean;
}

/** How most products are sold. */
export const USUAL_SELLING: SellingRules = { managesStock: true, backorders: false };

/**
 * The writes that make the store equal to the target; none where it is equal already. `inStock` follows the quantity: a
 * quantity alone leaves a sold-out product unbuyable (docs/facts/magento.md, "Legacy stock item"), and a status of 0
 * ends the sale of a product on backorder (docs/facts/magento.md, "Differences and traps"). At quantity 0 the status
 * that the store shows is left as it is, because it sells nothing without backorders. A source that never had the
 * product gets no row of 0.
 */
export function stockChanges(
  target: TargetStock,
  store: readonly StoreStock[],
  { backorders }: SellingRules = USUAL_SELLING,
): StockChange[] {
  return target.flatMap(({ sourceCode, quantity }) => {
    const next = { quantity: quantityAsNumber(quantity), inStock: quantity > 0n || backorders };
    const now = store.find(row => row.sourceCode === sourceCode);
    if (!now && quantity === 0n) return [];
    if (now && now.quantity === next.quantity && (quantity === 0n || now.inStock)) return [];
    return [{ sourceCode, ...next, from: formatRow(now), to: formatQuantity(quantity) }];
  });
}

/** Whether one of the changes ends the sale at a source: then it matters how the store sells the product. */
export function sellsOut(changes: readonly StockChange[]): boolean {
  return changes.some(({ quantity }) => quantity === 0);
}

/** Whether customers can buy the SKU at any source. */
export function showsStock(store: readonly StoreStock[]): boolean {
  return store.some(({ quantity, inStock }) => quantity > 0 && inStock);
}

/** Store stock for people: "80", "default: 50, west: 30", or "nothing" where the store has no row. */
export function formatStoreStock(store: readonly StoreStock[]): string {
  const [only] = store;
  if (!only || store.length === 1) return formatRow(only);
  return store.map(row => `${row.sourceCode}: ${formatRow(row)}`).join(', ');
}

function formatRow(row: StoreStock | undefined): string {
  if (!row) return 'nothing';
  if (row.inStock === row.quantity > 0) return String(row.quantity);
  return `${row.quantity} (${row.inStock ? 'in stock' : 'out of stock'})`;
}

/**
 * Product types that hold stock of their own. Other types show the stock of their parts or variants, although Magento
 * accepts source items for them too (docs/facts/magento.md, "Inventory source items").
 */
const TYPES_WITH_STOCK: ReadonlySet<string> = new Set(['simple', 'virtual', 'downloadable', 'giftcard']);

/** Whether a product of this type has a quantity of its own. */
export function hasOwnStock(typeId: string): boolean {
  return TYPES_WITH_STOCK.has(typeId);
}
