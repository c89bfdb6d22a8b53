import { orderRecording } from '../recordings';
import { MalformedBody, type Route, type FakeAnswer, type FakeCall } from '../fake-http-server';
import { foundRows, pageOf, searchFrom, withFields, type Search } from './search';
import {
  magentoTime,
  MagentoStore,
  ShipRefusedError,
  type FakeOrder,
  type FakeProduct,
  type FakeShipment,
  type FakeSourceItem,
} from './store';

/** The configuration of the store. */
export interface MagentoSettings {
  /** webapi/validation: the most items in a list, the largest page, and the default page. */
  inputLimit?: { array: number; pageSize: number; defaultPageSize: number } | undefined;
  /** Whether the inventory (MSI) modules are enabled. */
  sourceItems: boolean;
}

const ok = (body: unknown): FakeAnswer => ({ status: 200, body });
const refused = (status: number, message: string, more: object = {}): FakeAnswer => ({
  status,
  body: { message, ...more },
});
const required = (fieldName: string) =>
  refused(400, '"%fieldName" is required. Enter and try again.', { parameters: { fieldName } });
const notAFloat = (field: string, value: string) =>
  refused(
    400,
    `Error occurred during "${field}" processing. The "${value}" value's type is invalid. ` +
      'The "float" type was expected. Verify and try again.',
  );
const DATABASE_TEXT: FakeAnswer = {
  status: 500,
  headers: { 'content-type': 'text/plain;charset=UTF-8' },
  body: 'An error has happened during application run. See exception log for details.\n',
};

/** The answer to a path that no route answers, or not with this method. */
export const noRoute = () => refused(404, 'Request does not match any route.');

