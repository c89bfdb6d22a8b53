import {
  chunk,
  DEFAULT_SOURCE,
  skuKey,
  type SellingRules,
  type ShipmentItem,
  type ShopOrder,
} from '@stock-sync/domain';
import { CallError, excerpt, isNotFound, parsedBody, repeatRefused, type Call } from '@stock-sync/http-client';
import { z, type ZodType } from 'zod';
import { errorFrom, isBadSignature, MagentoLimitError } from './error-answers';
import { percentEncode } from './oauth';
import { filter, pageQuery, skuQueries } from './search-criteria';
import { createSignedCalls, type MagentoCredentials } from './signed-calls';

export interface MagentoClientOptions {
  /** Base URL of the store, e.g. https://shop.example. */
  baseUrl: string;
  credentials: MagentoCredentials;
  /** Timeout of one attempt, in milliseconds. */
  timeoutMs: number;
  verifyTls: boolean;
  caFile?: string | undefined;
  /** Called after each call, whether it failed. */
  onCall?: (isFailure: boolean) => void;
}

/** A product, as far as stock needs it. */
export interface Product {
  /** As the store spells it. */
  sku: string;
  typeId: string;
}

/** The stock of a SKU at one source. */
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

/** The stock item of a product in the older stock API. */
export interface StockItem {
  quantity: number;
  inStock: boolean;
}

/** A stock item as the store has it, with the effective rules of the product: its own, or the shop's. */
export interface StockItemWithRules extends SellingRules {
  /** undefined where the product never had stock. */
  quantity: number | undefined;
  inStock: boolean;
  /** The out-of-stock threshold: the product is sold while it has more than this. */
  minQuantity: number;
}

/**
 * Documents by which Magento changes the stock of a source itself (docs/facts/magento.md, "Orders and reservations").
 */
export const SALES_DOCUMENTS = ['shipments', 'creditmemos'] as const;
export type SalesDocumentKind = (typeof SALES_DOCUMENTS)[number];

/** A shipment or credit memo, and the SKUs of its rows. */
export interface SalesDocument {
  id: number;
  /** The order that it belongs to, where the list says so. */
  order: number | undefined;
  skus: string[];
}

/** A shipment of an order. */
export interface OrderShipment {
  id: number;
  /** By its rows: of a bundle, only the bundle's own row. */
  items: ShipmentItem[];
  /** The source that it was deducted at. */
  sourceCode: string | undefined;
  /** Empty where there is none. */
  trackingNumber: string;
}

/** Where an order came from. */
export interface OrderOrigin {
  /** The id of the store view. */
  store: number;
  /** Who bought it; the name may be empty. */
  name: string;
  email: string;
  /** Where it is sent to; undefined where nothing is sent. */
  address: PostalAddress | undefined;
}

export interface PostalAddress {
  line: string;
  postalCode: string;
  city: string;
  region: string;
  /** A code of two letters. */
  country: string;
}

export interface NewShipment {
  items: readonly ShipmentItem[];
  sourceCode: string;
  /** InvenTree's name for it, `SO-0001/1`: a comment, and the tracking number of another source's that has none. */
  reference: string;
  /** Empty where there is none. */
  trackingNumber: string;
}

/** An order, and when it was last changed. */
export interface OrderChange {
  id: number;
  incrementId: string;
  state: string;
  /** In UTC: `2026-11-25 14:42:17`. */
  updatedAt: string;
}

/** A source of stock. */
export interface Source {
  code: string;
  enabled: boolean;
}

/** What a website sells from. */
export interface WebsiteStock {
  website: string;
  /** The name of the stock. */
  stock: string;
  /** The sources of the stock, disabled ones too. */
  sources: Source[];
}

