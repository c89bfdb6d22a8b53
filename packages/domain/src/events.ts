/** The three kinds of change that SYNC_ON_CREATE, SYNC_ON_UPDATE and SYNC_ON_DELETE switch. */
export type Change = 'created' | 'updated' | 'deleted';

/** An event of InvenTree as it arrives: its name, and whatever arguments the sender had. */
export type InvenTreeEvent = { event: string } & Record<string, unknown>;

/** The event that our plugin sends once a minute; it leads to no job. */
export const HEARTBEAT = 'stock_sync.heartbeat';

/** What an event asks us to sync. */
export interface EventTargets {
  change: Change;
  parts: number[];
  /** Stock items whose part the sender did not name. */
  stockItems: number[];
  /** Stock items whose part the sender named: worth remembering, because a deleted item cannot be looked up. */
  partOfStockItem: { stockItem: number; part: number }[];
  /** The sender cannot name the parts: any of them may have changed. */
  everything: boolean;
}

/** Why an event leads to no job. */
export type IgnoredEvent = { ignored: 'unknown event' | 'names no part and no stock item' };

/** A field that is missing or wrong. */
export type MalformedEvent = { field: string; expected: string };

interface Meaning {
  change: Change;
  /** Arguments that hold the id (or ids) of stock items. */
  stockItems?: string[];
  /** Arguments that hold the id of a part. */
  parts?: string[];
  everything?: true;
}

/**
 * The events that can change a part's stock or SKU, and which of their arguments are ids of stock items or parts: an
 * `id` alone may also belong to an order, a location or a tracking row. Taken from what a real InvenTree fired for each
 * user action (docs/facts/inventree.md, "What each user action fires"). The events of the last group name no stock
 * item: they count only where the sender adds the parts.
 */
const MEANINGS: Readonly<Record<string, Meaning>> = {
  'stock_stockitem.created': { change: 'created', stockItems: ['id'] },
  'stock_stockitem.saved': { change: 'updated', stockItems: ['id'] },
  'stock_stockitem.deleted': { change: 'deleted', stockItems: ['id'] },
  'stockitem.created_items': { change: 'created', stockItems: ['ids'] },
  'stockitem.quantityupdated': { change: 'updated', stockItems: ['id'] },
  'stockitem.counted': { change: 'updated', stockItems: ['id'] },
  'stockitem.moved': { change: 'updated', stockItems: ['id'] },
  'stockitem.split': { change: 'updated', stockItems: ['id', 'parent'] },
  'stockitem.assignedtocustomer': { change: 'updated', stockItems: ['id'] },
  'stockitem.returnedtostock': { change: 'updated', stockItems: ['id'] },
  'stockitem.installed': { change: 'updated', stockItems: ['id', 'assembly_id'] },
  'purchaseorderitem.received': { change: 'created', stockItems: ['item_ids', 'item_id'] },
  'buildoutput.completed': { change: 'updated', stockItems: ['id'] },

  'part_part.created': { change: 'updated', parts: ['id'] },
  'part_part.saved': { change: 'updated', parts: ['id'] },
  'part_part.deleted': { change: 'updated', parts: ['id'] },

  'stock_sync.parts_changed': { change: 'updated' },
  'stock_sync.everything_changed': { change: 'updated', everything: true },

  'build.completed': { change: 'updated' },
  'build_builditem.created': { change: 'updated' },
  'build_builditem.saved': { change: 'updated' },
  'build_builditem.deleted': { change: 'updated' },
  'order_salesorderallocation.created': { change: 'updated' },
  'order_salesorderallocation.saved': { change: 'updated' },
  'order_salesorderallocation.deleted': { change: 'updated' },
  'salesordershipment.completed': { change: 'updated' },
  'stock_stocklocation.deleted': { change: 'updated' },
};

/**
 * What an event asks us to sync, why it asks nothing, or which of its fields is wrong. Unknown fields are ignored:
 * InvenTree adds new ones from version to version.
 */
export function interpretEvent(event: InvenTreeEvent): EventTargets | IgnoredEvent | MalformedEvent {
  const meaning = Object.hasOwn(MEANINGS, event.event) ? MEANINGS[event.event] : undefined;
  if (!meaning) return { ignored: 'unknown event' };

  const named = new Set<number>();
  for (const field of ['part', 'parts', ...(meaning.parts ?? [])]) {
    const ids = idsIn(event[field], field);
    if ('expected' in ids) return ids;
    for (const id of ids.ids) named.add(id);
  }
  const stockItems = new Set<number>();
  for (const field of meaning.stockItems ?? []) {
    const ids = idsIn(event[field], field);
    if ('expected' in ids) return ids;
    for (const id of ids.ids) stockItems.add(id);
  }

  const parts = [...named];
  const targets: EventTargets = {
    change: meaning.change,
    parts,
    stockItems: [],
    partOfStockItem: [],
    everything: false,
  };
  if (meaning.everything) return { ...targets, everything: true };
  if (parts.length > 0) return { ...targets, partOfStockItem: partOfTheOnlyItem(parts, stockItems) };
  if (stockItems.size > 0) return { ...targets, stockItems: [...stockItems] };
  return namesNothing(event, meaning);
}

/** One item and one part belong together; with more of either, the event does not say which item is of which part. */
function partOfTheOnlyItem(parts: number[], stockItems: Set<number>): EventTargets['partOfStockItem'] {
  const [part] = parts;
  const [stockItem] = stockItems;
  if (part === undefined || stockItem === undefined || parts.length > 1 || stockItems.size > 1) return [];
  return [{ stockItem, part }];
}

/**
 * A field that is null or an empty list means "none": counting an item to zero fires `stockitem.counted` with id null
 * (docs/facts/inventree.md). A field that is missing altogether is a mistake of the sender.
 */
function namesNothing(event: InvenTreeEvent, meaning: Meaning): IgnoredEvent | MalformedEvent {
  const expectedFields = [...(meaning.stockItems ?? []), ...(meaning.parts ?? [])];
  const partsOnly = expectedFields.length === 0;
  if (partsOnly || ['part', 'parts', ...expectedFields].some(field => field in event)) {
    return { ignored: 'names no part and no stock item' };
  }
  const fields = new Set(['part', 'parts', ...expectedFields]);
  return { field: expectedFields[0] ?? 'part', expected: `one of ${[...fields].join(', ')}` };
}

function isId(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value > 0;
}

/** The ids in a field that may hold one id, a list of them, or nothing. */
function idsIn(value: unknown, field: string): { ids: number[] } | MalformedEvent {
  if (value === undefined || value === null) return { ids: [] };
  if (!Array.isArray(value)) return isId(value) ? { ids: [value] } : { field, expected: 'a whole number above 0' };
  const wrong = value.findIndex(id => !isId(id));
  if (wrong >= 0) return { field: `${field}[${wrong}]`, expected: 'a whole number above 0' };
  return { ids: value as number[] };
}

/** Whether this is the name of an event of InvenTree, and not another reason for a job. */
export function isEventName(text: string): boolean {
  return /^\w+\.\w+$/.test(text);
}
