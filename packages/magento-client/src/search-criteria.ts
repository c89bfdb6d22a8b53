import { skuKey } from '@stock-sync/domain';

/** By default nginx refuses a URL of more than 8 KiB; this leaves room for what comes before the query. */
const MAX_QUERY_LENGTH = 7_000;

/** The part of a query that requests some SKUs, and those SKUs. */
export interface SkuQuery {
  query: string;
  skus: string[];
}

/** One filter in a query. Filters of one group are ORed, groups are ANDed (docs/facts/magento.md, "SKUs"). */
export const filter = (group: number, index: number, field: string, value: string, condition: string) => {
  const name = `searchCriteria[filter_groups][${group}][filters][${index}]`;
  return `${name}[field]=${field}&${name}[value]=${encodeURIComponent(value)}&${name}[condition_type]=${condition}`;
};

/**
 * Queries that together request all of these SKUs, each of them short enough for a URL and with at most `maxSkus`.
 * Condition `in` splits its value at commas, so SKUs with a comma are requested by `eq` in one filter group, which is
 * an OR (docs/facts/magento.md, "SKUs").
 */
export function skuQueries(skus: readonly string[], maxSkus: number): SkuQuery[] {
  const unique = [...new Map(skus.map(sku => [skuKey(sku), sku])).values()];
  const withComma = unique.filter(sku => sku.includes(','));
  const plain = unique.filter(sku => !sku.includes(','));
  const asIn = (some: string[]) => filter(0, 0, 'sku', some.join(','), 'in');
  const asOr = (some: string[]) => some.map((sku, index) => filter(0, index, 'sku', sku, 'eq')).join('&');
  return [...chunked(plain, maxSkus, asIn), ...chunked(withComma, maxSkus, asOr)];
}

function chunked(skus: string[], maxSkus: number, toQuery: (skus: string[]) => string): SkuQuery[] {
  if (skus.length === 0) return [];
  const query = toQuery(skus);
  if (skus.length === 1 || (skus.length <= maxSkus && query.length <= MAX_QUERY_LENGTH)) return [{ query, skus }];
  const middle = Math.min(maxSkus, Math.ceil(skus.length / 2));
  return [...chunked(skus.slice(0, middle), maxSkus, toQuery), ...chunked(skus.slice(middle), maxSkus, toQuery)];
}

/** Paging in a query, in the ascending order of a column that does not change. */
export function pageQuery(field: string, pageSize: number, page: number): string {
  return [
    `searchCriteria[sortOrders][0][field]=${field}`,
    `searchCriteria[sortOrders][0][direction]=ASC`,
    `searchCriteria[pageSize]=${pageSize}`,
    `searchCriteria[currentPage]=${page}`,
  ].join('&');
}
