import { parsedBody, TryLaterError, WrongItemError, type Answer } from '@stock-sync/http-client';
import { quantityFrom, sum } from '@stock-sync/sync-core';
import { z } from 'zod';
import type { InvenTreeConnection, PartStock } from './inventree-client';

/** Where our plugin answers bulk reads. */
const PLUGIN_PATH = '/plugin/magento-sync/stock/';

/** Parts in one call of the plugin. */
export const PLUGIN_BATCH = 1000;

const decimal = z.string().regex(/^-?\d+(\.\d+)?$/, 'expected a decimal as text');

const partSchema = z
  .object({
    pk: z.number().int(),
    name: z.string(),
    IPN: z.string().nullish(),
    active: z.boolean(),
    virtual: z.boolean(),
    in_stock: decimal,
    parameter: z.string().nullish(),
    locations: z.array(z.object({ location: z.number().int().nullable(), in_stock: decimal, allocated: decimal })),
  })
  .refine(part => sum(part.locations.map(at => quantityFrom(at.in_stock))) === quantityFrom(part.in_stock), {
    error: 'expected in_stock to be the sum of the locations',
  })
  .transform((part): PartStock => ({
    pk: part.pk,
    name: part.name,
    IPN: part.IPN ?? '',
    active: part.active,
    virtual: part.virtual,
    parameter: part.parameter ?? null,
    stock: part.locations.map(at => ({ location: at.location, inStock: at.in_stock, allocated: at.allocated })),
    stockItems: [],
  }));

const bulkSchema = z.object({ parts: z.array(partSchema), missing: z.array(z.number().int()) });
const pageSchema = z.object({ parts: z.array(partSchema), next: z.number().int().nullish() });

/** The plugin does not answer here. */
export class PluginAbsent extends Error {
  constructor(
    message: string,
    /** Not installed or not active, rather than failing just now. */
    readonly lasting: boolean,
  ) {
    super(message);
  }
}

/**
 * The stock of up to 1,000 parts in one call; a part that InvenTree does not have is not in the map. Rejects with
 * PluginAbsent where the plugin does not answer, and with a CallError where InvenTree does not.
 */
export async function readPartsByPlugin(
  connection: InvenTreeConnection,
  parts: readonly number[],
  parameter: string | undefined,
): Promise<Map<number, PartStock>> {
  const body = { parts, ...(parameter !== undefined && { parameter }) };
  const answer = await connection.call({ method: 'POST', path: PLUGIN_PATH, body });
  await requirePlugin(connection, answer);
  const { parts: found, missing } = parsedBody('InvenTree', 'the stock of parts', bulkSchema, answer);
  const asked = new Set(parts);
  const told = new Set([...found.map(part => part.pk), ...missing]);
  if (told.size !== found.length + missing.length || told.size !== asked.size || [...told].some(pk => !asked.has(pk))) {
    throw new TryLaterError('InvenTree', 'InvenTree told of other parts than it was asked for');
  }
  return new Map(found.map(part => [part.pk, part]));
}

/** One page of a walk over all parts, in the order of their ids; `next` is where the next page starts, if there is one. */
export async function readPageByPlugin(
  connection: InvenTreeConnection,
  after: number,
  parameter: string | undefined,
): Promise<{ parts: PartStock[]; next: number | undefined }> {
  const asked = parameter === undefined ? '' : `&parameter=${encodeURIComponent(parameter)}`;
  const path = `${PLUGIN_PATH}?after=${after}&limit=${PLUGIN_BATCH}${asked}`;
  const answer = await connection.call({ method: 'GET', path });
  await requirePlugin(connection, answer);
  const { parts, next } = parsedBody('InvenTree', 'a page of parts', pageSchema, answer);
  if (parts.some(part => part.pk <= after)) {
    throw new TryLaterError('InvenTree', 'InvenTree told of parts before the page that it was asked for');
  }
  return { parts, next: next ?? undefined };
}

/**
 * A plugin that is not there shows as a redirect to the web page when logged in and as a bare 401 when not
 * [recordings plugin-path-absent, plugin-path-absent-no-auth]. InvenTree itself being away is another matter, and so
 * no reason to read one by one.
 */
async function requirePlugin(connection: InvenTreeConnection, answer: Answer): Promise<void> {
  const { status, isJson } = answer;
  if (status === 200 && isJson) return;
  if (status === 502 || status === 503 || status === 504 || status === 429) {
    throw new TryLaterError('InvenTree', `InvenTree answered ${status}`, { status, retryAfterMs: answer.retryAfterMs });
  }
  const said = `${PLUGIN_PATH} answered ${status}${isJson ? '' : ' without JSON'}`;
  if (status === 500) {
    const error = await connection.weigh(new WrongItemError('InvenTree', said, { status }));
    // One of the parts that were asked for, or the plugin itself: the plain API tells.
    if (!(error instanceof WrongItemError)) throw error;
  }
  throw new PluginAbsent(said, status < 500);
}
