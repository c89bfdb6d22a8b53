import type { StockAtLocation } from '@stock-sync/domain';
import { CallError } from '@stock-sync/http-client';
import { z } from 'zod';
import type { InvenTreeConnection } from './connection';
import { parameterValues } from './parameters';
import type { PartStock, Wanted } from './part-stock';

const partSchema = z.object({
  pk: z.number().int(),
  name: z.string(),
  IPN: z.string().nullish(),
  revision: z.string().nullish(),
  category: z.number().int().nullish(),
  active: z.boolean(),
  salable: z.boolean(),
  virtual: z.boolean(),
  assembly: z.boolean(),
  is_template: z.boolean(),
  variant_of: z.number().int().nullish(),
  /** Its own stock, without that of its variants (docs/facts/inventree.md, fact 5). */
  in_stock: z.number(),
  total_in_stock: z.number().nullish(),
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
  status: z.number().int(),
  status_custom_key: z.number().int().nullish(),
  expired: z.boolean().nullish(),
});

type PartRow = z.infer<typeof partSchema>;
type StockItem = z.infer<typeof stockItemSchema>;
/** The values of parameters by part, for each of their names. */
type ParameterValues = ReadonlyMap<string, ReadonlyMap<number, string>>;

/** The values of all parameters that are wanted: InvenTree cannot filter them by several parts. */
export async function wantedParameters(connection: InvenTreeConnection, wanted: Wanted): Promise<ParameterValues> {
  const values = new Map<string, ReadonlyMap<number, string>>();
  for (const name of wanted.parameters) values.set(name, await parameterValues(connection, name));
  return values;
}

/**
 * One part through InvenTree's own API; undefined where InvenTree has no such part. A list without rows is not the
 * truth by itself: the part must say so, too.
 */
export async function readPartPlainly(
  connection: InvenTreeConnection,
  pk: number,
  wanted: Wanted,
  parameters: ParameterValues,
): Promise<PartStock | undefined> {
  for (let reading = 1; ; reading++) {
    const { row, items } = (await readOnce(connection, pk, wanted)) ?? {};
    if (!row || !items) return undefined;
    const total = hasVariants(row, wanted) ? (row.total_in_stock ?? row.in_stock) : row.in_stock;
    if (items.length > 0 || total === 0) {
      const part = { ...partFrom(row, parameters), ...stockOf(items) };
      return wanted.buildable ? { ...part, buildable: await buildableOf(connection, row) } : part;
    }
    // It may have been sold out between the two calls, so both are made once more.
    if (reading < READINGS) continue;
    const message = `InvenTree listed no stock of part ${pk}, although the part has ${total}`;
    throw new CallError('InvenTree', 'refused', message);
  }
}

/** The part, and its stock items that are in stock. */
async function readOnce(
  connection: InvenTreeConnection,
  pk: number,
  wanted: Wanted,
): Promise<{ row: PartRow; items: StockItem[] } | undefined> {
  try {
    const row = await connection.request({ method: 'GET', path: `/api/part/${pk}/` }, 'a part', partSchema);
    if (row.pk !== pk) {
      throw new CallError('InvenTree', 'unavailable', `InvenTree answered with part ${row.pk} for part ${pk}`);
    }
    const family = hasVariants(row, wanted) ? [pk, ...(await variantsOf(connection, pk))] : [pk];
    // Variants are included by default (docs/facts/inventree.md, "Reading, and what it costs").
    const own = hasVariants(row, wanted) ? '' : '&include_variants=false';
    const all = await connection.list(`/api/stock/?part=${pk}${own}&part_detail=false`, 'stock items', stockItemSchema);
    // An unknown filter is ignored, and then every item comes back (docs/facts/inventree.md, fact 6).
    const foreign = all.find(item => !family.includes(item.part));
    if (foreign) {
      const message = `InvenTree listed stock item ${foreign.pk} of part ${foreign.part} for part ${pk}`;
      throw new CallError('InvenTree', 'unavailable', message);
    }
    return { row, items: all.filter(item => item.in_stock) };
  } catch (error) {
    // A deleted part is 404 by its id, and 400 as a filter where it is deleted while we read.
    if (error instanceof CallError && (error.status === 404 || error.status === 400)) return undefined;
    throw error;
  }
}

