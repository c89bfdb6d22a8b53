import type { InvenTreeShop } from '@stock-sync/fakes';

/** The rules of the seeds that have some. */
export const RULES = { COUNT_STATUSES: 'OK', EXCLUDE_LOCATIONS: '3', SAFETY_STOCK: '10%' };
const OK = 10;
const EXCLUDED = 3;

/** What the store should show for a part. Computed from its stock items, with nothing of the code that is tested. */
export function expectedQuantity(shop: InvenTreeShop, part: number, hasRules: boolean): number {
  if (!hasRules) return Math.max(0, Math.floor(shop.inStock(part)));
  const counted = shop
    .itemsOf(part)
    .filter(item => shop.isInStock(item) && item.status === OK && item.location !== EXCLUDED)
    .reduce((total, item) => total + item.quantity, 0);
  return Math.floor((counted * 9) / 10);
}
