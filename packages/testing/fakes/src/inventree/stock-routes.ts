import type { Route, FakeAnswer, FakeCall } from '../fake-http-server';
import {
  badRequest,
  caseless,
  dataError,
  filterValue,
  isFalse,
  isTrue,
  listAnswer,
  NOT_A_CHOICE,
  notFound,
} from './lists';
import { itemRow, locationRow, trackingRow, writtenItemRow } from './rows';
import type { InvenTreeShop, Location, StockItem, TrackingRow } from './shop';
import * as actions from './stock-actions';

type Body = Record<string, unknown>;

const created = (body: unknown): FakeAnswer => ({ status: 201, body });
const asDecimal = (value: unknown) => Number(value).toFixed(5);

/** The routes of stock items, locations and tracking, and the user actions on them. */
export function stockRoutes(shop: InvenTreeShop): Route[] {
  const withItem = (call: FakeCall, answer: (item: StockItem) => FakeAnswer) => {
    const item = shop.items.get(Number(call.captured[0]));
    return item ? answer(item) : notFound('StockItem');
  };
  const detail = (item: StockItem) => ({ status: 200, body: itemRow(shop, item, { part: true }) });

  /** The actions whose body is `{items: [{pk, quantity}], notes}`; they answer with the body. */
  const onItems = (
    path: RegExp,
    act: (item: StockItem, quantity: number, body: Body) => void,
    more: (body: Body) => Body = () => ({}),
  ): Route => ({
    method: 'POST',
    path,
    handle: call => {
      const body = call.body as Body & { items: { pk: number; quantity: number }[]; notes?: string };
      const problems = body.items.map(({ pk, quantity }) => {
        if (!shop.items.has(pk)) return { pk: [`Invalid pk "${pk}" - object does not exist.`] };
        return quantity < 0 ? { quantity: ['Ensure this value is greater than or equal to 0.'] } : {};
      });
      if (problems.some(problem => Object.keys(problem).length > 0)) return badRequest({ items: problems });
      shop.transaction(() => {
        for (const { pk, quantity } of body.items) {
          const item = shop.items.get(pk);
          if (item) act(item, quantity, body);
        }
      });
      const items = body.items.map(({ pk, quantity }) => ({
        pk: shop.items.has(pk) ? pk : null,
        quantity: asDecimal(quantity),
        status: null,
      }));
      return created({ items, notes: body.notes ?? '', ...more(body) });
    },
  });
  const locationOf = (body: Body) => ({ location: body.location });

  return [
    onItems(/^\/api\/stock\/add\/$/, (item, quantity) => actions.add(shop, item, quantity)),
    onItems(/^\/api\/stock\/remove\/$/, (item, quantity) => actions.remove(shop, item, quantity)),
    onItems(/^\/api\/stock\/count\/$/, (item, quantity) => actions.count(shop, item, quantity)),
    onItems(
      /^\/api\/stock\/transfer\/$/,
      (item, quantity, body) => actions.transfer(shop, item, quantity, Number(body.location)),
      locationOf,
    ),
    onItems(
      /^\/api\/stock\/return\/$/,
      (item, _quantity, body) => actions.returnFromCustomer(shop, item, Number(body.location)),
      body => ({ ...locationOf(body), merge: false }),
    ),
    {
      method: 'POST',
      path: /^\/api\/stock\/change_status\/$/,
      handle: call => {
        const body = call.body as { items: number[]; status: number };
        actions.changeStatus(
          shop,
          body.items.flatMap(pk => shop.items.get(pk) ?? []),
          body.status,
        );
        return created(body);
      },
    },
    {
      method: 'POST',
      path: /^\/api\/stock\/assign\/$/,
      handle: call => {
        const body = call.body as { items: { item: number }[]; customer: number };
        shop.transaction(() => {
          for (const { item: pk } of body.items) {
            const item = shop.items.get(pk);
            if (item) actions.assignToCustomer(shop, item, body.customer);
          }
        });
        return created(body);
      },
    },
    {
      method: 'POST',
      path: /^\/api\/stock\/$/,
      handle: call => {
        const {
          part,
          quantity,
          location = null,
          serial_numbers,
        } = call.body as {
          part: number;
          quantity: number;
          location?: number;
          serial_numbers?: string;
        };
        const items = serial_numbers
          ? actions.createSerialised(shop, { part, location }, serial_numbers.split(','))
          : [actions.create(shop, { part, quantity, location })];
        return created(items.map(item => writtenItemRow(shop, item)));
      },
    },
    { method: 'GET', path: /^\/api\/stock\/$/, handle: call => stockList(shop, call) },
    { method: 'GET', path: /^\/api\/stock\/status\/$/, handle: () => ({ status: 200, body: statusCodes(shop) }) },
    { method: 'GET', path: /^\/api\/stock\/track\/$/, handle: call => trackingList(shop, call) },
    { method: 'GET', path: /^\/api\/stock\/(\d+)\/$/, handle: call => withItem(call, detail) },
    {
      method: 'PATCH',
      path: /^\/api\/stock\/(\d+)\/$/,
      handle: call =>
        withItem(call, item => {
          const { quantity, status } = call.body as { quantity?: number; status?: number };
          actions.patch(shop, item, {
            ...(quantity !== undefined && { quantity }),
            ...(status !== undefined && { status }),
          });
          return { status: 200, body: writtenItemRow(shop, item) };
        }),
    },
    {
      method: 'DELETE',
      path: /^\/api\/stock\/(\d+)\/$/,
      handle: call =>
        withItem(call, item => {
          actions.deleteItem(shop, item);
          return { status: 204 };
        }),
    },
    {
      method: 'POST',
      path: /^\/api\/stock\/(\d+)\/install\/$/,
      handle: call =>
        withItem(call, assembly => {
          const body = call.body as { stock_item: number };
          const item = shop.items.get(body.stock_item);
          if (!item) return badRequest({ stock_item: [`Invalid pk "${body.stock_item}" - object does not exist.`] });
          actions.install(shop, assembly, item);
          return created(body);
        }),
    },
    {
      method: 'POST',
      path: /^\/api\/stock\/(\d+)\/serialize\/$/,
      handle: call =>
        withItem(call, item => {
          const { serial_numbers, destination } = call.body as { serial_numbers: string; destination?: number };
          const items = actions.serialise(shop, item, serial_numbers.split(','), destination ?? item.location);
          return created(items.map(serialised => writtenItemRow(shop, serialised)));
        }),
    },
    {
      method: 'POST',
      path: /^\/api\/stock\/(\d+)\/convert\/$/,
      handle: call =>
        withItem(call, item => {
          actions.convert(shop, item, (call.body as { part: number }).part);
          return created(call.body);
        }),
    },
    ...locationRoutes(shop),
  ];
}

