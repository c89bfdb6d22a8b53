import { parseQuantity, sum } from '@stock-sync/domain';
import { CallError, excerpt, failureKindOf, isGatewayStatus, parsedBody, type Answer } from '@stock-sync/http-client';
import { z } from 'zod';
import type { InvenTreeConnection } from './connection';
import type { PartStock, Wanted } from './part-stock';

/** The path where our plugin answers bulk reads. */
const PLUGIN_PATH = '/plugin/magento-sync/stock/';
const CATEGORIES_PATH = '/plugin/magento-sync/categories/';

/** Parts in one call to the plugin. */
export const PLUGIN_BATCH = 1000;

const decimal = z.string().regex(/^-?\d+(\.\d+)?$/, 'expected a decimal as text');

const stockRow = z.object({
  location: z.number().int().nullable(),
  in_stock: decimal,
  allocated: decimal,
  status: z.number().int().optional(),
  expired: z.boolean().optional(),
});

const partSchema = z
  .object({
    pk: z.number().int(),
    name: z.string(),
    IPN: z.string().nullish(),
    revision: z.string().optional(),
    category: z.number().int().nullish(),
    active: z.boolean(),
    salable: z.boolean(),
    virtual: z.boolean(),
    is_template: z.boolean(),
    variant_of: z.number().int().nullish(),
    in_stock: decimal,
    buildable: decimal.optional(),
    parameters: z.record(z.string(), z.string().nullable()).optional(),
    locations: z.array(stockRow).optional(),
    /** In place of `locations`, where details are wanted. */
    stock: z.array(stockRow).optional(),
  })
  .refine(
    part =>
      sum([...(part.stock ?? []), ...(part.locations ?? [])].map(at => parseQuantity(at.in_stock))) ===
      parseQuantity(part.in_stock),
    { error: 'expected in_stock to be the sum of the locations' },
  );

type PluginPart = z.infer<typeof partSchema>;

function partStock(part: PluginPart): PartStock {
  const values = Object.entries(part.parameters ?? {}).flatMap(([name, value]) =>
    value === null ? [] : [[name, value]],
  );
  return {
    pk: part.pk,
    name: part.name,
    IPN: part.IPN ?? '',
    revision: part.revision ?? '',
    category: part.category ?? null,
    active: part.active,
    salable: part.salable,
    virtual: part.virtual,
    isTemplate: part.is_template,
    variantOf: part.variant_of ?? null,
    parameters: Object.fromEntries(values) as Record<string, string>,
    stock: (part.stock ?? part.locations ?? []).map(at => ({
      location: at.location,
      inStock: at.in_stock,
      allocated: at.allocated,
      status: at.status,
      isExpired: at.expired,
    })),
    ...(part.buildable !== undefined && { buildable: part.buildable }),
    stockItems: [],
  };
}

/** An older plugin ignores what it does not know, and then its answer is not what the rules need. */
function requireWanted(parts: readonly PluginPart[], wanted: Wanted): void {
  const isOld = parts.some(
    part =>
      ((wanted.details || wanted.variants) && part.stock === undefined) ||
      (wanted.buildable && part.buildable === undefined) ||
      (wanted.parameters.length > 0 && part.parameters === undefined),
  );
  if (!isOld) return;
  throw new PluginAbsentError(`${PLUGIN_PATH} is that of an older version than the rules need: update the plugin`);
}

/** What is wanted, by the names that the plugin has for it. */
function wishes({ details, buildable, variants }: Wanted): string[] {
  // A plugin that knows variants also says details, so that an older one is recognised.
  const wanted = { details: details || variants, buildable, variants };
  return Object.entries(wanted).flatMap(([name, isWanted]) => (isWanted ? [name] : []));
}