/** A Magento store, as far as stock needs it. Every method rejects with a CallError. */
export interface MagentoClient {
  /** For each SKU its product; undefined where the store has none. */
  findProducts(skus: readonly string[]): Promise<(Product | undefined)[]>;
  /** All source items of these SKUs. */
  readSourceItems(skus: readonly string[]): Promise<SourceItem[]>;
  /** SKUs and quantities of all source items, in pages; a row may come twice where rows are deleted meanwhile. */
  walkSourceItems(): AsyncGenerator<{ sku: string; quantity: number }[]>;
  /** One page of that walk, counted from 1, in the order in which the rows were created; empty past the end. */
  sourceItemsPage(page: number): Promise<SourceItemsPage>;
  /**
   * Writes source items, all or nothing where the store sets no limit. Magento accepts SKUs without a product and
   * product types without stock of their own: check both before (docs/facts/magento.md, "Inventory source items").
   */
  writeSourceItems(items: readonly SourceItem[]): Promise<void>;
  /** The stock item; undefined where the store has no such product. */
  readStockItem(sku: string): Promise<StockItemWithRules | undefined>;
  /** Writes the stock item, and with it the source item of source `default`. */
  writeStockItem(sku: string, item: StockItem): Promise<void>;
  /** The highest id of a kind of document; 0 where there is none. */
  latestDocument(kind: SalesDocumentKind): Promise<number>;
  /** Documents with a higher id; at most a page of the oldest. */
  documentsAfter(kind: SalesDocumentKind, id: number): Promise<SalesDocument[]>;
  /**
   * The SKUs of all rows of an order: for a bundle those of its children, too. A shipment deducts their sources,
   * although it lists only the bundle (docs/facts/magento.md, "The life of an order").
   */
  skusOfOrder(order: number): Promise<string[]>;
  /** Orders that were changed at or after a time in UTC, `2026-11-25 14:42:17`. */
  ordersSince(time: string): Promise<OrderChange[]>;
  /** An order with its rows; undefined where the store has none. */
  order(id: number): Promise<ShopOrder | undefined>;
  /** Where an order came from, and from whom: this reads personal data. */
  orderOrigin(id: number): Promise<OrderOrigin>;
  /** The shipments of an order. */
  shipmentsOf(order: number): Promise<OrderShipment[]>;
  /**
   * Ships rows of an order and deducts them at a source. Nothing about it is unique: a repeat ships once more while
   * something is open. Asked for more than is open, the store ships what is open.
   */
  ship(order: number, shipment: NewShipment): Promise<void>;
  /** All sources; undefined where the store has no inventory modules. */
  sources(): Promise<Source[] | undefined>;
  /** For each website the stock that it sells from (docs/facts/magento.md, "Differences and traps"). */
  websiteStocks(): Promise<WebsiteStock[]>;
  /** Makes the calls that a sync reads with, for no SKU in particular. */
  probeReads(stockApi: 'source-items' | 'stock-items'): Promise<void>;
  /** Sends an empty write, which a store that takes our writes refuses by a message (docs/facts/magento.md). */
  probeEmptyWrite(): Promise<void>;
  close(): void;
}

/** Products in one read: each costs 4.6 ms, so larger reads only wait longer (docs/facts/magento.md, "Cost"). */
export const PRODUCTS_PER_READ = 100;
/** The most SKUs in one write: larger ones are not known to be faster (docs/facts/magento.md, "Cost"). */
export const SKUS_PER_WRITE = 200;
/** SKUs in one read of source items: 200 of them cost little more than one (docs/facts/magento.md, "Cost"). */
export const SKUS_PER_READ = 200;
/** The largest page that a store with input limits allows by default. */
const PAGE_SIZE = 300;
/** Shipments or credit memos in one read. */
const DOCUMENTS_PER_PAGE = 100;
/** No product has this SKU. */
export const PROBE_SKU = 'stock-sync-health-probe';

const productSchema = z.object({ sku: z.string(), type_id: z.string() });
const sourceItemSchema = z.object({
  sku: z.string(),
  source_code: z.string(),
  quantity: z.number(),
  status: z.number(),
});
const sourceSchema = z
  .object({ source_code: z.string(), enabled: z.boolean() })
  .transform(({ source_code: code, enabled }): Source => ({ code, enabled }));
const websiteSchema = z.object({ code: z.string() });
const stockSchema = z.object({ stock_id: z.number().int(), name: z.string() });
/** The website of the administration sells nothing. */
const ADMIN_WEBSITE = 'admin';
const stockItemSchema = z
  .object({
    qty: z.number().nullable(),
    is_in_stock: z.boolean(),
    min_qty: z.number(),
    backorders: z.number(),
    manage_stock: z.boolean(),
  })
  .transform((item): StockItemWithRules => ({
    quantity: item.qty ?? undefined,
    inStock: item.is_in_stock,
    minQuantity: item.min_qty,
    backorders: item.backorders > 0,
    managesStock: item.manage_stock,
  }));
/** A list; `fields=` turns an empty one into null (docs/facts/magento.md, "Differences and traps"). */
const listOf = <T>(item: ZodType<T>) =>
  z
    .array(item)
    .nullable()
    .transform(items => items ?? []);