/** The routes of the store. */
export function magentoRoutes(store: MagentoStore, settings: MagentoSettings): Route[] {
  let walk: { key: string; rows: Record<string, unknown>[] } | undefined;
  /** A walk over a large store asks for hundreds of pages: the first finds their rows, until a row changes. */
  const found = (call: FakeCall, rows: readonly Record<string, unknown>[], search: Search) => {
    const { currentPage, ...common } = search;
    const key = JSON.stringify([call.path, common, rows.length, store.sourceItemChanges]);
    if ((currentPage ?? 1) === 1 || walk?.key !== key) walk = { key, rows: foundRows(rows, search) };
    return walk.rows;
  };
  const list = (call: FakeCall, rows: readonly object[], hide: readonly string[] = []): FakeAnswer => {
    const search = searchFrom(call.query);
    const limit = settings.inputLimit;
    if (limit && (search.pageSize ?? 0) > limit.pageSize) {
      return refused(400, 'Maximum SearchCriteria pageSize is %max', { parameters: { max: limit.pageSize } });
    }
    const page = pageOf(
      found(call, rows as readonly Record<string, unknown>[], search),
      search,
      limit?.defaultPageSize,
    );
    page.items = (page.items as Record<string, unknown>[]).map(row =>
      Object.fromEntries(Object.entries(row).filter(([name]) => !hide.includes(name))),
    );
    return ok(withFields(page, call.query.get('fields')));
  };
  const withProduct = (call: FakeCall, answer: (product: FakeProduct) => FakeAnswer): FakeAnswer => {
    const [sku = ''] = call.captured;
    const product = store.product(sku);
    return product
      ? answer(product)
      : refused(404, `The Product with the "%1" SKU doesn't exist.`, { parameters: [sku] });
  };

  const common: Route[] = [
    {
      method: 'GET',
      path: /^\/rest\/V1\/store\/websites$/,
      handle: () => ok(websiteRows(store)),
    },
    {
      method: 'GET',
      path: /^\/rest\/V1\/products$/,
      handle: call =>
        list(
          call,
          [...store.products.values()].map(p => ({
            id: p.id,
            sku: p.sku,
            name: `P ${p.sku}`,
            status: p.status,
            type_id: p.typeId,
          })),
        ),
    },
    {
      method: 'GET',
      path: /^\/rest\/V1\/products\/([^/]+)$/,
      handle: call => {
        const product = store.product(call.captured[0] ?? '');
        if (!product) {
          return refused(404, `The product that was requested doesn't exist. Verify the product and try again.`);
        }
        return ok(withFields(productDetail(product), call.query.get('fields')));
      },
    },
    {
      method: 'GET',
      path: /^\/rest\/V1\/stockItems\/([^/]+)$/,
      handle: call => withProduct(call, p => ok(stockItem(p))),
    },
    {
      method: 'PUT',
      path: /^\/rest\/V1\/products\/([^/]+)\/stockItems\/[^/]+$/,
      handle: call =>
        withProduct(call, product => {
          const item = (call.body as { stockItem?: { qty?: unknown; is_in_stock?: boolean } }).stockItem;
          if (!item) return required('stockItem');
          const qty = Number(item.qty);
          if (Number.isNaN(qty)) return notAFloat('qty', String(item.qty));
          store.writeStockItem(product, qty, item.is_in_stock, magentoTime());
          return ok(product.id);
        }),
    },
    {
      method: 'GET',
      path: /^\/rest\/V1\/orders$/,
      handle: call => list(call, store.orders.map(orderRow), ['id']),
    },
    {
      method: 'GET',
      path: /^\/rest\/V1\/orders\/(\d+)$/,
      handle: call => {
        const order = store.orders.find(o => o.entity_id === Number(call.captured[0]));
        if (!order) return refused(404, 'No such entity.');
        const fields = call.query.get('fields');
        return ok(fields === null ? wholeOrder(order) : withFields(orderRow(order), fields));
      },
    },
    {
      method: 'GET',
      path: /^\/rest\/V1\/shipments$/,
      handle: call =>
        list(
          call,
          store.shipments.map(({ source, ...shipment }) => ({
            ...shipment,
            extension_attributes: { source_code: source },
          })),
        ),
    },
    {
      method: 'POST',
      path: /^\/rest\/V1\/order\/(\d+)\/ship$/,
      handle: call => {
        const order = store.orders.find(o => o.entity_id === Number(call.captured[0]));
        if (!order)
          return refused(404, "The entity that was requested doesn't exist. Verify the entity and try again.");
        const { items, tracks, comment, arguments: args } = call.body as ShipBody;
        const source = args?.extension_attributes?.source_code;
        try {
          const { entity_id } = store.ship(order, items, {
            ...(source !== undefined && { source }),
            ...(tracks && { tracks }),
            ...(comment && { comments: [comment] }),
          });
          return ok(String(entity_id));
        } catch (error) {
          if (error instanceof ShipRefusedError) return refused(400, error.message);
          throw error;
        }
      },
    },
    {
      method: 'GET',
      path: /^\/rest\/V1\/creditmemos$/,
      handle: call =>
        list(
          call,
          store.creditMemos.map(({ sku, qty, ...memo }) => ({ ...memo, items: [{ sku, qty }] })),
        ),
    },
  ];
  return settings.sourceItems ? [...common, ...inventoryRoutes(store, settings, list)] : common;
}

function inventoryRoutes(
  store: MagentoStore,
  settings: MagentoSettings,
  list: (call: FakeCall, rows: readonly object[], hide?: readonly string[]) => FakeAnswer,
): Route[] {
  return [
    {
      method: 'GET',
      path: /^\/rest\/V1\/inventory\/source-items$/,
      handle: call => list(call, sourceItemsAsked(store, call), ['id']),
    },
    {
      method: 'POST',
      path: /^\/rest\/V1\/inventory\/source-items$/,
      handle: call => writeSourceItems(store, settings, call),
    },
    {
      method: 'POST',
      path: /^\/rest\/V1\/inventory\/source-items-delete$/,
      handle: call => {
        const { sourceItems = [] } = call.body as { sourceItems?: { sku: string; source_code: string }[] };
        for (const { sku, source_code } of sourceItems) store.deleteSourceItem(sku, source_code);
        return ok([]);
      },
    },
    {
      method: 'GET',
      path: /^\/rest\/V1\/inventory\/sources$/,
      handle: call =>
        list(
          call,
          [...store.sources.keys()].map(code => sourceRow(store, code)),
        ),
    },
    {
      method: 'POST',
      path: /^\/rest\/V1\/inventory\/sources$/,
      handle: call => {
        const { source } = call.body as {
          source: { source_code: string; name: string; enabled: boolean; postcode: string };
        };
        store.sources.set(source.source_code, {
          name: source.name,
          enabled: source.enabled,
          postcode: source.postcode,
        });
        return ok([]);
      },
    },
    {
      method: 'GET',
      path: /^\/rest\/V1\/inventory\/stocks$/,
      handle: call => list(call, store.stocks.map(stockRow)),
    },
    {
      method: 'GET',
      path: /^\/rest\/V1\/inventory\/stock-resolver\/website\/([^/]+)$/,
      handle: call => {
        const stock = store.stocks.find(({ websites }) => websites.includes(call.captured[0] ?? ''));
        if (!stock) throw new Error('no recording of a website without a stock');
        return ok(stockRow(stock));
      },
    },
    {
      method: 'GET',
      path: /^\/rest\/V1\/inventory\/get-sources-assigned-to-stock-ordered-by-priority\/(\d+)$/,
      handle: call => {
        const stock = store.stocks.find(({ id }) => id === Number(call.captured[0]));
        return ok((stock?.sources ?? []).map(code => sourceRow(store, code)));
      },
    },
    {
      method: 'GET',
      path: /^\/rest\/V1\/inventory\/get-product-salable-quantity\/([^/]+)\/1$/,
      handle: call => {
        const salable = store.salable(call.captured[0] ?? '');
        return salable === undefined ? DATABASE_TEXT : ok(salable);
      },
    },
  ];
}

