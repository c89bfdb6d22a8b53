import {
  askedTogether,
  createEvidence,
  createHttpClient,
  parsedBody,
  TryLaterError,
  WrongItemError,
  CredentialsError,
  excerpt,
  type Call,
} from '@stock-sync/http-client';
import { skuKey } from '@stock-sync/sync-core';
import { z, type ZodType } from 'zod';
import { errorBodyOf, errorFrom, MagentoLimitError } from './magento-errors';
import { oauthHeader, type OAuthCredentials } from './oauth';
import { filter, pageQuery, skuQueries } from './search-criteria';

/** How to log in: the access token alone as Bearer (works only where the shop enabled it), or OAuth 1.0a. */
export type MagentoCredentials = { accessToken: string } | OAuthCredentials;

export interface MagentoClientOptions {
  /** The store's base address, e.g. https://shop.example. */
  baseUrl: string;
  credentials: MagentoCredentials;
  /** Milliseconds after which a call is given up. */
  timeoutMs: number;
  verifyTls: boolean;
  caFile?: string | undefined;
}

/** A product as far as stock needs it. */
export interface Product {
  /** As the store spells it. */
  sku: string;
  typeId: string;
}

/** A row of a source's stock. */
export interface SourceItem {
  sku: string;
  sourceCode: string;
  quantity: number;
  inStock: boolean;
}

/** A page of all source items, oldest first. */
export interface SourceItemsPage {
  items: { sku: string; quantity: number }[];
  /** Rows in all pages. */
  totalCount: number;
  /** Rows in a full page: fewer where the store limits it. */
  pageSize: number;
}

/** The legacy stock item of a product. */
export interface StockItem {
  quantity: number;
  inStock: boolean;
}

export type StockApi = 'source-items' | 'stock-items';

/** What changes a source's stock in Magento itself [recordings order-4-shipped-source, shipments-list]; a credit memo may put it
 * back (Magento's API reference, not recorded). */
export const DEDUCTIONS = ['shipments', 'creditmemos'] as const;
export type DeductionKind = (typeof DEDUCTIONS)[number];

/** A Magento store, as far as stock needs it. Every method rejects with a CallError that says what to do. */
export interface MagentoClient {
  /** The product that matches this SKU, without regard to case; undefined where the store has none. */
  getProductBySku(sku: string): Promise<Product | undefined>;
  /** For each SKU its product, undefined where the store has none, or the error that is this SKU's own. */
  findProducts(skus: readonly string[]): Promise<(Product | undefined | WrongItemError)[]>;
  /** All source items of these SKUs. */
  readSourceItems(skus: readonly string[]): Promise<SourceItem[]>;
  /** The SKUs and quantities of all source items, in pages; a row may come twice where rows vanish meanwhile. */
  walkSourceItems(): AsyncGenerator<{ sku: string; quantity: number }[]>;
  /** One page of that walk, counted from 1 and in the order in which the rows were created; past the end it is empty. */
  sourceItemsPage(page: number): Promise<SourceItemsPage>;
  /** The highest id of that kind; 0 where there is none. */
  latestDeduction(kind: DeductionKind): Promise<number>;
  /** Those with a higher id, and the SKUs that they are about; at most a page of the oldest. */
  deductionsAfter(kind: DeductionKind, id: number): Promise<{ id: number; skus: string[] }[]>;
  /** Writes source items in one call, all or none. The store takes SKUs and product types that it should not: know
   * that a product exists and holds stock before you write [recordings msi-post-unknown-sku, msi-post-configurable]. */
  writeSourceItems(items: readonly SourceItem[]): Promise<void>;
  /** The legacy stock item; undefined where the store has no such product. */
  readStockItem(sku: string): Promise<StockItem | undefined>;
  /** Writes the legacy stock item, and with it the source item of source `default` [recording legacy-source-item-after]. */
  writeStockItem(sku: string, item: StockItem): Promise<void>;
  /** Sets a product's stock, in stock exactly if the quantity is above 0, by whichever way the store has. */
  updateProductStock(sku: string, quantity: number): Promise<void>;
  /** Source items where the store has them, else the legacy stock items. */
  detectStockApi(): Promise<StockApi>;
  /** The codes of all sources, disabled ones too; undefined where the store has no inventory modules. */
  sourceCodes(): Promise<string[] | undefined>;
  /** Resolves if the store answers and these credentials may read stock; says which way it has. */
  testConnection(): Promise<{ stockApi: StockApi; sources: string[] }>;
  close(): void;
}

