import type { FakeAnswer, FakeCall, Route } from '../fake-http-server';
import { salesOrderRecording } from '../recordings';
import { badRequest, filterValue, isTrue, listAnswer, notFound } from './lists';
import { allocate, freeAllocations, ship } from './order-actions';
import type { Address, InvenTreeShop, SalesAllocation, SalesOrder, SalesOrderLine, Shipment } from './shop';

type Row = Record<string, unknown>;

const recordedBody = (name: string) => salesOrderRecording(name).response.body as Row;
const firstResult = (name: string) => (recordedBody(name).results as [Row])[0];

const CREATED = recordedBody('03-create');
const LISTED = firstResult('04-find-by-reference');
const DETAILED = recordedBody('16-order');
const LINE_CREATED = recordedBody('06-line-create');
const LINE_CHANGED = recordedBody('15-line-change');
const LINE_LISTED = firstResult('07-lines');
const EXTRA_LINE = recordedBody('06-extra-line');
const SHIPMENT_CREATED = recordedBody('10-shipment-create');
const SHIPMENT = recordedBody('14-shipment-after');
const SHIPMENT_LISTED = firstResult('18-shipments-shipped');
const SHIPPING = recordedBody('14-ship');
const ALLOCATION = firstResult('13-allocations');
const ITEM_DETAIL = firstResult('14-allocations-after').item_detail as Row;
const ALLOCATED = recordedBody('12-allocate');
const ADDRESS = recordedBody('01-address-create');
const COMPANY = recordedBody('01-customer-create');
const COMPANY_LISTED = firstResult('01-customer-find');

const STATUS_TEXT: Readonly<Record<number, string>> = {
  10: 'Pending',
  15: 'In Progress',
  25: 'On Hold',
  40: 'Cancelled',
};
const NEW_STATUS = { issue: 15, hold: 25, cancel: 40 } as const;
/** SALESORDER_REFERENCE_PATTERN by default [02-settings-pattern]. */
const REFERENCE = /^SO-\d{4,}$/;

const created = (body: unknown): FakeAnswer => ({ status: 201, body });

