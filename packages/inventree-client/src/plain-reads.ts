import { TryLaterError, WrongItemError } from '@stock-sync/http-client';
import type { StockAtLocation } from '@stock-sync/sync-core';
import { z } from 'zod';
import type { InvenTreeConnection, PartStock } from './inventree-client';
import { parameterValues } from './parameters';

const partSchema = z.object({
  pk: z.number().int(),
  name: z.string(),
  IPN: z.string().nullish(),
  active: z.boolean(),
  virtual: z.boolean(),
});

const stockItemSchema = z.object({
  pk: z.number().int(),
  part: z.number().int(),
  quantity: z.number(),
  location: z.number().int().nullable(),
  in_stock: z.boolean(),
  allocated: z.number().nullish(),
});

type StockItem = z.infer<typeof stockItemSchema>;

/** The stock of one part by InvenTree's own API; undefined where InvenTree has no such part. */
export async function readPartPlainly(connection: InvenTreeConnection, pk: number): Promise<PartStock | undefined> {
  try {
    const part = await connection.request({ method: 'GET', path: `/api/part/${pk}/` }, 'a part', partSchema);
    if (part.pk !== pk) throw new TryLaterError('InvenTree', `InvenTree answered with part ${part.pk} for part ${pk}`);
    // Variants are included unless one says otherwise [recordings stock-by-template, stock-by-template-own].
    const items = await connection.list(
      `/api/stock/?part=${pk}&in_stock=true&include_variants=false&part_detail=false`,
      'stock items',
      stockItemSchema,
    );
    // An unknown filter is ignored, and then everything comes back [recording stock-by-part-in-unknown].
    const stranger = items.find(item => item.part !== pk || !item.in_stock);
    if (stranger) throw notInStock(stranger, pk);
    return {
      pk,
      name: part.name,
      IPN: part.IPN ?? '',
      active: part.active,
      virtual: part.virtual,
      parameter: null,
      stock: items.map(stockAtLocation),
      stockItems: items.map(item => item.pk),
    };
  } catch (error) {
    // A part that is gone is 404 by its id [recording part-detail-deleted] and, when it goes while we read, 400 as a
    // filter [recording stock-by-part-deleted].
    if (error instanceof WrongItemError && (error.status === 404 || error.status === 400)) return undefined;
    throw error;
  }
}

function notInStock(item: StockItem, part = item.part): TryLaterError {
  return new TryLaterError(
    'InvenTree',
    `InvenTree told of stock item ${item.pk}, which is not in stock for part ${part}`,
  );
}

function stockAtLocation(item: StockItem): StockAtLocation {
  // Five decimals are all that InvenTree keeps; a float's own text may have an exponent or a tail.
  return { location: item.location, inStock: item.quantity.toFixed(5), allocated: (item.allocated ?? 0).toFixed(5) };
}

/** All parts with their own stock, by two lists (and a third for the parameter). */
export async function allStockPlainly(
  connection: InvenTreeConnection,
  parameter: string | undefined,
): Promise<PartStock[]> {
  const values = parameter === undefined ? undefined : await parameterValues(connection, parameter);
  const rows = await connection.list('/api/part/?pricing=false', 'parts', partSchema);
  // Sorted by what does not move while it is read.
  const items = await connection.list(
    '/api/stock/?in_stock=true&part_detail=false&ordering=part',
    'stock items',
    stockItemSchema,
  );
  const parts = new Map(
    rows.map(({ pk, name, IPN, active, virtual }): [number, PartStock] => [
      pk,
      { pk, name, IPN: IPN ?? '', active, virtual, parameter: values?.get(pk) ?? null, stock: [], stockItems: [] },
    ]),
  );
  for (const item of items) {
    if (!item.in_stock) throw notInStock(item);
    const part = parts.get(item.part);
    part?.stock.push(stockAtLocation(item));
    part?.stockItems.push(item.pk);
  }
  return [...parts.values()];
}