/** SKUs in one search; existence costs 4.6 ms a SKU, so a larger page only makes the wait longer (facts, Cost). */
const SEARCH_SIZE = 100;
/** The largest page that a store with input limits allows by default [recording limit-page-size-301]. */
const PAGE_SIZE = 300;
/** Shipments or credit memos that are read at once. */
const DEDUCTIONS_SIZE = 100;
const SOURCE_FIELDS = 'fields=items[source_code,enabled],total_count';

const productSchema = z.object({ sku: z.string(), type_id: z.string() });
const sourceItemSchema = z.object({
  sku: z.string(),
  source_code: z.string(),
  quantity: z.number(),
  status: z.number(),
});
const sourceSchema = z.object({ source_code: z.string(), enabled: z.boolean() });
const stockItemSchema = z.object({ qty: z.number(), is_in_stock: z.boolean() });
/** A list; `fields=` turns an empty one into null [recording as-sent/products-none-with-fields]. */
const listOf = <T>(item: ZodType<T>) =>
  z
    .array(item)
    .nullable()
    .transform(items => items ?? []);
const pageOf = <T>(item: ZodType<T>) => z.object({ items: listOf(item), total_count: z.number().int() });

/** A client for one store. */
export function createMagentoClient(options: MagentoClientOptions): MagentoClient {
  const { credentials } = options;
  // A real store on a port of its own signed its host without the port, against RFC 5849 (facts, Authentication);
  // others may not, so after a refused signature the other way is tried, and what works is kept.
  let signPort = false;
  const http = createHttpClient({
    system: 'Magento',
    baseUrl: options.baseUrl.replace(/\/+$/, '').replace(/\/rest(\/V1)?$/, ''),
    timeoutMs: options.timeoutMs,
    verifyTls: options.verifyTls,
    caFile: options.caFile,
    authorization: ({ method, url }) =>
      'consumerKey' in credentials
        ? oauthHeader(method, url, credentials, { signPort })
        : `Bearer ${credentials.accessToken}`,
  });
  const portMatters = 'consumerKey' in credentials && new URL(options.baseUrl).port !== '';
  let pageSize = PAGE_SIZE;

  const evidence = createEvidence('Magento', () => readSources(requestOnce));

  function request<T>(call: Call, what: string, schema: ZodType<T>): Promise<T> {
    return evidence.weighed(requestOnce(call, what, schema));
  }

  async function requestOnce<T>(call: Call, what: string, schema: ZodType<T>): Promise<T> {
    let answer = await http.call(call);
    if (portMatters && answer.status === 401 && errorBodyOf(answer)?.message.startsWith('The signature is invalid')) {
      signPort = !signPort;
      answer = await http.call(call);
      if (answer.status === 401) signPort = !signPort;
    }
    if (answer.status >= 300) throw errorFrom(answer, call);
    if (!answer.isJson) {
      throw new TryLaterError(
        'Magento',
        `Magento answered ${what} with a page instead of JSON: ${excerpt(answer.body)}`,
        {
          status: answer.status,
        },
      );
    }
    return parsedBody('Magento', what, schema, answer);
  }

  /** The sources; undefined where the store has no inventory modules. */
  async function readSources(by: typeof request): Promise<z.infer<typeof sourceSchema>[] | undefined> {
    const path = `/rest/V1/inventory/sources?${SOURCE_FIELDS}`;
    try {
      return (await by({ method: 'GET', path }, 'the sources', pageOf(sourceSchema))).items;
    } catch (error) {
      // A store without the inventory modules does not know the route; that it knows another shows it is Magento.
      if (!(error instanceof CredentialsError) || error.status !== 404) throw error;
      const page = pageQuery('entity_id', 1, 1);
      await by({ method: 'GET', path: `/rest/V1/products?${page}&fields=total_count` }, 'products', z.unknown());
      return undefined;
    }
  }

  /** All rows of a search, over as many pages as it has; rows that come twice because something moved are kept once. */
  async function searchAll<T>(
    path: string,
    query: string,
    sortField: string,
    what: string,
    item: ZodType<T>,
    rowKey: (row: T) => string,
  ): Promise<T[]> {
    const rows = new Map<string, T>();
    for (let page = 1; ; page++) {
      const size = pageSize;
      try {
        const paging = pageQuery(sortField, size, page);
        const { items, total_count } = await request(
          { method: 'GET', path: `${path}?${query}&${paging}` },
          what,
          pageOf(item),
        );
        for (const row of items) rows.set(rowKey(row), row);
        // The last page by the count, whatever it holds: beyond it, a store may give the same page again for ever.
        if (rows.size >= total_count || items.length === 0 || page * size >= total_count) {
          if (rows.size < total_count) {
            throw new TryLaterError('Magento', `Magento told of ${total_count} ${what} and gave ${rows.size}`);
          }
          return [...rows.values()];
        }
      } catch (error) {
        if (!(error instanceof MagentoLimitError) || error.limit >= size) throw error;
        pageSize = error.limit;
        page = 0;
      }
    }
  }

  const client: MagentoClient = {
    async getProductBySku(sku) {
      const path = `/rest/V1/products/${encodeURIComponent(sku)}?fields=sku,type_id`;
      const product = await orUndefined(request({ method: 'GET', path }, 'a product', productSchema));
      return product && { sku: product.sku, typeId: product.type_id };
    },

    findProducts: skus =>
      askedTogether(skus, async some => {
        const found = new Map<string, Product>();
        const fields = 'fields=items[sku,type_id],total_count';
        for (const { query } of skuQueries(some, SEARCH_SIZE)) {
          const path = '/rest/V1/products';
          const key = (row: z.infer<typeof productSchema>) => row.sku;
          for (const row of await searchAll(path, `${query}&${fields}`, 'entity_id', 'products', productSchema, key)) {
            found.set(skuKey(row.sku), { sku: row.sku, typeId: row.type_id });
          }
        }
        return some.map(sku => found.get(skuKey(sku)));
      }),

    async readSourceItems(skus) {
      const items: SourceItem[] = [];
      for (const { query } of skuQueries(skus, SEARCH_SIZE)) {
        const key = (row: z.infer<typeof sourceItemSchema>) => `${skuKey(row.sku)}\n${row.source_code}`;
        const rows = await searchAll(
          '/rest/V1/inventory/source-items',
          query,
          'source_item_id',
          'source items',
          sourceItemSchema,
          key,
        );
        items.push(
          ...rows.map(row => ({
            sku: row.sku,
            sourceCode: row.source_code,
            quantity: row.quantity,
            inStock: row.status === 1,
          })),
        );
      }
      return items;
    },

    async *walkSourceItems() {
      let size: number | undefined;
      for (let page = 1; ; page++) {
        const { items, totalCount, pageSize } = await client.sourceItemsPage(page);
        if (size !== undefined && pageSize !== size) page = 0;
        else {
          yield items;
          if (items.length === 0 || page * pageSize >= totalCount) return;
        }
        size = pageSize;
      }
    },

    async sourceItemsPage(page) {
      const schema = pageOf(z.object({ sku: z.string(), quantity: z.number() }));
      for (;;) {
        const size = pageSize;
        const query = `${pageQuery('source_item_id', size, page)}&fields=items[sku,quantity],total_count`;
        const path = `/rest/V1/inventory/source-items?${query}`;
        try {
          const { items, total_count } = await request({ method: 'GET', path }, 'source items', schema);
          return { items, totalCount: total_count, pageSize: size };
        } catch (error) {
          if (!(error instanceof MagentoLimitError) || error.limit >= size) throw error;
          pageSize = error.limit;
        }
      }
    },

    async latestDeduction(kind) {
      const path = `/rest/V1/${kind}?${pageQuery('entity_id', 1, 1, 'DESC')}&fields=items[entity_id],total_count`;
      const schema = pageOf(z.object({ entity_id: z.number().int() }));
      const { items } = await request({ method: 'GET', path }, kind, schema);
      return items[0]?.entity_id ?? 0;
    },

    async deductionsAfter(kind, id) {
      const query = `${filter(0, 0, 'entity_id', String(id), 'gt')}&${pageQuery('entity_id', DEDUCTIONS_SIZE, 1)}`;
      const path = `/rest/V1/${kind}?${query}&fields=items[entity_id,items[sku]],total_count`;
      const row = z.object({ entity_id: z.number().int(), items: listOf(z.object({ sku: z.string() })) });
      const { items } = await request({ method: 'GET', path }, kind, pageOf(row));
      return items.map(found => ({ id: found.entity_id, skus: found.items.map(({ sku }) => sku) }));
    },

    async writeSourceItems(items) {
      const sourceItems = items.map(({ sku, sourceCode, quantity, inStock }) => ({
        sku,
        source_code: sourceCode,
        quantity,
        status: inStock ? 1 : 0,
      }));
      const call: Call = {
        method: 'POST',
        path: '/rest/V1/inventory/source-items',
        body: { sourceItems },
        isWrite: true,
      };
      await request(call, 'a write of source items', z.array(z.unknown()));
    },

    async readStockItem(sku) {
      const path = `/rest/V1/stockItems/${encodeURIComponent(sku)}`;
      const item = await orUndefined(request({ method: 'GET', path }, 'a stock item', stockItemSchema));
      return item && { quantity: item.qty, inStock: item.is_in_stock };
    },

    async writeStockItem(sku, { quantity, inStock }) {
      // The item id in the path is not looked at [recordings legacy-put-foreign-item-id, legacy-put-unknown-item-id].
      const path = `/rest/V1/products/${encodeURIComponent(sku)}/stockItems/1`;
      const body = { stockItem: { qty: quantity, is_in_stock: inStock } };
      await request({ method: 'PUT', path, body, isWrite: true }, 'a write of a stock item', z.number());
    },

    async updateProductStock(sku, quantity) {
      const inStock = quantity > 0;
      const product = await client.getProductBySku(sku);
      if (!product) throw new WrongItemError('Magento', `Magento has no product with SKU '${sku}'`, { status: 404 });
      if ((await client.detectStockApi()) === 'stock-items') {
        await client.writeStockItem(product.sku, { quantity, inStock });
      } else {
        await client.writeSourceItems([{ sku: product.sku, sourceCode: 'default', quantity, inStock }]);
      }
    },

    async detectStockApi() {
      return (await client.testConnection()).stockApi;
    },

    sourceCodes: async () => (await readSources(request))?.map(source => source.source_code),

    async testConnection() {
      const sources = await readSources(request);
      if (!sources) return { stockApi: 'stock-items', sources: ['default'] };
      const enabled = sources.filter(source => source.enabled).map(source => source.source_code);
      return { stockApi: 'source-items', sources: enabled };
    },

    close: http.close,
  };
  return client;
}

/** What a call found; undefined where the store has no such product. */
async function orUndefined<T>(promise: Promise<T>): Promise<T | undefined> {
  try {
    return await promise;
  } catch (error) {
    if (error instanceof WrongItemError && error.status === 404) return undefined;
    throw error;
  }
}
