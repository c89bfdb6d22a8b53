import { chunk, type Location, type Locations, type StockStatuses, type WantedCategories } from '@stock-sync/domain';
import { CallError, isNotFound } from '@stock-sync/http-client';
import { z } from 'zod';
import { categoriesBelow, categoriesOfPartsBelow } from './categories';
import { connectToInvenTree, type InvenTreeClientOptions } from './connection';
import { findTemplate, parameterValues } from './parameters';
import { STOCK_ALONE, type PartIdentity, type PartStock, type Wanted } from './part-stock';
import { partsNamed } from './parts-by-sku';
import { allStockPlainly, readPartPlainly, wantedParameters } from './plain-reads';
import {
  categoryParentsByPlugin,
  PLUGIN_BATCH,
  PluginAbsentError,
  readPageByPlugin,
  readPartsByPlugin,
} from './plugin-reads';
import { createSalesOrders, type SalesOrders } from './sales-orders';

/** A change in InvenTree's stock tracking. */
export interface TrackedChange {
  id: number;
  part: number | null;
}

/** What InvenTree says about itself. */
export interface AboutInvenTree {
  version: string;
  isWorkerRunning: boolean;
  /** Tasks that wait for its background worker. */
  pendingTasks: number;
  /** The version of our plugin; undefined where it is not active. */
  plugin: string | undefined;
}

/** Some parts with their own stock, and whether our plugin answered. */
export interface StockPage {
  parts: PartStock[];
  byPlugin: boolean;
}

/** An InvenTree, as far as stock needs it. Every method rejects with a CallError. */
export interface InvenTreeClient {
  /**
   * These parts with their stock; a part that InvenTree does not have is not in the map. Through our plugin, up to
   * 1,000 parts in one call, where it answers; otherwise through the plain API, with equal results.
   */
  readParts(parts: readonly number[], wanted?: Wanted): Promise<Map<number, PartStock>>;
  /**
   * All parts with their own stock, in pages, through our plugin: 15,000 stock items in 40 ms. Where it does not
   * answer, through the plain API in one page, which takes seconds (`byPlugin` says which).
   */
  walkStock(wanted?: Wanted): AsyncGenerator<StockPage>;
  /** What InvenTree says about itself, to any caller. */
  about(): Promise<AboutInvenTree>;
  /** Whether plugins get events: the global setting ENABLE_PLUGINS_EVENTS, for which a token needs no role. */
  areEventsEnabled(): Promise<boolean>;
  /** Whether InvenTree's own API has this part. */
  hasPart(part: number): Promise<boolean>;
  /** All parts whose name or IPN is one of these values, ignoring case. */
  partsNamed(field: 'name' | 'IPN', values: readonly string[]): Promise<PartIdentity[]>;
  /** The values of a part parameter, by part. */
  parameterValues(name: string): Promise<Map<number, string>>;
  /** The part of a stock item; undefined where InvenTree has no such item. */
  partOfStockItem(stockItem: number): Promise<number | undefined>;
  /** Tracked changes with a higher id than this one, newest first; without an id only the newest change. */
  trackingAfter(id: number | undefined): Promise<TrackedChange[]>;
  /** All stock locations. */
  locations(): Promise<Locations>;
  /** The statuses that stock items can have, custom ones included. */
  statuses(): Promise<StockStatuses>;
  /** These categories of parts and those below them. Rejects where InvenTree has no such category. */
  categoriesBelow(ids: readonly number[]): Promise<WantedCategories>;
  /**
   * Resolves if InvenTree answers and this token may read what a sync reads, none of it about a certain part.
   * @param parameters names of the part parameters that a sync reads as well
   */
  probe(parameters: readonly string[]): Promise<void>;
  /** Its sales orders, which the import of orders needs. */
  salesOrders: SalesOrders;
  close(): void;
}

/** How long the plugin is not tried again after it was absent or failed, in milliseconds. */
const PLUGIN_RETRY_MS = 60_000;
/** If the plugin fails for so many parts that the plain API can read, the plugin is at fault and not the parts. */
const FAILED_PARTS = 2;