function hasVariants(row: PartRow, wanted: Wanted): boolean {
  return wanted.variants && row.is_template;
}

async function variantsOf(connection: InvenTreeConnection, template: number): Promise<number[]> {
  const path = `/api/part/?ancestor=${template}&pricing=false`;
  const variants = await connection.list(path, 'variants', z.object({ pk: z.number().int() }));
  return variants.map(({ pk }) => pk);
}

async function buildableOf(connection: InvenTreeConnection, row: PartRow): Promise<string> {
  if (!row.assembly) return '0';
  const path = `/api/part/${row.pk}/requirements/`;
  const schema = z.object({ can_build: z.number() });
  return (await connection.request({ method: 'GET', path }, 'what can be built', schema)).can_build.toFixed(5);
}

function partFrom(row: PartRow, parameters: ParameterValues): Omit<PartStock, 'stock' | 'stockItems'> {
  const values = [...parameters].flatMap(([name, byPart]) => {
    const value = byPart.get(row.pk);
    return value === undefined ? [] : [[name, value] as const];
  });
  return {
    pk: row.pk,
    name: row.name,
    IPN: row.IPN ?? '',
    revision: row.revision ?? '',
    category: row.category ?? null,
    active: row.active,
    salable: row.salable,
    virtual: row.virtual,
    isTemplate: row.is_template,
    variantOf: row.variant_of ?? null,
    parameters: Object.fromEntries(values),
  };
}

function stockOf(items: readonly StockItem[]): Pick<PartStock, 'stock' | 'stockItems'> {
  return { stock: items.map(stockAtLocation), stockItems: items.map(({ pk }) => pk) };
}

function stockAtLocation(item: StockItem): StockAtLocation {
  return {
    location: item.location,
    // InvenTree keeps five decimal places; the text of a float may have an exponent or more digits.
    inStock: item.quantity.toFixed(5),
    allocated: (item.allocated ?? 0).toFixed(5),
    status: item.status_custom_key ?? item.status,
    isExpired: item.expired ?? false,
  };
}

/** In a factory at work some row always changes. A sweep only looks for parts to read one by one. */
const MAY_MISS = true;

/** All parts with their stock, from two lists, one more for each parameter, and a call for each assembly. */
export async function allStockPlainly(connection: InvenTreeConnection, wanted: Wanted): Promise<PartStock[]> {
  const parameters = await wantedParameters(connection, wanted);
  const rows = await connection.list('/api/part/?pricing=false', 'parts', partSchema, MAY_MISS);
  // Sorted by a column that does not change while we page.
  const items = await connection.list(
    '/api/stock/?in_stock=true&part_detail=false&ordering=part',
    'stock items',
    stockItemSchema,
    MAY_MISS,
  );
  const byPart = new Map(rows.map(row => [row.pk, { row, items: [] as StockItem[] }]));
  for (const item of items) {
    if (!item.in_stock) {
      const message = `InvenTree listed stock item ${item.pk}, which is not in stock`;
      throw new CallError('InvenTree', 'unavailable', message);
    }
    for (const owner of ownersOf(item.part)) byPart.get(owner)?.items.push(item);
  }
  const parts: PartStock[] = [];
  for (const { row, items: own } of byPart.values()) {
    const part = { ...partFrom(row, parameters), ...stockOf(own) };
    parts.push(wanted.buildable ? { ...part, buildable: await buildableOf(connection, row) } : part);
  }
  return parts;

  /** The part and, where variants are wanted, the templates above it. */
  function ownersOf(part: number): number[] {
    const owners = [part];
    if (!wanted.variants) return owners;
    for (let at = byPart.get(part)?.row.variant_of; at != null && !owners.includes(at);) {
      owners.push(at);
      at = byPart.get(at)?.row.variant_of;
    }
    return owners;
  }
}