/** The routes of customers, sales orders and their lines (docs/facts/inventree.md, "Sales orders"). */
export function salesOrderRoutes(shop: InvenTreeShop): Route[] {
  const orderOf = ({ captured }: FakeCall) => shop.salesOrders.get(Number(captured[0]));
  return [
    {
      method: 'GET',
      path: /^\/api\/company\/$/,
      handle: call => {
        const text = (filterValue(call, 'search') ?? '').toLowerCase();
        const found = [...shop.customers.values()].filter(({ name }) => name.toLowerCase().includes(text));
        return listAnswer(call, found, (customer: { pk: number; name: string }) => ({
          ...COMPANY_LISTED,
          ...customer,
        }));
      },
    },
    {
      method: 'POST',
      path: /^\/api\/company\/$/,
      handle: ({ body }) => {
        const { name } = body as { name: string };
        const customer = { pk: shop.nextKey('customer'), name };
        shop.customers.set(customer.pk, customer);
        return created({ ...COMPANY, ...customer });
      },
    },
    {
      method: 'POST',
      path: /^\/api\/company\/address\/$/,
      handle: ({ body }) => {
        const { company, title, line1, postal_code } = body as Address;
        shop.addresses.push({ company, title, line1, postal_code });
        return created({ ...ADDRESS, ...(body as Row), pk: shop.addresses.length });
      },
    },
    {
      method: 'GET',
      path: /^\/api\/order\/so\/$/,
      handle: call => {
        const reference = filterValue(call, 'reference');
        const text = filterValue(call, 'search')?.toLowerCase();
        const found = [...shop.salesOrders.values()]
          .filter(order => reference === undefined || order.reference === reference)
          .filter(
            order =>
              text === undefined ||
              [order.reference, order.customerReference].some(field => field.toLowerCase().includes(text)),
          )
          .sort((first, second) => second.pk - first.pk);
        return listAnswer(call, found, (order: SalesOrder) => ({ ...LISTED, ...orderFields(order) }));
      },
    },
    {
      method: 'POST',
      path: /^\/api\/order\/so\/$/,
      handle: ({ body }) => {
        const { customer, reference, customer_reference } = body as {
          customer: number;
          reference: string;
          customer_reference: string;
        };
        if (!REFERENCE.test(reference)) {
          return badRequest({ reference: ['Reference must match required pattern: SO-{ref:04d}'] });
        }
        if ([...shop.salesOrders.values()].some(order => order.reference === reference)) {
          return badRequest({ reference: ['Sales Order with this Reference already exists.'] });
        }
        const order = shop.insertSalesOrder({ customer, reference, customerReference: customer_reference });
        return created({ ...CREATED, ...orderFields(order) });
      },
    },
    {
      method: 'GET',
      path: /^\/api\/order\/so\/(\d+)\/$/,
      handle: call => {
        const order = orderOf(call);
        return order ? { status: 200, body: { ...DETAILED, ...orderFields(order) } } : notFound('SalesOrder');
      },
    },
    {
      method: 'POST',
      path: /^\/api\/order\/so\/(\d+)\/(issue|hold|cancel)\/$/,
      handle: call => {
        const order = orderOf(call);
        if (!order) return notFound('SalesOrder');
        order.status = NEW_STATUS[call.captured[1] as keyof typeof NEW_STATUS];
        if (order.status === NEW_STATUS.cancel) freeAllocations(shop, order.pk);
        return created({});
      },
    },
    {
      method: 'GET',
      path: /^\/api\/order\/so-line\/$/,
      handle: call => {
        const order = shop.salesOrders.get(Number(filterValue(call, 'order')));
        return listAnswer(call, order?.lines ?? [], (line: SalesOrderLine) => ({
          ...LINE_LISTED,
          ...lineFields(line),
          order: order?.pk,
        }));
      },
    },
    {
      method: 'POST',
      path: /^\/api\/order\/so-line\/$/,
      handle: ({ body }) => {
        const { order: id, part, quantity, reference } = body as SalesOrderLine & { order: number };
        const order = shop.salesOrders.get(id);
        if (!shop.parts.get(part)?.salable) {
          return badRequest({ part: [`Invalid pk "${part}" - object does not exist.`] });
        }
        const line = { pk: shop.nextKey('sales-line'), part, quantity, reference, shipped: 0 };
        order?.lines.push(line);
        return created({ ...LINE_CREATED, ...lineFields(line), order: id });
      },
    },
    {
      method: 'PATCH',
      path: /^\/api\/order\/so-line\/(\d+)\/$/,
      handle: ({ body, captured }) => {
        const pk = Number(captured[0]);
        const line = [...shop.salesOrders.values()].flatMap(order => order.lines).find(one => one.pk === pk);
        if (!line) return notFound('SalesOrderLineItem');
        line.quantity = (body as { quantity: number }).quantity;
        return { status: 200, body: { ...LINE_CHANGED, ...lineFields(line) } };
      },
    },
    {
      method: 'DELETE',
      path: /^\/api\/order\/so-line\/(\d+)\/$/,
      handle: ({ captured }) => {
        for (const order of shop.salesOrders.values()) {
          order.lines = order.lines.filter(({ pk }) => pk !== Number(captured[0]));
        }
        return { status: 204 };
      },
    },
    {
      method: 'POST',
      path: /^\/api\/order\/so-extra-line\/$/,
      handle: ({ body }) => {
        const { order: id, quantity, reference } = body as { order: number; quantity: number; reference: string };
        const order = shop.salesOrders.get(id);
        order?.extraLines.push({ reference, quantity });
        return created({ ...EXTRA_LINE, pk: shop.nextKey('sales-extra-line'), order: id, quantity, reference });
      },
    },
    {
      method: 'POST',
      path: /^\/api\/order\/so\/(\d+)\/allocate\/$/,
      handle: call => {
        const order = orderOf(call);
        if (!order) return notFound('SalesOrder');
        const { items, shipment = null } = call.body as AllocateBody;
        // How it answers where only some are too much is not recorded: here, those alone are told.
        const tooMuch = items.flatMap(({ stock_item, quantity }) => {
          const item = shop.items.get(stock_item);
          const available = item ? item.quantity - shop.allocated(item.pk) : 0;
          return quantity > available ? [{ quantity: [`Available quantity (${available}) exceeded`] }] : [];
        });
        if (tooMuch.length > 0) return badRequest({ items: tooMuch });
        for (const { line_item, stock_item, quantity } of items) {
          allocate(shop, order.pk, line_item, stock_item, quantity, shipment);
        }
        const allocated = items.map(item => ({ ...item, quantity: item.quantity.toFixed(5) }));
        return created({ ...ALLOCATED, items: allocated, shipment });
      },
    },
    {
      method: 'GET',
      path: /^\/api\/order\/so-allocation\/$/,
      handle: call => {
        const [part, order] = [filterValue(call, 'part'), filterValue(call, 'order')];
        const rows = [...shop.salesAllocations, ...shop.shippedAllocations]
          .filter(row => part === undefined || shop.items.get(row.item)?.part === Number(part))
          .filter(row => order === undefined || row.order === Number(order));
        return listAnswer(call, rows, (row: SalesAllocation) => {
          const item = shop.items.get(row.item);
          const shipment = row.shipment === null ? undefined : shop.shipments.get(row.shipment);
          const location = item?.location ?? null;
          const shipment_detail = shipment
            ? { ...(ALLOCATION.shipment_detail as Row), ...shipmentFields(shipment) }
            : null;
          const item_detail = isTrue(filterValue(call, 'item_detail'))
            ? {
                item_detail: { ...ITEM_DETAIL, pk: row.item, part: item?.part, parent: item?.parent ?? null, location },
              }
            : {};
          return { ...ALLOCATION, ...row, part: item?.part, location, shipment_detail, ...item_detail };
        });
      },
    },
    {
      method: 'GET',
      path: /^\/api\/order\/so\/shipment\/$/,
      handle: call => {
        const order = filterValue(call, 'order');
        const found = [...shop.shipments.values()]
          .filter(shipment => order === undefined || shipment.order === Number(order))
          .filter(({ sentOn }) => !isTrue(filterValue(call, 'shipped')) || sentOn !== null)
          .sort((first, second) => (second.sentOn ?? '').localeCompare(first.sentOn ?? ''));
        return listAnswer(call, found, (shipment: Shipment) => ({ ...SHIPMENT_LISTED, ...shipmentFields(shipment) }));
      },
    },
    {
      method: 'POST',
      path: /^\/api\/order\/so\/shipment\/$/,
      handle: ({ body }) => {
        const { order, reference } = body as { order: number; reference: string };
        if ([...shop.shipments.values()].some(one => one.order === order && one.reference === reference)) {
          return badRequest({ non_field_errors: ['The fields order, reference must make a unique set.'] });
        }
        return created({ ...SHIPMENT_CREATED, ...shipmentFields(shop.insertShipment(order, reference)) });
      },
    },
    {
      method: 'GET',
      path: /^\/api\/order\/so\/shipment\/(\d+)\/$/,
      handle: ({ captured }) => {
        const shipment = shop.shipments.get(Number(captured[0]));
        if (!shipment) return notFound('SalesOrderShipment');
        return { status: 200, body: { ...SHIPMENT, ...shipmentFields(shipment) } };
      },
    },
    {
      method: 'POST',
      path: /^\/api\/order\/so\/shipment\/(\d+)\/ship\/$/,
      handle: ({ body, captured }) => {
        const shipment = shop.shipments.get(Number(captured[0]));
        if (!shipment) return notFound('SalesOrderShipment');
        if (shipment.sentOn !== null) return badRequest({ non_field_errors: ['Shipment has already been sent'] });
        if (!shop.salesAllocations.some(one => one.shipment === shipment.pk)) {
          return badRequest({ non_field_errors: ['Shipment has no allocated stock items'] });
        }
        ship(shop, shipment.pk, (body as { tracking_number?: string }).tracking_number);
        return { status: 200, body: SHIPPING };
      },
    },
  ];
}

interface AllocateBody {
  items: { line_item: number; stock_item: number; quantity: number }[];
  shipment?: number | null;
}

function shipmentFields({ pk, order, reference, sentOn, trackingNumber }: Shipment): Row {
  return { pk, order, reference, shipment_date: sentOn, tracking_number: trackingNumber };
}

function orderFields({ pk, reference, customer, customerReference, status }: SalesOrder): Row {
  const status_text = STATUS_TEXT[status];
  return { pk, reference, customer, customer_reference: customerReference, status, status_text };
}

function lineFields({ pk, part, quantity, reference, shipped }: SalesOrderLine): Row {
  return { pk, part, quantity, reference, shipped };
}
