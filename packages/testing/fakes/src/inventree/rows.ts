import {
  rounded,
  STATUS_TEXT,
  type InvenTreeShop,
  type Location,
  type Part,
  type StockItem,
  type TrackingRow,
} from './shop';

/** The rows of InvenTree's lists, with the fields that the recorded ones have. */

export function itemRow(shop: InvenTreeShop, item: StockItem, details: { part?: boolean; location?: boolean } = {}) {
  const part = shop.parts.get(item.part);
  const location = item.location === null ? null : (shop.locations.get(item.location) ?? null);
  return {
    pk: item.pk,
    part: item.part,
    quantity: item.quantity,
    serial: item.serial,
    batch: item.batch,
    location: item.location,
    belongs_to: item.belongsTo,
    build: item.build,
    consumed_by: item.consumedBy,
    customer: item.customer,
    delete_on_deplete: item.deleteOnDeplete,
    expiry_date: item.expiryDate,
    in_stock: shop.isInStock(item),
    is_building: item.isBuilding,
    link: '',
    notes: null,
    owner: null,
    packaging: null,
    parent: item.parent,
    purchase_order: item.purchaseOrder,
    purchase_order_reference: item.purchaseOrder === null ? null : reference('PO', item.purchaseOrder),
    sales_order: item.salesOrder,
    sales_order_reference: item.salesOrder === null ? null : reference('SO', item.salesOrder),
    status: item.status,
    status_text: shop.customStatuses.get(item.customStatus ?? 0)?.label ?? STATUS_TEXT[item.status] ?? '',
    status_custom_key: item.customStatus ?? item.status,
    supplier_part: null,
    SKU: null,
    MPN: null,
    barcode_hash: '',
    updated: item.updated,
    stocktake_date: null,
    purchase_price: null,
    purchase_price_currency: 'USD',
    allocated: shop.allocated(item.pk),
    expired: isExpired(item),
    installed_items: [...shop.items.values()].filter(other => other.belongsTo === item.pk).length,
    child_items: 0,
    stale: item.expiryDate !== null,
    tracking_items: shop.tracking.filter(row => row.item === item.pk).length,
    ...(details.part && part && { part_detail: partBrief(part) }),
    ...(details.location && { location_detail: location && locationBrief(shop, location) }),
  };
}

export function isExpired({ expiryDate }: StockItem): boolean {
  return expiryDate !== null && expiryDate < new Date().toISOString().slice(0, 10);
}

/** The answer to a user who wrote an item: more fields than in a list. */
export function writtenItemRow(shop: InvenTreeShop, item: StockItem) {
  const location = item.location === null ? null : (shop.locations.get(item.location) ?? null);
  return {
    ...itemRow(shop, item, { part: true }),
    location_path: null,
    location_detail: location && locationBrief(shop, location),
    supplier_part_detail: null,
    tests: null,
    tags: [],
  };
}

/** The answer to a user who wrote a part. */
export function writtenPartRow(shop: InvenTreeShop, part: Part) {
  return {
    ...partRow(shop, part, { detail: true, pricing: true }),
    parameters: null,
    price_breaks: null,
    category_path: null,
    category_detail: null,
    default_location_detail: null,
    tags: [],
  };
}

const reference = (prefix: string, pk: number) => `${prefix}-${String(pk).padStart(4, '0')}`;
const fullName = (part: Part) => (part.IPN ? `${part.IPN} | ${part.name}` : part.name);

function partBrief(part: Part) {
  return {
    pk: part.pk,
    IPN: part.IPN,
    barcode_hash: '',
    category_default_location: null,
    default_location: null,
    default_expiry: 0,
    name: part.name,
    revision: '',
    full_name: fullName(part),
    description: part.description,
    image: null,
    thumbnail: '/static/img/blank_image.thumbnail.png',
    active: part.active,
    locked: false,
    assembly: part.assembly,
    component: true,
    minimum_stock: '0.000000',
    is_template: part.isTemplate,
    purchaseable: true,
    salable: part.salable,
    testable: false,
    trackable: part.trackable,
    virtual: part.virtual,
    units: '',
    pricing_max: null,
    pricing_min: null,
  };
}

