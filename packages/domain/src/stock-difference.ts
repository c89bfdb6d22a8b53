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

/**
 * The writes that make the store equal to the target; none where it is equal already. `inStock` always follows the
 * quantity: a quantity alone leaves a sold-out product unbuyable (docs/facts/magento.md, "Legacy stock item").
 */
export function stockChanges(target: TargetStock, store: readonly StoreStock[]): StockChange[] {
  return target.flatMap(({ sourceCode, quantity }) => {
    const next = { quantity: quantityAsNumber(quantity), inStock: quantity > 0n };
    const now = store.find(row => row.sourceCode === sourceCode);
    if (now && now.quantity === next.quantity && now.inStock === next.inStock) return [];
    return [{ sourceCode, ...next, from: formatRow(now), to: formatQuantity(quantity) }];
  });
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