const pageOf = <T>(item: ZodType<T>) => z.object({ items: listOf(item), total_count: z.number().int() });
const WRITE = 'a write of source items';
const WRITTEN = z.array(z.unknown());
const skuRow = z.object({ sku: z.string() });
const documentSchema = z.object({
  entity_id: z.number().int(),
  order_id: z.number().int().optional(),
  items: listOf(skuRow),
});
const orderSchema = z.object({ entity_id: z.number().int(), items: listOf(skuRow) });
/** As recorded: `fields=` of other lists is another request. */
const DOCUMENT_FIELDS: Readonly<Record<SalesDocumentKind, string>> = {
  shipments: 'items[entity_id,order_id,created_at,items[sku,qty,order_item_id]],total_count',
  creditmemos: 'items[entity_id,items[sku]],total_count',
};
const ORDER_FIELDS =
  'entity_id,increment_id,state,items[item_id,parent_item_id,product_type,sku,qty_ordered,qty_shipped,qty_invoiced,' +
  'qty_canceled,parent_item[item_id,sku,product_type]]';

const ORDER_CHANGE_FIELDS = 'items[entity_id,increment_id,state,status,updated_at],total_count';
const ORDERS_PER_PAGE = 100;
const orderChangeSchema = z
  .object({ entity_id: z.number().int(), increment_id: z.string(), state: z.string(), updated_at: z.string() })
  .transform((row): OrderChange => ({
    id: row.entity_id,
    incrementId: row.increment_id,
    state: row.state,
    updatedAt: row.updated_at,
  }));
/** As recorded: it has what the other list of fields lacks, times and prices, and lacks the parents of its rows. */
const ORDER_HEAD_FIELDS =
  'entity_id,increment_id,state,status,created_at,updated_at,order_currency_code,customer_email,' +
  'items[item_id,parent_item_id,product_type,sku,qty_ordered,qty_canceled,qty_invoiced,qty_shipped,qty_refunded,price]';
const orderHeadSchema = z.object({
  entity_id: z.number().int(),
  increment_id: z.string(),
  state: z.string(),
  created_at: z.string(),
  updated_at: z.string(),
  order_currency_code: z.string().optional(),
  items: listOf(
    z.object({
      item_id: z.number().int(),
      product_type: z.string(),
      sku: z.string(),
      qty_ordered: z.number(),
      qty_canceled: z.number(),
      qty_shipped: z.number(),
      qty_refunded: z.number(),
      price: z.number().optional(),
    }),
  ),
});
const addressSchema = z.object({
  street: listOf(z.string()),
  postcode: z.string().nullish(),
  city: z.string().nullish(),
  region: z.string().nullish(),
  country_id: z.string().nullish(),
});
const assignmentSchema = z.object({ shipping: z.object({ address: addressSchema.nullish() }).nullish() });
/** Lenient: what nobody is asked for, because nothing is sent, is missing. */
const orderOriginSchema = z
  .object({
    store_id: z.number().int(),
    customer_email: z.string().nullish(),
    customer_firstname: z.string().nullish(),
    customer_lastname: z.string().nullish(),
    extension_attributes: z.object({ shipping_assignments: listOf(assignmentSchema).optional() }).nullish(),
  })
  .transform((row): OrderOrigin => {
    const address = row.extension_attributes?.shipping_assignments?.[0]?.shipping?.address;
    return {
      store: row.store_id,
      name: [row.customer_firstname, row.customer_lastname].filter(Boolean).join(' '),
      email: row.customer_email ?? '',
      address: address
        ? {
            line: address.street.join(', '),
            postalCode: address.postcode ?? '',
            city: address.city ?? '',
            region: address.region ?? '',
            country: address.country_id ?? '',
          }
        : undefined,
    };
  });
const orderRowsSchema = z.object({
  items: listOf(z.object({ item_id: z.number().int(), parent_item_id: z.number().int().optional() })),
});
const SHIPMENT_FIELDS =
  'items[entity_id,order_id,created_at,items[sku,qty,order_item_id],tracks[track_number,title,carrier_code],' +
  'extension_attributes[source_code]],total_count';
const orderShipmentSchema = z
  .object({
    entity_id: z.number().int(),
    items: listOf(z.object({ order_item_id: z.number().int(), qty: z.number() })),
    tracks: listOf(z.object({ track_number: z.string().nullish() })),
    extension_attributes: z.object({ source_code: z.string().optional() }).optional(),
  })
  .transform((row): OrderShipment => ({
    id: row.entity_id,
    items: row.items.map(({ order_item_id, qty }) => ({ item: order_item_id, quantity: qty })),
    sourceCode: row.extension_attributes?.source_code,
    trackingNumber: row.tracks[0]?.track_number ?? '',
  }));

