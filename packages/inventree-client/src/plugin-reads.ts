import { parseQuantity, sum } from '@stock-sync/domain';
import { CallError, failureKindOf, isGatewayStatus, parsedBody, type Answer } from '@stock-sync/http-client';
import { z } from 'zod';
import type { InvenTreeConnection } from './connection';
import type { PartStock } from './part-stock';

/** The path where our plugin answers bulk reads. */
const PLUGIN_PATH = '/plugin/magento-sync/stock/';

/** Parts in one call to the plugin. */
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
  .refine(part => sum(part.locations.map(at => parseQuantity(at.in_stock))) === parseQuantity(part.in_stock), {
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

/** The plugin is not installed or not active. */
export class PluginAbsentError extends Error {}

/**
 * The stock of up to 1,000 parts in one call; a part that InvenTree does not have is not in the map. Rejects with a
 * PluginAbsentError where there is no plugin, and with a CallError where the call fails: of kind `refused` and status
 * 500 where one of the parts, or the plugin itself, is at fault.
 */
export async function readPartsByPlugin(
  connection: InvenTreeConnection,
  parts: readonly number[],
  parameter: string | undefined,
): Promise<Map<number, PartStock>> {
  const body = { parts, ...(parameter !== undefined && { parameter }) };
  const answer = await connection.call({ method: 'POST', path: PLUGIN_PATH, body });
  requirePlugin(answer);
  const { parts: found, missing } = parsedBody('InvenTree', 'the stock of parts', bulkSchema, answer);
  const requested = new Set(parts);
  const answered = new Set([...found.map(part => part.pk), ...missing]);
  const isComplete = answered.size === found.length + missing.length && answered.size === requested.size;
  if (!isComplete || [...answered].some(pk => !requested.has(pk))) {
    throw new CallError('InvenTree', 'unavailable', 'InvenTree answered with other parts than requested');
  }
  return new Map(found.map(part => [part.pk, part]));
}

/** One page of all parts in the order of their ids; `next` is where the next page starts, if there is one. */
export async function readPageByPlugin(
  connection: InvenTreeConnection,
  after: number,
  parameter: string | undefined,
): Promise<{ parts: PartStock[]; next: number | undefined }> {
  const withParameter = parameter === undefined ? '' : `&parameter=${encodeURIComponent(parameter)}`;
  const path = `${PLUGIN_PATH}?after=${after}&limit=${PLUGIN_BATCH}${withParameter}`;
  const answer = await connection.call({ method: 'GET', path });
  requirePlugin(answer);
  const { parts, next } = parsedBody('InvenTree', 'a page of parts', pageSchema, answer);
  if (parts.some(part => part.pk <= after)) {
    throw new CallError('InvenTree', 'unavailable', 'InvenTree answered with parts of another page than requested');
  }
  return { parts, next: next ?? undefined };
}

/**
 * A missing plugin shows as a redirect to the web page, as a bare 401, or as a page (docs/facts/inventree.md, "Failing"
 * and "Versions tried"). InvenTree itself being unavailable is no reason to read parts one by one.
 */
function requirePlugin({ status, isJson, body, retryAfterMs }: Answer): void {
  if (status === 200 && isJson) return;
  const message = `${PLUGIN_PATH} answered ${status}${isJson ? '' : ' without JSON'}`;
  if (status === 500 && typeof body === 'string' && body.includes('INVE-E7')) {
    throw new PluginAbsentError(
      `${message} (INVE-E7): use the address that InvenTree has as SITE_URL as INVENTREE_URL`,
    );
  }
  if (status === 429 || isGatewayStatus(status)) {
    const kind = failureKindOf(status, retryAfterMs);
    throw new CallError('InvenTree', kind, `InvenTree answered ${status}`, { status, retryAfterMs });
  }
  if (status === 500) throw new CallError('InvenTree', 'refused', `InvenTree: ${message}`, { status });
  throw new PluginAbsentError(
    `${message}: install the plugin and activate it, switch on ENABLE_PLUGINS_URL, and restart InvenTree`,
  );
}