function stockRow({ id, name, websites }: MagentoStore['stocks'][number]) {
  const sales_channels = websites.map(code => ({ type: 'website', code }));
  return { stock_id: id, name, extension_attributes: { sales_channels } };
}

function websiteRows(store: MagentoStore) {
  const codes = ['admin', ...store.stocks.flatMap(({ websites }) => websites)];
  return codes.map((code, id) => ({ id, code, name: code === 'base' ? 'Main Website' : code, default_group_id: id }));
}

function sourceRow(store: MagentoStore, source_code: string) {
  const { name = source_code, enabled = true, postcode = '' } = store.sources.get(source_code) ?? {};
  return {
    source_code,
    name,
    enabled,
    description: name,
    latitude: 0,
    longitude: 0,
    country_id: 'US',
    postcode,
    use_default_carrier_config: true,
    carrier_links: [],
    extension_attributes: { is_pickup_location_active: false, frontend_name: '' },
  };
}

/** The products that a search can find: those with the SKUs in it, so that most searches need not scan all. */
function sourceItemsAsked(store: MagentoStore, call: FakeCall): FakeSourceItem[] {
  const [group = []] = searchFrom(call.query).groups;
  const skus = group.flatMap(({ field, value, condition_type }) =>
    field !== 'sku' ? [] : condition_type === 'in' ? value.split(',') : condition_type === 'eq' ? [value] : [],
  );
  if (skus.length < Math.max(1, group.length)) return [...store.sourceItems.values()];
  const keys = new Set(skus.map(MagentoStore.key));
  return [...keys].flatMap(sku => [...store.sources.keys()].flatMap(source => store.sourceItem(sku, source) ?? []));
}

const KNOWN_FIELDS = new Set(['sku', 'source_code', 'quantity', 'status', 'extension_attributes']);

/** All or nothing; accepts SKUs without a product, and product types without stock [recordings msi-post-*]. */
function writeSourceItems(store: MagentoStore, settings: MagentoSettings, call: FakeCall): FakeAnswer {
  const { sourceItems } = (call.body ?? {}) as { sourceItems?: Record<string, unknown>[] };
  if (!sourceItems) return required('sourceItems');
  const limit = settings.inputLimit?.array;
  if (limit !== undefined && sourceItems.length > limit) {
    const type = '\\Magento\\InventoryApi\\Api\\Data\\SourceItemInterface';
    return refused(400, 'Maximum items of type "%type" is %max', { parameters: { type, max: limit } });
  }
  for (const item of sourceItems) {
    if (Object.keys(item).some(name => !KNOWN_FIELDS.has(name))) {
      return refused(500, 'Internal Error. Details are available in Magento log file. Report ID: webapi-6b042a14e2e37');
    }
    if (Number.isNaN(Number(item.quantity))) return notAFloat('quantity', String(item.quantity));
  }
  if (sourceItems.length === 0) return refused(400, 'Input data is empty');
  for (const { status } of sourceItems) {
    const problem =
      status === undefined ? 'should be numeric.' : status === 0 || status === 1 ? undefined : 'should a known status.';
    if (problem) {
      const errors = [{ message: `"%field" ${problem}`, parameters: { field: 'status' } }];
      return refused(400, `Validation Failed: "status" ${problem}`, { errors });
    }
  }
  if (sourceItems.some(({ source_code }) => !store.sources.has(String(source_code)))) {
    return refused(400, 'Could not save Source Item');
  }
  for (const { sku, source_code, quantity, status } of sourceItems) {
    store.writeSourceItem(String(sku), String(source_code), Number(quantity), Number(status));
  }
  return ok([]);
}