const bulkSchema = z.object({ parts: z.array(partSchema), missing: z.array(z.number().int()) });
const pageSchema = z.object({ parts: z.array(partSchema), next: z.number().int().nullish() });
const categoriesSchema = z.object({
  categories: z.array(z.object({ pk: z.number().int(), parent: z.number().int().nullable() })),
});

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
  wanted: Wanted,
): Promise<Map<number, PartStock>> {
  const { parameters } = wanted;
  const extras = wishes(wanted);
  const body = { parts, ...(parameters.length > 0 && { parameters }), ...(extras.length > 0 && { wanted: extras }) };
  const answer = await connection.call({ method: 'POST', path: PLUGIN_PATH, body });
  requirePlugin(answer);
  const { parts: found, missing } = parsedBody('InvenTree', 'the stock of parts', bulkSchema, answer);
  const requested = new Set(parts);
  const answered = new Set([...found.map(part => part.pk), ...missing]);
  const isComplete = answered.size === found.length + missing.length && answered.size === requested.size;
  if (!isComplete || [...answered].some(pk => !requested.has(pk))) {
    throw new CallError('InvenTree', 'unavailable', 'InvenTree answered with other parts than requested');
  }
  requireWanted(found, wanted);
  return new Map(found.map(part => [part.pk, partStock(part)]));
}

/** One page of all parts in the order of their ids; `next` is where the next page starts, if there is one. */
export async function readPageByPlugin(
  connection: InvenTreeConnection,
  after: number,
  wanted: Wanted,
): Promise<{ parts: PartStock[]; next: number | undefined }> {
  const parameters = wanted.parameters.map(name => `&parameters=${encodeURIComponent(name)}`);
  const extras = wishes(wanted).map(name => `&wanted=${name}`);
  const path = `${PLUGIN_PATH}?after=${after}&limit=${PLUGIN_BATCH}${[...parameters, ...extras].join('')}`;
  const answer = await connection.call({ method: 'GET', path });
  requirePlugin(answer);
  const { parts, next } = parsedBody('InvenTree', 'a page of parts', pageSchema, answer);
  if (parts.some(part => part.pk <= after)) {
    throw new CallError('InvenTree', 'unavailable', 'InvenTree answered with parts of another page than requested');
  }
  requireWanted(parts, wanted);
  return { parts: parts.map(partStock), next: next ?? undefined };
}

/** For each category of parts the one above it; null at the top. */
export async function categoryParentsByPlugin(connection: InvenTreeConnection): Promise<Map<number, number | null>> {
  const answer = await connection.call({ method: 'GET', path: CATEGORIES_PATH });
  requirePlugin(answer, CATEGORIES_PATH);
  const { categories } = parsedBody('InvenTree', 'its categories', categoriesSchema, answer);
  return new Map(categories.map(({ pk, parent }) => [pk, parent]));
}

/**
 * A missing plugin shows as a redirect to the web page, as a bare 401, or as a page (docs/facts/inventree.md, "Failing"
 * and "Versions tried"). InvenTree itself being unavailable is no reason to read parts one by one.
 */
function requirePlugin({ status, isJson, body, retryAfterMs }: Answer, path = PLUGIN_PATH): void {
  if (status === 200 && isJson) return;
  const message = `${path} answered ${status}${isJson ? '' : ' without JSON'}`;
  if (status === 500 && typeof body === 'string' && body.includes('INVE-E7')) {
    throw new PluginAbsentError(
      `${message} (INVE-E7): use the address that InvenTree has as SITE_URL as INVENTREE_URL`,
    );
  }
  if (status === 429 || isGatewayStatus(status)) {
    const kind = failureKindOf(status, retryAfterMs);
    throw new CallError('InvenTree', kind, `InvenTree answered ${status}`, { status, retryAfterMs });
  }
  if (status === 400 && isJson) {
    const message = `InvenTree's plugin refused to read parts: ${wrongFieldIn(body)}. Check the settings that name it`;
    throw new CallError('InvenTree', 'credentials', message, { status });
  }
  if (status === 500) throw new CallError('InvenTree', 'refused', `InvenTree: ${message}`, { status });
  throw new PluginAbsentError(
    `${message}: install the plugin and activate it, switch on ENABLE_PLUGINS_URL, and restart InvenTree`,
  );
}

/** What is wrong with a request, as the plugin says it: the problems of each field. */
function wrongFieldIn(body: unknown): string {
  const problems = z.record(z.string(), z.array(z.string())).safeParse(body).data ?? {};
  return Object.values(problems).flat().join('; ') || excerpt(body);
}