function locationRoutes(shop: InvenTreeShop): Route[] {
  const byName = (a: Location, b: Location) => (a.name < b.name ? -1 : 1);
  return [
    {
      method: 'GET',
      path: /^\/api\/stock\/location\/$/,
      handle: call =>
        listAnswer(call, [...shop.locations.values()].sort(byName), (location: Location) =>
          locationRow(shop, location),
        ),
    },
    {
      method: 'GET',
      path: /^\/api\/stock\/location\/tree\/$/,
      handle: call =>
        listAnswer(call, [...shop.locations.values()].sort(byName), (location: Location) => ({
          pk: location.pk,
          name: location.name,
          parent: location.parent,
          icon: '',
          structural: false,
          sublocations: shop.locationsBelow(location.pk).length,
        })),
    },
    {
      method: 'GET',
      path: /^\/api\/stock\/location\/(\d+)\/$/,
      handle: call => {
        const location = shop.locations.get(Number(call.captured[0]));
        return location ? { status: 200, body: locationRow(shop, location) } : notFound('StockLocation');
      },
    },
    {
      method: 'DELETE',
      path: /^\/api\/stock\/location\/(\d+)\/$/,
      handle: call => {
        actions.deleteLocation(shop, Number(call.captured[0]), Boolean((call.body as Body).delete_stock_items));
        return { status: 204 };
      },
    },
  ];
}

