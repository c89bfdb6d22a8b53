import type { InvenTreeShop, StockItem } from './shop';

/** The user actions on stock items. Each is one transaction and fires the recorded events. */

export function add(shop: InvenTreeShop, item: StockItem, quantity: number): void {
  shop.transaction(() => shop.setQuantity(item, item.quantity + quantity, 'Stock manually added', 11));
}

/** Removing more than is in stock removes all of it [recording stock-remove-more-than-there]. */
export function remove(shop: InvenTreeShop, item: StockItem, quantity: number): void {
  shop.transaction(() => shop.setQuantity(item, item.quantity - quantity, 'Stock manually removed', 12));
}

export function count(shop: InvenTreeShop, item: StockItem, quantity: number): void {
  shop.transaction(() => {
    const before = item.quantity;
    const gone = shop.setQuantity(item, quantity, 'Stock counted', 10) === 'deleted';
    // The event's name is an argument too; for a deleted item, the event has the OLD quantity [action count-zero].
    shop.fire('stockitem.counted', { id: gone ? null : item.pk, quantity: gone ? before : quantity }, [
      'stockitem.counted',
    ]);
  });
}

export function create(shop: InvenTreeShop, item: Partial<StockItem> & { part: number; quantity: number }): StockItem {
  return shop.transaction(() => {
    const created = shop.createItem(item);
    shop.track(created, 'Stock item created', 1, { quantity: created.quantity });
    return created;
  });
}

/** A bulk write: one event, no signals [action create-serialised]. */
export function createSerialised(
  shop: InvenTreeShop,
  item: Partial<StockItem> & { part: number },
  serials: readonly string[],
): StockItem[] {
  return shop.transaction(() => {
    const items = serials.map(serial => shop.insertItem({ ...item, quantity: 1, serial }));
    bulkCreated(shop, 'stockitem.created_items', { ids: items.map(i => i.pk) }, items);
    return items;
  });
}

/** Fires the one event of a bulk write; our plugin reports the new items itself. */
export function bulkCreated(
  shop: InvenTreeShop,
  event: string,
  kwargs: Record<string, unknown>,
  items: readonly StockItem[],
): void {
  shop.fire(event, kwargs);
  shop.signal(signals => {
    for (const item of items) signals.created.add(item.part);
  });
}

export function serialise(
  shop: InvenTreeShop,
  item: StockItem,
  serials: readonly string[],
  location: number | null,
): StockItem[] {
  return shop.transaction(() => {
    const { pk, ...rest } = item;
    const items = serials.map(serial => shop.insertItem({ ...rest, quantity: 1, serial, location, parent: pk }));
    bulkCreated(shop, 'stockitem.created_items', { ids: items.map(i => i.pk) }, items);
    shop.setQuantity(item, item.quantity - serials.length, 'Assigned serial number', 42);
    return items;
  });
}

export function transfer(shop: InvenTreeShop, item: StockItem, quantity: number, location: number): void {
  shop.transaction(() => {
    if (quantity < item.quantity) {
      shop.splitItem(item, quantity, { location });
      return;
    }
    const old = item.location;
    item.location = location;
    shop.saveItem(item);
    const moved = {
      id: item.pk,
      old_location: old,
      new_location: location,
      quantity: { decimal: item.quantity.toFixed(5) },
    };
    shop.fire('stockitem.moved', moved);
    shop.track(item, 'Location changed', 20, { location });
  });
}

/** As a bulk write, it creates no tracking row [action status-lost]. */
export function changeStatus(shop: InvenTreeShop, items: readonly StockItem[], status: number): void {
  shop.transaction(() => {
    for (const item of items) {
      item.status = status;
      shop.saveItem(item);
    }
  });
}

export function patch(
  shop: InvenTreeShop,
  item: StockItem,
  changes: { quantity?: number; status?: number; location?: number | null; expiryDate?: string | null },
): void {
  shop.transaction(() => {
    const statusChanges = changes.status !== undefined && changes.status !== item.status;
    Object.assign(item, changes);
    if (statusChanges) shop.track(item, 'Stock status updated', 13, { status: item.status });
    shop.saveItem(item);
  });
}

export function deleteItem(shop: InvenTreeShop, item: StockItem): void {
  shop.transaction(() => shop.deleteItem(item));
}

export function assignToCustomer(shop: InvenTreeShop, item: StockItem, customer: number): void {
  shop.transaction(() => {
    item.customer = customer;
    item.location = null;
    shop.track(item, 'Sent to customer', 100, { customer });
    shop.fire('stockitem.assignedtocustomer', { id: item.pk, customer });
    shop.saveItem(item);
  });
}

export function returnFromCustomer(shop: InvenTreeShop, item: StockItem, location: number): void {
  shop.transaction(() => {
    item.customer = null;
    item.salesOrder = null;
    item.location = location;
    shop.saveItem(item);
    shop.track(item, 'Returned from customer', 105, { location });
    shop.fire('stockitem.returnedtostock', { id: item.pk });
  });
}

export function install(shop: InvenTreeShop, assembly: StockItem, item: StockItem): void {
  shop.transaction(() => {
    item.belongsTo = assembly.pk;
    item.location = null;
    shop.saveItem(item);
    shop.track(item, 'Installed into assembly', 30, { stockitem: assembly.pk });
    shop.track(assembly, 'Installed component item', 35, { stockitem: item.pk });
    shop.fire('stockitem.installed', { id: item.pk, assembly_id: assembly.pk });
  });
}

/** Changes two parts; the event names neither [action convert-variant]. */
export function convert(shop: InvenTreeShop, item: StockItem, part: number): void {
  shop.transaction(() => {
    shop.changePart(item, part);
    shop.track(item, 'Converted to variant', 48, { part });
    shop.saveItem(item);
  });
}

/**
 * Deletes a location. Items that are kept move to the parent, and no event reports them [action location-delete-keep].
 */
export function deleteLocation(shop: InvenTreeShop, location: number, deleteItems: boolean): void {
  shop.transaction(() => {
    const parent = shop.locations.get(location)?.parent ?? null;
    for (const item of shop.items.values()) {
      if (item.location !== location) continue;
      if (deleteItems) shop.deleteItem(item);
      else item.location = parent;
    }
    for (const below of shop.locations.values()) if (below.parent === location) below.parent = parent;
    shop.locations.delete(location);
    shop.fire('stock_stocklocation.deleted', { model: 'StockLocation', id: location });
    shop.signal(signals => (signals.everything = true));
  });
}

/** Moves a location below another: no item changes, but the source of its stock may. */
export function moveLocation(shop: InvenTreeShop, location: number, parent: number | null): void {
  shop.transaction(() => {
    const moved = shop.locations.get(location);
    if (!moved) throw new Error(`no location ${location}`);
    moved.parent = parent;
    shop.fire('stock_stocklocation.saved', { model: 'StockLocation', id: location });
    shop.signal(signals => (signals.everything = true));
  });
}

export function renamePart(
  shop: InvenTreeShop,
  part: number,
  changes: { name?: string; IPN?: string; active?: boolean },
): void {
  shop.transaction(() => {
    const renamed = shop.parts.get(part);
    if (!renamed) throw new Error(`no part ${part}`);
    Object.assign(renamed, changes);
    shop.savePart(renamed);
  });
}

export function deletePart(shop: InvenTreeShop, part: number): void {
  shop.transaction(() => {
    const deleted = shop.parts.get(part);
    if (deleted) shop.deletePart(deleted);
  });
}
