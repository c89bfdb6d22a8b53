import type { StockAtLocation } from '@stock-sync/domain';
import { CallError } from '@stock-sync/http-client';
import { z } from 'zod';
import type { InvenTreeConnection } from './connection';
import { parameterValues } from './parameters';
import type { PartStock } from './part-stock';

const partSchema = z.object({
  pk: z.number().int(),
  name: z.string(),
  IPN: z.string().nullish(),
  active: z.boolean(),
  virtual: z.boolean(),
  /** Its own stock, without that of its variants (docs/facts/inventree.md, fact 5). */
  in_stock: z.number(),
});
/** How often a part is read whose stock disagrees with its list. */
const READINGS = 2;

const stockItemSchema = z.object({
  pk: z.number().int(),
  part: z.number().int(),
  quantity: z.number(),
  location: z.number().int().nullable(),
  in_stock: z.boolean(),
  allocated: z.number().nullish(),
});

type StockItem = z.infer<typeof stockItemSchema>;

/**
 * The stock of one part through InvenTree's own API; undefined where InvenTree has no such part. A list without rows is
 * not the truth by itself: the part must say so, too.
 */
export async function readPartPlainly(connection: InvenTreeConnection, pk: number): Promise<PartStock | undefined> {
  for (let reading = 1; ; reading++) {
    const { part, total } = (await readOnce(connection, pk)) ?? {};
    if (!part || part.stock.length > 0 || total === 0) return part;
    // It may have been sold out between the two calls, so both are made once more.
    if (reading < READINGS) continue;
    const message = `InvenTree listed no stock of part ${pk}, although the part has ${total}`;
    throw new CallError('InvenTree', 'refused', message);
  }
}

/** The part, and its own stock as the part says. */
async function readOnce(
  connection: InvenTreeConnection,
  pk: number,
): Promise<{ part: PartStock; total: number } | undefined> {
  try {
    const part = await connection.request({ method: 'GET', path: `/api/part/${pk}/` }, 'a part', partSchema);
    if (part.pk !== pk) {
      throw new CallError('InvenTree', 'unavailable', `InvenTree answered with part ${part.pk} for part ${pk}`);
    }
    // Variants are included by default (docs/facts/inventree.md, "Reading, and what it costs").
    const all = await connection.list(
      `/api/stock/?part=${pk}&include_variants=false&part_detail=false`,
      'stock items',
      stockItemSchema,
    );
    // An unknown filter is ignored, and then every item comes back (docs/facts/inventree.md, fact 6).
    const foreign = all.find(item => item.part !== pk);
    if (foreign) {
      const message = `InvenTree listed stock item ${foreign.pk} of part ${foreign.part} for part ${pk}`;
      throw new CallError('InvenTree', 'unavailable', message);
    }
    const items = all.filter(item => item.in_stock);
    const { name, IPN, active, virtual, in_stock: total } = part;
    const stock = items.map(stockAtLocation);
    const stockItems = items.map(item => item.pk);
    return { part: { pk, name, IPN: IPN ?? '', active, virtual, parameter: null, stock, stockItems }, total };
  } catch (error) {
    // A deleted part is 404 by its id, and 400 as a filter where it is deleted while we read.
    if (error instanceof CallError && (error.status === 404 || error.status === 400)) return undefined;
    throw error;
  }
}

function stockAtLocation(item: StockItem): StockAtLocation {
  // InvenTree keeps five decimal places; the text of a float may have an exponent or more digits.
  return { location: item.location, inStock: item.quantity.toFixed(5), allocated: (item.allocated ?? 0).toFixed(5) };
}

/** In a factory at work some row always changes. A sweep only looks for parts to read one by one. */
const MAY_MISS = true;

/** All parts with their own stock, from two lists (and a third one for the parameter). */
export async function allStockPlainly(
  connection: InvenTreeConnection,
  parameter: string | undefined,
): Promise<PartStock[]> {
  const values = parameter === undefined ? undefined : await parameterValues(connection, parameter);
  const rows = await connection.list('/api/part/?pricing=false', 'parts', partSchema, MAY_MISS);
  // Sorted by a column that does not change while we page.
  const items = await connection.list(
    '/api/stock/?in_stock=true&part_detail=false&ordering=part',
    'stock items',
    stockItemSchema,
    MAY_MISS,
  );
  const parts = new Map(
    rows.map(({ pk, name, IPN, active, virtual }): [number, PartStock] => [
      pk,
      { pk, name, IPN: IPN ?? '', active, virtual, parameter: values?.get(pk) ?? null, stock: [], stockItems: [] },
    ]),
  );
  for (const item of items) {
    if (!item.in_stock) {
      const message = `InvenTree listed stock item ${item.pk}, which is not in stock`;
      throw new CallError('InvenTree', 'unavailable', message);
    }
    const part = parts.get(item.part);
    part?.stock.push(stockAtLocation(item));
    part?.stockItems.push(item.pk);
  }
  return [...parts.values()];
}
