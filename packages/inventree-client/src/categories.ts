import type { WantedCategories } from '@stock-sync/domain';
import { CallError } from '@stock-sync/http-client';
import { z } from 'zod';
import type { InvenTreeConnection } from './connection';

/** Those of these categories and below, by a tree of categories (the one above each). */
export function categoriesBelow(ids: readonly number[], parents: ReadonlyMap<number, number | null>): WantedCategories {
  const missing = ids.filter(id => !parents.has(id));
  if (missing.length > 0) throw unknownCategories(missing);
  const wanted = new Set<number>();
  for (const category of parents.keys()) if (isBelow(category, ids, parents)) wanted.add(category);
  return { wanted, known: new Set(parents.keys()) };
}

/** No category has this id, so a list of its parts is that of all parts [part-list-category-deleted]. */
const NO_CATEGORY = 99_999_999;

function isBelow(category: number, ids: readonly number[], parents: ReadonlyMap<number, number | null>): boolean {
  const visited = new Set<number>();
  for (let at: number | null | undefined = category; at != null && !visited.has(at); at = parents.get(at)) {
    if (ids.includes(at)) return true;
    visited.add(at);
  }
  return false;
}

/**
 * The same without our plugin: the categories of the parts that InvenTree lists under these ones, sub-categories
 * included. A category that does not exist is no filter at all (docs/facts/inventree.md, fact 6), so a list as long as
 * that of all parts is not believed.
 */
export async function categoriesOfPartsBelow(
  connection: InvenTreeConnection,
  ids: readonly number[],
): Promise<WantedCategories> {
  const row = z.object({ pk: z.number().int(), category: z.number().int().nullish() });
  const all = await connection.request(
    { method: 'GET', path: `/api/part/?category=${NO_CATEGORY}&limit=1` },
    'parts',
    z.object({ count: z.number().int() }),
  );
  const wanted = new Set<number>(ids);
  for (const id of ids) {
    const parts = await connection.list(`/api/part/?category=${id}&pricing=false`, 'parts', row);
    if (parts.length > 0 && parts.length >= all.count) throw unknownCategories([id]);
    for (const { category } of parts) if (category != null) wanted.add(category);
  }
  return { wanted, known: wanted };
}

function unknownCategories(ids: readonly number[]): CallError {
  const message =
    `SYNC_CATEGORIES names categories that InvenTree does not have, or that hold every part: ${ids.join(', ')}. ` +
    'Fix SYNC_CATEGORIES';
  return new CallError('InvenTree', 'credentials', message);
}
