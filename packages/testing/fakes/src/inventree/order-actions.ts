import type { InvenTreeShop, StockItem } from './shop';
import { bulkCreated } from './stock-actions';

/** The user actions on purchase, sales and build orders that change stock. */

export function addPurchaseOrder(shop: InvenTreeShop, lines: { part: number; quantity: number }[]): number {
  const pk = shop.nextKey('purchase-order');
  shop.purchaseOrders.set(pk, {
    pk,
    lines: lines.map(line => ({ ...line, pk: shop.nextKey('purchase-line'), received: 0 })),
  });
  return pk;
}

/** A bulk write: one event for the order and none for the items [actions receive-order, receive-order-serials]. */
export function receive(
  shop: InvenTreeShop,
  order: number,
  lines: { line: number; quantity: number; location: number; serials?: string[] | undefined }[],
): StockItem[] {
  return shop.transaction(() => {
    const found = shop.purchaseOrders.get(order);
    if (!found) throw new Error(`no purchase order ${order}`);
    const items = lines.flatMap(({ line: pk, quantity, location, serials }) => {
      const line = found.lines.find(l => l.pk === pk);
      if (!line) throw new Error(`no line ${pk}`);
      line.received += quantity;
      const item = { part: line.part, location, purchaseOrder: order };
      if (!serials) return [shop.insertItem({ ...item, quantity })];
      const serialised = serials.map(serial => shop.insertItem({ ...item, quantity: 1, serial }));
      bulkCreated(shop, 'stockitem.created_items', { ids: serialised.map(i => i.pk) }, serialised);
      return serialised;
    });
    bulkCreated(shop, 'purchaseorderitem.received', { order_id: order, item_ids: items.map(i => i.pk) }, items);
    shop.fire('order_purchaseorder.saved', { id: order, model: 'PurchaseOrder' });
    if (found.lines.every(line => line.received >= line.quantity)) shop.fire('purchaseorder.completed', { id: order });
    return items;
  });
}

export function addSalesOrder(
  shop: InvenTreeShop,
  customer: number,
  lines: { part: number; quantity: number }[],
): { order: number; shipment: number } {
  const { pk: order } = shop.insertSalesOrder({
    customer,
    lines: lines.map(line => ({ ...line, pk: shop.nextKey('sales-line'), reference: '', shipped: 0 })),
  });
  return { order, shipment: shop.insertShipment(order, '1').pk };
}

export function allocate(
  shop: InvenTreeShop,
  order: number,
  line: number,
  item: number,
  quantity: number,
  shipment: number | null,
): void {
  shop.transaction(() => {
    const pk = shop.nextKey('sales-allocation');
    shop.salesAllocations.push({ pk, line, item, quantity, shipment, order });
    shop.fire('order_salesorderallocation.created', { id: pk, model: 'SalesOrderAllocation' });
    const part = shop.items.get(item)?.part;
    if (part !== undefined) shop.signal(signals => signals.touched.add(part));
  });
}

/** As a user removes those of a line, or InvenTree all of an order that is cancelled [17-part-after-cancel]. */
export function freeAllocations(shop: InvenTreeShop, order: number, line?: number): void {
  shop.transaction(() => {
    const freed = shop.salesAllocations.filter(one => one.order === order && (line === undefined || one.line === line));
    for (const one of freed) {
      shop.salesAllocations.splice(shop.salesAllocations.indexOf(one), 1);
      const part = shop.items.get(one.item)?.part;
      if (part !== undefined) shop.signal(signals => signals.touched.add(part));
    }
  });
}