/** Unknown filters are ignored, and so is a deleted location with the default cascade [recordings stock-by-*]. */
function stockList(shop: InvenTreeShop, call: FakeCall): FakeAnswer {
  let items = [...shop.items.values()];
  const part = filterValue(call, 'part');
  if (part !== undefined) {
    if (!shop.parts.has(Number(part))) return badRequest({ part: [NOT_A_CHOICE] });
    const variants = isFalse(filterValue(call, 'include_variants')) ? [] : shop.variantsOf(Number(part));
    items = [Number(part), ...variants].flatMap(pk => shop.itemsOf(pk));
  }
  const location = filterValue(call, 'location');
  if (location !== undefined) {
    const cascade = !isFalse(filterValue(call, 'cascade'));
    const wanted = new Set([Number(location), ...(cascade ? shop.locationsBelow(Number(location)) : [])]);
    if (!cascade || shop.locations.has(Number(location)))
      items = items.filter(i => i.location !== null && wanted.has(i.location));
  }
  const expression = filterValue(call, 'IPN_regex');
  if (expression !== undefined) {
    const regex = caseless(expression);
    if (!regex) return dataError(call);
    items = items.filter(item => regex.test(shop.parts.get(item.part)?.IPN ?? ''));
  }
  const updatedAfter = filterValue(call, 'updated_after');
  if (updatedAfter !== undefined) {
    if (!/^\d{4}-\d{2}-\d{2}$/.test(updatedAfter)) return badRequest({ updated_after: ['Enter a valid date.'] });
    items = items.filter(item => item.updated >= updatedAfter);
  }
  const inStock = filterValue(call, 'in_stock');
  if (isTrue(inStock)) items = items.filter(item => shop.isInStock(item));
  if (isFalse(inStock)) items = items.filter(item => !shop.isInStock(item));
  if (isTrue(filterValue(call, 'available'))) {
    items = items.filter(item => shop.isInStock(item) && item.quantity > shop.allocated(item.pk));
  }
  const ordering = filterValue(call, 'ordering');
  items.sort(ordering === 'part' ? (a, b) => a.part - b.part || a.pk - b.pk : byPartAndQuantity(shop));
  if (ordering === '-updated')
    items.sort((a, b) => (a.updated < b.updated ? 1 : a.updated > b.updated ? -1 : b.pk - a.pk));

  const details = {
    part: !isFalse(filterValue(call, 'part_detail')),
    location: isTrue(filterValue(call, 'location_detail')),
  };
  return listAnswer(call, items, (item: StockItem) => itemRow(shop, item, details));
}

/** The default order of the recorded lists. */
function byPartAndQuantity(shop: InvenTreeShop) {
  const name = (item: StockItem) => shop.parts.get(item.part)?.name ?? '';
  return (a: StockItem, b: StockItem) =>
    (name(a) < name(b) ? -1 : name(a) > name(b) ? 1 : 0) || a.quantity - b.quantity || a.pk - b.pk;
}

function trackingList(shop: InvenTreeShop, call: FakeCall): FakeAnswer {
  let rows = [...shop.tracking].reverse();
  const part = filterValue(call, 'part');
  if (part !== undefined) rows = rows.filter(row => row.part === Number(part));
  const item = filterValue(call, 'item');
  if (item !== undefined) {
    if (!shop.items.has(Number(item))) return badRequest({ item: [NOT_A_CHOICE] });
    rows = rows.filter(row => row.item === Number(item));
  }
  const since = filterValue(call, 'min_date');
  if (since !== undefined) rows = rows.filter(row => row.date >= since);
  return listAnswer(call, rows, (row: TrackingRow) => trackingRow(row));
}

function statusCodes(shop: InvenTreeShop) {
  const custom = [...shop.customStatuses].map(([key, { name, label }]) => [key, name, label, 'info'] as const);
  const values = [...STATUSES, ...custom].map(([key, name, label, color]) => [name, { key, name, label, color }]);
  return { status_class: 'StockStatus', values: Object.fromEntries(values) as object };
}

const STATUSES = [
  [10, 'OK', 'OK', 'success'],
  [50, 'ATTENTION', 'Attention needed', 'warning'],
  [55, 'DAMAGED', 'Damaged', 'warning'],
  [60, 'DESTROYED', 'Destroyed', 'danger'],
  [65, 'REJECTED', 'Rejected', 'danger'],
  [70, 'LOST', 'Lost', 'dark'],
  [75, 'QUARANTINED', 'Quarantined', 'info'],
  [85, 'RETURNED', 'Returned', 'warning'],
] as const;