/** A client for one store. */
export function createMagentoClient(options: MagentoClientOptions): MagentoClient {
  const http = createSignedCalls(options.credentials, {
    baseUrl: options.baseUrl.replace(/\/+$/, '').replace(/\/rest(\/V1)?$/, ''),
    timeoutMs: options.timeoutMs,
    verifyTls: options.verifyTls,
    caFile: options.caFile,
    onCall: options.onCall,
  });
  let pageSize = PAGE_SIZE;
  /** Rows that the store accepts in one write; learned from its refusal. */
  let maxRows = Infinity;

  async function request<T>(
    call: Call,
    what: string,
    schema: ZodType<T>,
    { changesNothing = call.direction !== 'write' } = {},
  ): Promise<T> {
    const answer = await (changesNothing ? repeatRefused(() => http.call(call), isBadSignature) : http.call(call));
    if (answer.status >= 300) throw errorFrom(answer, call);
    if (!answer.isJson) {
      const message = `Magento answered ${what} with a page instead of JSON: ${excerpt(answer.body)}`;
      throw new CallError('Magento', 'unavailable', message, { status: answer.status });
    }
    return parsedBody('Magento', what, schema, answer);
  }

  const get = <T>(path: string, what: string, schema: ZodType<T>) => request({ method: 'GET', path }, what, schema);

  /** Reads a page, and again with the page size that the store allows where ours is too large. */
  async function getPage<T>(
    pathOf: (size: number) => string,
    what: string,
    item: ZodType<T>,
  ): Promise<{ items: T[]; totalCount: number; pageSize: number }> {
    for (;;) {
      const size = pageSize;
      try {
        const { items, total_count } = await get(pathOf(size), what, pageOf(item));
        return { items, totalCount: total_count, pageSize: size };
      } catch (error) {
        if (!(error instanceof MagentoLimitError) || error.limit >= size) throw error;
        pageSize = error.limit;
      }
    }
  }

  /** All rows of a search, in as many pages as it has; a row that comes twice because others moved is kept once. */
  async function searchAll<T>(
    path: string,
    query: string,
    sortField: string,
    what: string,
    item: ZodType<T>,
    rowKey: (row: T) => string,
  ): Promise<T[]> {
    const rows = new Map<string, T>();
    let size: number | undefined;
    for (let page = 1; ; page++) {
      const pathOf = (rowsPerPage: number) => `${path}?${query}&${pageQuery(sortField, rowsPerPage, page)}`;
      const { items, totalCount, pageSize: pageSizeNow } = await getPage(pathOf, what, item);
      for (const row of items) rows.set(rowKey(row), row);
      if (size !== undefined && pageSizeNow !== size) page = 0;
      size = pageSizeNow;
      // The last page by the count, whatever it holds: beyond it, a store may repeat the same page for ever.
      if (page > 0 && (rows.size >= totalCount || items.length === 0 || page * size >= totalCount)) {
        if (rows.size < totalCount) {
          const message = `Magento counted ${totalCount} ${what} and returned ${rows.size}`;
          throw new CallError('Magento', 'unavailable', message);
        }
        return [...rows.values()];
      }
    }
  }

  function documentsPage(kind: SalesDocumentKind, after: number, page: number) {
    const newer = filter(0, 0, 'entity_id', String(after), 'gt');
    const query = `${newer}&${pageQuery('entity_id', DOCUMENTS_PER_PAGE, page)}`;
    const path = `/rest/V1/${kind}?${query}&fields=${DOCUMENT_FIELDS[kind]}`;
    return get(path, kind, pageOf(documentSchema));
  }

  const client: MagentoClient = {
    async findProducts(skus) {
      const found = new Map<string, Product>();
      for (const { query } of skuQueries(skus, PRODUCTS_PER_READ)) {
        const fields = 'fields=items[sku,type_id],total_count';
        const path = '/rest/V1/products';
        const key = (row: z.infer<typeof productSchema>) => row.sku;
        for (const row of await searchAll(path, `${query}&${fields}`, 'entity_id', 'products', productSchema, key)) {
          found.set(skuKey(row.sku), { sku: row.sku, typeId: row.type_id });
        }
      }
      return skus.map(sku => found.get(skuKey(sku)));
    },

    async readSourceItems(skus) {
      const items: SourceItem[] = [];
      for (const { query } of skuQueries(skus, SKUS_PER_READ)) {
        const path = '/rest/V1/inventory/source-items';
        const key = (row: z.infer<typeof sourceItemSchema>) => `${skuKey(row.sku)}\n${row.source_code}`;
        const rows = await searchAll(path, query, 'source_item_id', 'source items', sourceItemSchema, key);
        for (const { sku, source_code, quantity, status } of rows) {
          items.push({ sku, sourceCode: source_code, quantity, inStock: status === 1 });
        }
      }
      return items;
    },

    async *walkSourceItems() {
      let size: number | undefined;
      for (let page = 1; ; page++) {
        const { items, totalCount, pageSize: pageSizeNow } = await client.sourceItemsPage(page);
        if (size !== undefined && pageSizeNow !== size) page = 0;
        else {
          yield items;
          if (items.length === 0 || page * pageSizeNow >= totalCount) return;
        }
        size = pageSizeNow;
      }
    },

    sourceItemsPage: page =>
      getPage(size => walkPath(size, page), 'source items', z.object({ sku: z.string(), quantity: z.number() })),

    async writeSourceItems(items) {
      const rows = items.map(({ sku, sourceCode, quantity, inStock }) => ({
        sku,
        source_code: sourceCode,
        quantity,
        status: inStock ? 1 : 0,
      }));
      for (const sourceItems of chunk(rows, Math.min(maxRows, rows.length))) {
        try {
          await postSourceItems(sourceItems);
        } catch (error) {
          if (!(error instanceof MagentoLimitError) || error.limit >= sourceItems.length) throw error;
          maxRows = Math.min(maxRows, error.limit);
          for (const fewer of chunk(sourceItems, maxRows)) await postSourceItems(fewer);
        }
      }
    },

    async readStockItem(sku) {
      try {
        const path = `/rest/V1/stockItems/${percentEncode(sku)}`;
        return await get(path, 'a stock item', stockItemSchema);
      } catch (error) {
        if (isNotFound(error)) return undefined;
        throw error;
      }
    },

    async writeStockItem(sku, { quantity, inStock }) {
      // Magento ignores the item id in the path (docs/facts/magento.md, "Legacy stock item").
      const path = `/rest/V1/products/${percentEncode(sku)}/stockItems/1`;
      const body = { stockItem: { qty: quantity, is_in_stock: inStock } };
      await request({ method: 'PUT', path, body, direction: 'write' }, 'a write of a stock item', z.number());
    },

    async latestDocument(kind) {
      const first = await documentsPage(kind, 0, 1);
      const lastPage = Math.ceil(first.total_count / DOCUMENTS_PER_PAGE);
      const { items } = lastPage > 1 ? await documentsPage(kind, 0, lastPage) : first;
      return Math.max(0, ...items.map(({ entity_id }) => entity_id));
    },

    async documentsAfter(kind, id) {
      const { items } = await documentsPage(kind, id, 1);
      return items.map(found => ({
        id: found.entity_id,
        order: found.order_id,
        skus: found.items.map(({ sku }) => sku),
      }));
    },

    async skusOfOrder(order) {
      const path = `/rest/V1/orders/${order}?fields=${ORDER_FIELDS}`;
      const { items } = await get(path, 'an order', orderSchema);
      return [...new Set(items.map(({ sku }) => sku))];
    },

    async ordersSince(time) {
      const since = filter(0, 0, 'updated_at', time, 'gteq');
      const found = new Map<number, OrderChange>();
      for (let page = 1; ; page++) {
        const query = `${since}&${pageQuery('entity_id', ORDERS_PER_PAGE, page)}`;
        const path = `/rest/V1/orders?${query}&fields=${ORDER_CHANGE_FIELDS}`;
        const { items, total_count } = await get(path, 'orders', pageOf(orderChangeSchema));
        for (const row of items) found.set(row.id, row);
        if (items.length === 0 || page * ORDERS_PER_PAGE >= total_count) return [...found.values()];
      }
    },

    async order(id) {
      try {
        const head = await get(`/rest/V1/orders/${id}?fields=${ORDER_HEAD_FIELDS}`, 'an order', orderHeadSchema);
        const rows = await get(`/rest/V1/orders/${id}?fields=${ORDER_FIELDS}`, 'an order', orderRowsSchema);
        const parents = new Map(rows.items.map(({ item_id, parent_item_id }) => [item_id, parent_item_id]));
        return {
          id: head.entity_id,
          incrementId: head.increment_id,
          state: head.state,
          currency: head.order_currency_code,
          createdAt: head.created_at,
          updatedAt: head.updated_at,
          items: head.items.map(row => ({
            id: row.item_id,
            parent: parents.get(row.item_id),
            productType: row.product_type,
            sku: row.sku,
            ordered: row.qty_ordered,
            canceled: row.qty_canceled,
            shipped: row.qty_shipped,
            refunded: row.qty_refunded,
            price: row.price,
          })),
        };
      } catch (error) {
        if (isNotFound(error)) return undefined;
        throw error;
      }
    },

    orderOrigin: id => get(`/rest/V1/orders/${id}`, 'an order', orderOriginSchema),

    async shipmentsOf(order) {
      const name = 'searchCriteria[filter_groups][0][filters][0]';
      const path = `/rest/V1/shipments?${name}[field]=order_id&${name}[value]=${order}&fields=${SHIPMENT_FIELDS}`;
      return (await get(path, 'shipments', pageOf(orderShipmentSchema))).items;
    },

    async ship(order, { items, sourceCode, reference, trackingNumber }) {
      const rows = items.map(({ item, quantity }) => ({ order_item_id: item, qty: quantity }));
      // As recorded: from the default source without a tracking number, or with everything (orders/06 and 08).
      const number = trackingNumber || (sourceCode === DEFAULT_SOURCE ? '' : reference);
      const body = number
        ? {
            items: rows,
            notify: false,
            appendComment: true,
            comment: { comment: `InvenTree shipment ${reference}`, is_visible_on_front: 0 },
            tracks: [{ track_number: number, title: 'Tracking number', carrier_code: 'custom' }],
            arguments: { extension_attributes: { source_code: sourceCode } },
          }
        : { items: rows };
      const call: Call = { method: 'POST', path: `/rest/V1/order/${order}/ship`, body, direction: 'write' };
      await request(call, 'a new shipment', z.unknown());
    },

    async sources() {
      try {
        const path = '/rest/V1/inventory/sources?fields=items[source_code,enabled],total_count';
        return (await get(path, 'the sources', pageOf(sourceSchema))).items;
      } catch (error) {
        // A store without the inventory modules does not know the path. That it knows another shows that it is Magento.
        if (!(error instanceof CallError) || error.kind !== 'credentials' || error.status !== 404) throw error;
        await client.findProducts([PROBE_SKU]);
        return undefined;
      }
    },

    async websiteStocks() {
      const websites = await get('/rest/V1/store/websites', 'the websites', z.array(websiteSchema));
      const selling = websites.filter(({ code }) => code !== ADMIN_WEBSITE);
      const stocks: WebsiteStock[] = [];
      for (const { code } of selling) {
        const resolver = `/rest/V1/inventory/stock-resolver/website/${percentEncode(code)}`;
        const stock = await get(resolver, 'the stock of a website', stockSchema);
        const path = `/rest/V1/inventory/get-sources-assigned-to-stock-ordered-by-priority/${stock.stock_id}`;
        const sources = await get(path, 'the sources of a stock', z.array(sourceSchema));
        stocks.push({ website: code, stock: stock.name, sources });
      }
      return stocks;
    },

    async probeReads(stockApi) {
      await client.findProducts([PROBE_SKU]);
      if (stockApi === 'source-items') await get(walkPath(1, 1), 'source items', pageOf(skuRow));
    },

    async probeEmptyWrite() {
      try {
        await request(sourceItemsPost([]), WRITE, WRITTEN, { changesNothing: true });
      } catch (error) {
        if (!(error instanceof CallError) || error.kind !== 'refused' || error.status !== 400) throw error;
      }
    },

    close: http.close,
  };
  return client;

  async function postSourceItems(sourceItems: readonly object[]): Promise<void> {
    await request(sourceItemsPost(sourceItems), WRITE, WRITTEN);
  }
}

function sourceItemsPost(sourceItems: readonly object[]): Call {
  return { method: 'POST', path: '/rest/V1/inventory/source-items', body: { sourceItems }, direction: 'write' };
}

function walkPath(size: number, page: number): string {
  const query = `${pageQuery('source_item_id', size, page)}&fields=items[sku,quantity],total_count`;
  return `/rest/V1/inventory/source-items?${query}`;
}