/** Shipped by the background worker, after the answer [actions sales-ship-some, sales-ship-all]. */
export function ship(shop: InvenTreeShop, shipment: number, trackingNumber = ''): void {
  const found = shop.shipments.get(shipment);
  const order = found && shop.salesOrders.get(found.order);
  if (!found || !order) throw new Error(`no shipment ${shipment}`);
  shop.fire('order_salesordershipment.saved', { id: shipment, model: 'SalesOrderShipment' });
  shop.later(() => {
    Object.assign(found, { sentOn: new Date().toISOString().slice(0, 10), trackingNumber });
    for (const allocation of shop.salesAllocations.filter(a => a.shipment === shipment)) {
      const item = shop.items.get(allocation.item);
      if (!item) continue;
      const some = allocation.quantity < item.quantity;
      shop.salesAllocations.splice(shop.salesAllocations.indexOf(allocation), 1);
      const changes = { customer: order.customer, salesOrder: order.pk, location: null };
      const shipped = some ? shop.splitItem(item, allocation.quantity, changes) : Object.assign(item, changes);
      shop.saveItem(shipped);
      shop.shippedAllocations.push({ ...allocation, item: shipped.pk });
      const line = order.lines.find(({ pk }) => pk === allocation.line);
      if (line) line.shipped += allocation.quantity;
      shop.track(shipped, 'Shipped against Sales Order', 60, { salesorder: order.pk });
      shop.fire('stockitem.assignedtocustomer', { id: item.pk, customer: order.customer });
      shop.fire('order_salesorderallocation.saved', { id: allocation.pk, model: 'SalesOrderAllocation' });
      shop.fire('order_salesorderlineitem.saved', { id: allocation.line, model: 'SalesOrderLineItem' });
      shop.fire('order_salesorder.saved', { id: order.pk, model: 'SalesOrder' });
      if (some) shop.fire('order_salesordershipment.saved', { id: shipment, model: 'SalesOrderShipment' });
    }
    shop.fire('salesordershipment.completed', { id: shipment });
  });
}

/**
 * Deletes a customer: the items shipped to it are in stock again, and no event reports it (docs/facts/inventree.md).
 */
export function deleteCustomer(shop: InvenTreeShop, customer: number): void {
  shop.transaction(() => {
    shop.customers.delete(customer);
    for (const item of shop.items.values()) {
      if (item.customer === customer) Object.assign(item, { customer: null, salesOrder: null });
    }
    shop.signal(signals => (signals.everything = true));
  });
}

export function addBuild(shop: InvenTreeShop, part: number, components: number[]): number {
  const pk = shop.nextKey('build');
  shop.builds.set(pk, {
    pk,
    part,
    lines: components.map(component => ({ pk: shop.nextKey('build-line'), part: component })),
  });
  return pk;
}

export function allocateToBuild(
  shop: InvenTreeShop,
  build: number,
  line: number,
  item: number,
  quantity: number,
): void {
  shop.buildAllocations.push({ pk: shop.nextKey('build-item'), line, item, quantity, build });
}

/** Creates a build output, which is not in stock while in production [action build-output-create]. */
export function createOutput(shop: InvenTreeShop, build: number, quantity: number): StockItem {
  return shop.transaction(() => {
    const found = shop.builds.get(build);
    if (!found) throw new Error(`no build ${build}`);
    const output = shop.createItem({ part: found.part, quantity, build, isBuilding: true });
    shop.track(output, 'Stock item created', 1);
    shop.track(output, 'Build order output created', 50);
    return output;
  });
}

export function completeOutput(
  shop: InvenTreeShop,
  build: number,
  output: StockItem,
  location: number,
  status: number,
): void {
  shop.transaction(() => {
    Object.assign(output, { isBuilding: false, location, status });
    shop.fire('build_build.saved', { id: build, model: 'Build' });
    shop.saveItem(output);
    shop.track(output, 'Build order output completed', 55);
    shop.fire('buildoutput.completed', { id: output.pk, build_id: build });
  });
}

/** Consumed by the background worker, after the answer [action build-consume]. */
export function consume(shop: InvenTreeShop, build: number): void {
  shop.later(() => {
    for (const allocation of shop.buildAllocations.filter(a => a.build === build)) {
      const item = shop.items.get(allocation.item);
      if (!item) continue;
      shop.buildAllocations.splice(shop.buildAllocations.indexOf(allocation), 1);
      const changes = { consumedBy: build, location: null };
      const consumed =
        allocation.quantity < item.quantity
          ? shop.splitItem(item, allocation.quantity, changes)
          : Object.assign(item, changes);
      shop.saveItem(consumed);
      shop.track(consumed, 'Consumed by build order', 57, { buildorder: build });
      shop.fire('build_buildline.saved', { id: allocation.line, model: 'BuildLine' });
      shop.fire('build_builditem.deleted', { model: 'BuildItem', id: allocation.pk });
    }
  });
}

/** Completes a build. Its event comes BEFORE the parts are consumed [action build-finish]. */
export function finish(shop: InvenTreeShop, build: number): void {
  shop.transaction(() => {
    shop.fire('build.completed', { id: build });
    shop.fire('build_build.saved', { id: build, model: 'Build' });
  });
  consume(shop, build);
}
