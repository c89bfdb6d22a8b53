import { skuKey } from '@stock-sync/sync-core';

/** nginx refuses a longer address by default [recording error-uri-too-long]; some room is left for what stands before. */
const LONGEST_QUERY = 7_000;

/** The part of a query that asks for some SKUs, and the SKUs it asks for. */
export interface SkuQuery {
  query: string;
  skus: string[];
}

/** The part of a query that is one filter; those of one group are an OR, groups an AND [recording msi-get-two-groups]. */
export const filter = (group: number, index: number, field: string, value: string, condition: string) => {
  const name = `searchCriteria[filter_groups][${group}][filters][${index}]`;
  return `${name}[field]=${field}&${name}[value]=${encodeURIComponent(value)}&${name}[condition_type]=${condition}`;
};

/**
 * Queries that together ask for all of these SKUs, each within the length of an address and with at most `mostSkus`.
 * Condition `in` splits its value at commas, so SKUs with a comma are asked for by `eq` in one filter group, which is
 * an OR [recordings msi-get-comma-in, msi-get-comma-or].
 */
export function skuQueries(skus: readonly string[], mostSkus: number): SkuQuery[] {
  const once = [...new Map(skus.map(sku => [skuKey(sku), sku])).values()];
  const withComma = once.filter(sku => sku.includes(','));
  const plain = once.filter(sku => !sku.includes(','));
  const asIn = (some: string[]) => filter(0, 0, 'sku', some.join(','), 'in');
  const asOr = (some: string[]) => some.map((sku, index) => filter(0, index, 'sku', sku, 'eq')).join('&');
  return [...chunked(plain, mostSkus, asIn), ...chunked(withComma, mostSkus, asOr)];
}

function chunked(skus: string[], mostSkus: number, toQuery: (skus: string[]) => string): SkuQuery[] {
  if (skus.length === 0) return [];
  const query = toQuery(skus);
  if (skus.length === 1 || (skus.length <= mostSkus && query.length <= LONGEST_QUERY)) return [{ query, skus }];
  const middle = Math.min(mostSkus, Math.ceil(skus.length / 2));
  return [...chunked(skus.slice(0, middle), mostSkus, toQuery), ...chunked(skus.slice(middle), mostSkus, toQuery)];
}

/** The part of a query that pages: in the order of a column that does not move. */
export function pageQuery(field: string, pageSize: number, page: number, direction: 'ASC' | 'DESC' = 'ASC'): string {
  return [
    `searchCriteria[sortOrders][0][field]=${field}`,
    `searchCriteria[sortOrders][0][direction]=${direction}`,
    `searchCriteria[pageSize]=${pageSize}`,
    `searchCriteria[currentPage]=${page}`,
  ].join('&');
}
