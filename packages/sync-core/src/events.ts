/** The three kinds of change that SYNC_ON_CREATE, SYNC_ON_UPDATE and SYNC_ON_DELETE switch. */
export type Change = 'created' | 'updated' | 'deleted';

/** An event of InvenTree as it arrives: its name, and whatever arguments the sender had. */
export type InvenTreeEvent = { event: string } & Record<string, unknown>;

/** The event by which our plugin says that it is alive; it asks for no work. */
export const HEARTBEAT = 'stock_sync.heartbeat';

/** What an event asks us to look at. */
export interface EventTargets {
  change: Change;
  parts: number[];
  /** Stock items whose part the sender did not say. */
  stockItems: number[];
  /** Stock items whose part the sender did say: worth remembering, for the day such an item is deleted. */
  partOfStockItem: { stockItem: number; part: number }[];
  /** The sender can't name the parts: every one may have changed. */
  everything: boolean;
}

/** Why an event leads to no work. */
export type Ignored = { ignored: 'unknown event' | 'names nothing to look at' };

/** An event that should have named something and did not, or named it wrongly. */
export type Malformed = { field: string; expected: string };

interface Meaning {
  change: Change;
  /** Arguments that hold the id (or ids) of a stock item. */
  stockItems?: string[];
  /** Arguments that hold the id of a part. */
  parts?: string[];
  everything?: true;
}

/**
 * The events that can change a part's stock or its SKU, and which of their arguments are ids of stock items and which
 * of parts: an `id` alone may as well be an order's, a location's or a tracking row's. From what a real InvenTree fired
 * at each user action [recordings inventree-1.4/actions]. The last group names no stock item: it counts only where the
 * sender adds the parts.
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
 * What an event asks us to look at; why it asks nothing; or which of its fields is wrong. Fields that mean nothing to
 * us are not looked at: InvenTree adds new ones from version to version.
 */
export function targetsOf(event: InvenTreeEvent): EventTargets | Ignored | Malformed {
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

/** With one part and one item the item is the part's; with more of either, which is whose is not said. */
function partOfTheOnlyItem(parts: number[], stockItems: Set<number>): EventTargets['partOfStockItem'] {
  const [part] = parts;
  const [stockItem] = stockItems;
  if (part === undefined || stockItem === undefined || parts.length > 1 || stockItems.size > 1) return [];
  return [{ stockItem, part }];
}

/**
 * A field that is there but null or an empty list is an honest "none" (counting an item to zero fires
 * `stockitem.counted` with id null [recording actions/count-zero]); a field that is missing altogether is a mistake.
 */
function namesNothing(event: InvenTreeEvent, meaning: Meaning): Ignored | Malformed {
  const expectedFields = [...(meaning.stockItems ?? []), ...(meaning.parts ?? [])];
  const partsOnly = expectedFields.length === 0;
  if (partsOnly || ['part', 'parts', ...expectedFields].some(field => field in event)) {
    return { ignored: 'names nothing to look at' };
  }
  const fields = new Set(['part', 'parts', ...expectedFields]);
  return { field: expectedFields[0] ?? 'part', expected: `one of ${[...fields].join(', ')}` };
}

function isId(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value > 0;
}

/** The ids in a field that may hold one id, a list of them, or nothing. */
function idsIn(value: unknown, field: string): { ids: number[] } | Malformed {
  if (value === undefined || value === null) return { ids: [] };
  if (!Array.isArray(value)) return isId(value) ? { ids: [value] } : { field, expected: 'a whole number above 0' };
  const wrong = value.findIndex(id => !isId(id));
  if (wrong >= 0) return { field: `${field}[${wrong}]`, expected: 'a whole number above 0' };
  return { ids: value as number[] };
}