export function partRow(shop: InvenTreeShop, part: Part, { detail, pricing }: { detail: boolean; pricing: boolean }) {
  const own = shop.itemsOf(part.pk);
  const inStock = shop.inStock(part.pk);
  const variants = rounded(shop.variantsOf(part.pk).reduce((total, pk) => total + shop.inStock(pk), 0));
  const sold = sumOf(
    shop.salesAllocations,
    a => shop.items.get(a.item)?.part === part.pk,
    a => a.quantity,
  );
  const built = sumOf(
    shop.buildAllocations,
    a => shop.items.get(a.item)?.part === part.pk,
    a => a.quantity,
  );
  const external = sumOf(
    own,
    item => shop.isInStock(item) && item.location !== null && shop.locations.get(item.location)?.external === true,
    item => item.quantity,
  );
  return {
    active: part.active,
    assembly: part.assembly,
    barcode_hash: '',
    category: part.category,
    category_name: part.category === null ? null : `Category ${part.category}`,
    component: true,
    creation_date: '2026-11-23',
    creation_user: 1,
    default_expiry: 0,
    default_location: null,
    description: part.description,
    full_name: fullName(part),
    image: null,
    IPN: part.IPN,
    is_template: part.isTemplate,
    keywords: null,
    link: null,
    locked: false,
    minimum_stock: 0,
    name: part.name,
    ...(detail && { notes: null }),
    pk: part.pk,
    purchaseable: true,
    revision: part.revision,
    revision_of: null,
    revision_count: 0,
    salable: part.salable,
    starred: false,
    thumbnail: '/static/img/blank_image.thumbnail.png',
    testable: false,
    trackable: part.trackable,
    units: '',
    variant_of: part.variantOf,
    virtual: part.virtual,
    responsible: null,
    allocated_to_build_orders: built,
    allocated_to_sales_orders: sold,
    building: sumOf(
      own,
      item => item.isBuilding,
      item => item.quantity,
    ),
    scheduled_to_build: 0,
    category_default_location: null,
    in_stock: inStock,
    ordering: 0,
    required_for_build_orders: built,
    required_for_sales_orders: sold,
    stock_item_count: own.length,
    total_in_stock: rounded(inStock + variants),
    external_stock: external,
    unallocated_stock: rounded(inStock + variants - sold - built),
    variant_stock: variants,
    ...(pricing && { pricing_updated: null, pricing_max: null, pricing_min: null }),
  };
}

function sumOf<T>(rows: readonly T[], which: (row: T) => boolean, amount: (row: T) => number): number {
  return rounded(rows.filter(which).reduce((total, row) => total + amount(row), 0));
}

function pathOf(shop: InvenTreeShop, location: Location): string[] {
  const above = location.parent === null ? undefined : shop.locations.get(location.parent);
  return [...(above ? pathOf(shop, above) : []), location.name];
}

function locationBrief(shop: InvenTreeShop, location: Location) {
  return { pk: location.pk, name: location.name, pathstring: pathOf(shop, location).join('/') };
}

export function locationRow(shop: InvenTreeShop, location: Location) {
  const path = pathOf(shop, location);
  return {
    pk: location.pk,
    barcode_hash: '',
    name: location.name,
    level: path.length - 1,
    description: location.description,
    parent: location.parent,
    pathstring: path.join('/'),
    items: [...shop.items.values()].filter(item => item.location === location.pk).length,
    sublocations: shop.locationsBelow(location.pk).length,
    owner: null,
    icon: '',
    custom_icon: null,
    structural: false,
    external: location.external,
    location_type: null,
    location_type_detail: null,
  };
}

export function trackingRow(row: TrackingRow) {
  return {
    pk: row.pk,
    item: row.item,
    part: row.part,
    date: row.date,
    deltas: row.deltas,
    label: row.label,
    notes: '',
    tracking_type: row.trackingType,
    user: 1,
  };
}