/** The answer to an invalid body; undefined for a valid one. */
export function bodyRefusal(call: FakeCall): FakeAnswer | undefined {
  if (call.body === undefined) return undefined;
  const type = (call.headers['content-type'] ?? 'application/json').split(';')[0] ?? '';
  if (type !== 'application/json') {
    return refused(400, `Server cannot understand Content-Type HTTP header media type ${type}`);
  }
  return call.body instanceof MalformedBody ? refused(400, 'Decoding error.') : undefined;
}

function stockItem(product: FakeProduct) {
  const { id, qty, isInStock, lowStockDate, statusChangedAuto, backorders, minQuantity, managesStock } = product;
  return {
    item_id: id,
    product_id: id,
    stock_id: 1,
    qty,
    is_in_stock: isInStock,
    is_qty_decimal: false,
    show_default_notification_message: false,
    use_config_min_qty: minQuantity === 0,
    min_qty: minQuantity,
    use_config_min_sale_qty: 1,
    min_sale_qty: 1,
    use_config_max_sale_qty: true,
    max_sale_qty: 10000,
    use_config_backorders: backorders === 0,
    backorders,
    use_config_notify_stock_qty: true,
    notify_stock_qty: 1,
    use_config_qty_increments: true,
    qty_increments: 0,
    use_config_enable_qty_inc: true,
    enable_qty_increments: false,
    use_config_manage_stock: managesStock,
    manage_stock: managesStock,
    low_stock_date: lowStockDate,
    is_decimal_divided: false,
    stock_status_changed_auto: statusChangedAuto,
  };
}

function productDetail(product: FakeProduct) {
  return {
    id: product.id,
    sku: product.sku,
    name: `P ${product.sku}`,
    attribute_set_id: 4,
    price: 10,
    status: product.status,
    visibility: 4,
    type_id: product.typeId,
    created_at: '2026-11-23 11:53:49',
    updated_at: '2026-11-23 11:53:49',
    weight: 1,
    extension_attributes: { website_ids: [1], stock_item: stockItem(product) },
    product_links: [],
    options: [],
    media_gallery_entries: [],
    tier_prices: [],
    custom_attributes: [{ attribute_code: 'options_container', value: 'container2' }],
  };
}

interface ShipBody {
  items?: { order_item_id: number; qty: number }[];
  tracks?: FakeShipment['tracks'];
  comment?: FakeShipment['comments'][number];
  arguments?: { extension_attributes?: { source_code?: string } };
}

const WHOLE_ORDER = orderRecording('03-get-order').response.body as Record<string, unknown>;

/** All that Magento says of an order. */
function wholeOrder(order: FakeOrder) {
  const { first, last, email } = order.buyer;
  const { id: _, items: __, ...row } = orderRow(order);
  return {
    ...WHOLE_ORDER,
    ...row,
    store_id: order.storeId,
    customer_email: email,
    customer_firstname: first,
    customer_lastname: last,
  };
}

/** An order that was not invoiced stays in process when all of it is shipped [recordings orders/07 to 13]. */
function orderRow({ entity_id, createdAt, updatedAt, state, buyer, rows }: FakeOrder) {
  const isUntouched = rows.every(({ qty_shipped, qty_invoiced }) => qty_shipped === 0 && qty_invoiced === 0);
  return {
    id: entity_id,
    created_at: createdAt,
    entity_id,
    increment_id: String(entity_id).padStart(9, '0'),
    state: state ?? (isUntouched ? 'new' : 'processing'),
    status: state ?? (isUntouched ? 'pending' : 'processing'),
    updated_at: updatedAt,
    order_currency_code: 'USD',
    customer_email: buyer.email,
    items: rows.map(row => {
      const parent = rows.find(({ item_id }) => item_id === row.parent_item_id);
      const { item_id, product_type, sku } = parent ?? row;
      return { ...row, price: 10, ...(parent && { parent_item: { item_id, product_type, sku } }) };
    }),
  };
}