const PLUGIN_SLUG = 'magento-sync';
const aboutSchema = z.object({
  version: z.string(),
  worker_running: z.boolean(),
  worker_pending_tasks: z.number().nullish(),
  active_plugins: z.array(z.object({ slug: z.string(), version: z.string().nullish() })).nullish(),
});

/** No part has this name. */
const PROBE_NAME = 'stock-sync-health-probe';

/** Rows of tracking in one call, and the most rows that are read: beyond, a sweep is faster. */
const TRACKING_PAGE = 100;
const TRACKING_MOST = 5_000;

/** Calls at once by default: InvenTree answers no more than 39 a second (docs/facts/inventree.md). */
const AT_ONCE = 4;

/** A client for one InvenTree. */
export function createInvenTreeClient(options: InvenTreeClientOptions): InvenTreeClient {
  const connection = connectToInvenTree(options);
  let pluginSkippedUntil = 0;
  let isPluginFailing = false;
  const failedParts = new Set<number>();

  /** Reads through the plugin; undefined where there is none. */
  async function byPlugin<T>(read: () => Promise<T>): Promise<T | undefined> {
    if (Date.now() < pluginSkippedUntil) return undefined;
    try {
      const result = await read();
      if (isPluginFailing) options.onPluginChange?.(undefined);
      isPluginFailing = false;
      return result;
    } catch (error) {
      if (!(error instanceof PluginAbsentError)) throw error;
      pluginFails(error.message);
      return undefined;
    }
  }

  function pluginFails(failure: string): void {
    pluginSkippedUntil = Date.now() + PLUGIN_RETRY_MS;
    if (!isPluginFailing) options.onPluginChange?.(failure);
    isPluginFailing = true;
  }

  async function readPlainly(parts: readonly number[], wanted: Wanted): Promise<Map<number, PartStock>> {
    const parameters = await wantedParameters(connection, wanted);
    const found = new Map<number, PartStock>();
    const left = [...parts];
    const readNext = async () => {
      for (let pk = left.shift(); pk !== undefined; pk = left.shift()) {
        const part = await readPartPlainly(connection, pk, wanted, parameters);
        if (part) found.set(pk, part);
      }
    };
    await Promise.all(Array.from({ length: options.partsAtOnce ?? AT_ONCE }, readNext));
    return found;
  }

  /**
   * Up to 1,000 parts. A failure of the plugin for many parts is the caller's to split; for one part the plain API
   * decides.
   */
  async function readBatch(parts: readonly number[], wanted: Wanted): Promise<Map<number, PartStock>> {
    try {
      const read = await byPlugin(() => readPartsByPlugin(connection, parts, wanted));
      return read ?? (await readPlainly(parts, wanted));
    } catch (error) {
      const [only] = parts;
      const isPluginFailure = error instanceof CallError && error.kind === 'refused';
      if (!isPluginFailure || only === undefined || parts.length > 1) throw error;
      const found = await readPlainly(parts, wanted);
      failedParts.add(only);
      if (failedParts.size >= FAILED_PARTS) {
        pluginFails(`${error.message}. InvenTree's own log says why`);
        failedParts.clear();
      }
      return found;
    }
  }

  /** The plugin's pages; where it stops answering, everything through the plain API: a part may come twice. */
  async function* walkStock(wanted: Wanted = STOCK_ALONE): AsyncGenerator<StockPage> {
    for (let after = 0; ;) {
      const page = await byPlugin(() => readPageByPlugin(connection, after, wanted)).catch((error: unknown) => {
        if (error instanceof CallError && error.kind === 'refused') return undefined;
        throw error;
      });
      if (!page) {
        yield { parts: await allStockPlainly(connection, wanted), byPlugin: false };
        return;
      }
      yield { parts: page.parts, byPlugin: true };
      if (page.next === undefined || page.next <= after) return;
      after = page.next;
    }
  }

  return {
    async readParts(parts, wanted = STOCK_ALONE) {
      const unique = [...new Set(parts)];
      const found = new Map<number, PartStock>();
      for (const batch of chunk(unique, PLUGIN_BATCH)) {
        for (const [pk, part] of await readBatch(batch, wanted)) found.set(pk, part);
      }
      return found;
    },

    walkStock,

    async about() {
      const body = await connection.request({ method: 'GET', path: '/api/' }, 'what it is', aboutSchema);
      return {
        version: body.version,
        isWorkerRunning: body.worker_running,
        pendingTasks: body.worker_pending_tasks ?? 0,
        plugin: body.active_plugins?.find(({ slug }) => slug === PLUGIN_SLUG)?.version ?? undefined,
      };
    },

    async areEventsEnabled() {
      const path = '/api/settings/global/ENABLE_PLUGINS_EVENTS/';
      const schema = z.object({ value: z.boolean() });
      return (await connection.request({ method: 'GET', path }, 'a global setting', schema)).value;
    },

    async hasPart(part) {
      try {
        const path = `/api/part/${part}/`;
        await connection.request({ method: 'GET', path }, 'a part', z.object({ pk: z.literal(part) }));
        return true;
      } catch (error) {
        if (isNotFound(error)) return false;
        throw error;
      }
    },

    partsNamed: (field, values) => partsNamed(connection, field, values),
    parameterValues: name => parameterValues(connection, name),

    async partOfStockItem(stockItem) {
      const schema = z.object({ pk: z.literal(stockItem), part: z.number().int() });
      const path = `/api/stock/${stockItem}/`;
      try {
        return (await connection.request({ method: 'GET', path }, 'a stock item', schema)).part;
      } catch (error) {
        if (isNotFound(error)) return undefined;
        throw error;
      }
    },

    async trackingAfter(id) {
      const row = z.object({ pk: z.number().int(), part: z.number().int().nullable() });
      const page = z.object({ next: z.string().nullable(), results: z.array(row) });
      const changes: TrackedChange[] = [];
      const limit = id === undefined ? 1 : TRACKING_PAGE;
      for (let offset = 0; offset < TRACKING_MOST; offset += limit) {
        const path = `/api/stock/track/?ordering=-pk&limit=${limit}${offset ? `&offset=${offset}` : ''}`;
        const { next, results } = await connection.request({ method: 'GET', path }, 'tracking', page);
        changes.push(...results.map(({ pk, part }) => ({ id: pk, part })));
        // Rows that are added meanwhile push others to the next page: those come twice, none is missed.
        if (id === undefined || next === null || results.some(({ pk }) => pk <= id)) break;
      }
      return changes.filter(change => id === undefined || change.id > id);
    },

    async locations() {
      const row = z.object({
        pk: z.number().int(),
        name: z.string(),
        parent: z.number().int().nullable(),
        external: z.boolean(),
      });
      const rows = await connection.list('/api/stock/location/', 'stock locations', row);
      return new Map(rows.map(({ pk, ...location }): [number, Location] => [pk, location]));
    },

    async statuses() {
      const status = z.object({ key: z.number().int(), name: z.string(), label: z.string() });
      const schema = z.object({ values: z.record(z.string(), status) });
      const path = '/api/stock/status/';
      const { values } = await connection.request({ method: 'GET', path }, 'the statuses of stock', schema);
      return new Map(Object.values(values).map(({ key, name, label }) => [key, { name, label }]));
    },

    async categoriesBelow(ids) {
      const parents = await byPlugin(() => categoryParentsByPlugin(connection));
      return parents ? categoriesBelow(ids, parents) : categoriesOfPartsBelow(connection, ids);
    },

    async probe(parameters) {
      await partsNamed(connection, 'name', [PROBE_NAME]);
      const path = '/api/stock/?ordering=-updated&limit=1&part_detail=false';
      await connection.request({ method: 'GET', path }, 'stock items', z.object({ count: z.number().int() }));
      for (const name of parameters) await findTemplate(connection, name);
    },

    salesOrders: createSalesOrders(connection),

    close: connection.close,
  };
}
