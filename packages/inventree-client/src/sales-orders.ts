import type { SalesOrderLine, WantedLine } from '@stock-sync/domain';
import { CallError, failureKindOf, isNotFound } from '@stock-sync/http-client';
import { z } from 'zod';
import type { InvenTreeConnection } from './connection';

/** A sales order. */
export interface SalesOrder {
  id: number;
  reference: string;
  /** The number of the order at the customer: here, in the store. */
  customerReference: string;
  /** The id of the company. */
  customer: number | undefined;
  /** A code of SALES_ORDER_STATUS, or another. */
  status: number;
}

export interface NewSalesOrder {
  /** The id of the company. */
  customer: number;
  /** Unique, and of the form that SALESORDER_REFERENCE_PATTERN demands. */
  reference: string;
  customerReference: string;
  description: string;
  link: string;
  currency: string | undefined;
}

/** Where a customer lives. */
export interface CustomerAddress {
  title: string;
  line: string;
  postalCode: string;
  city: string;
  region: string;
  /** A code of two letters. */
  country: string;
}

/** A thing to pay for that is no part. */
export interface ExtraLine {
  reference: string;
  quantity: number;
  price: number | undefined;
  currency: string | undefined;
}

/** A shipment of a sales order. */
export interface SalesShipment {
  id: number;
  /** The id of the sales order. */
  order: number;
  reference: string;
  /**
   * The day on which it was sent, `2026-11-25`; undefined where it was not. Its stock goes a moment later, when
   * InvenTree's background worker has run.
   */
  sentOn: string | undefined;
  /** Empty where there is none. */
  trackingNumber: string;
}

/** A stock item in stock. */
export interface StockRow {
  id: number;
  quantity: number;
  /** Of that, allocated to orders and builds. */
  allocated: number;
  expiresOn: string | undefined;
  location: number | null;
  /** The key of its status, a custom one where it has one. */
  status: number;
  isExpired: boolean;
}

/** Stock that is allocated to a line, or was, for InvenTree goes on listing what was sent. */
export interface SalesAllocation {
  line: number;
  /** The id of the stock item; where only some of it was sent, that of the item that was split off it. */
  item: number;
  /** The id of the stock item that it was split off. */
  splitFrom: number | undefined;
  /** In units of the part. */
  quantity: number;
  /** The id of the shipment that it belongs to; undefined where it belongs to none yet. */
  shipment: number | undefined;
}

/** InvenTree's sales orders (docs/facts/inventree.md, "Sales orders"). Every method rejects with a CallError. */
export interface SalesOrders {
  /** The id of the customer of this name; creates the company, with this address, where there is none. */
  customerNamed(name: string, currency: string | undefined, address?: CustomerAddress): Promise<number>;
  /** The setting SALESORDER_REFERENCE_PATTERN, `SO-{ref:04d}` by default. */
  referencePattern(): Promise<string>;
  /** References of sales orders, among them those of the newest. */
  latestReferences(): Promise<string[]>;
  find(id: number): Promise<SalesOrder | undefined>;
  withReference(reference: string): Promise<SalesOrder | undefined>;
  /** Sales orders with exactly this customer reference, the oldest first. InvenTree only searches, for any text. */
  withCustomerReference(customerReference: string): Promise<SalesOrder[]>;
  /** Creates a sales order; undefined where one has this reference already. */
  create(order: NewSalesOrder): Promise<SalesOrder | undefined>;
  lines(order: number): Promise<SalesOrderLine[]>;
  /** Adds a line. Nothing about it is unique: a repeat adds a second one. */
  addLine(order: number, line: WantedLine, currency: string | undefined): Promise<void>;
  changeLine(line: number, quantity: number): Promise<void>;
  removeLine(line: number): Promise<void>;
  /** Adds an extra line, which InvenTree lists nowhere that was recorded: a repeat adds a second one. */
  addExtraLine(order: number, line: ExtraLine): Promise<void>;
  shipments(order: number): Promise<SalesShipment[]>;
  /** Those that were sent last, by day, of all sales orders. */
  latestSent(): Promise<SalesShipment[]>;
  allocations(order: number): Promise<SalesAllocation[]>;
  /** The stock items of a part that are in stock. */
  stockOf(part: number): Promise<StockRow[]>;
  /** The shipment with this reference, which is unique within its order; creates it where there is none. */
  shipmentWith(order: number, reference: string): Promise<SalesShipment>;
  /**
   * Allocates stock to lines, in a shipment. A repeat allocates once more, while stock lasts. Resolves with false where
   * somebody else has taken some of it meanwhile; then nothing is allocated.
   */
  allocate(
    order: number,
    shipment: number,
    items: readonly { line: number; item: number; quantity: number }[],
  ): Promise<boolean>;
  /** Sends a shipment; its stock goes a moment later. One that was sent is left as it is. */
  send(shipment: number, sent: { on: string; trackingNumber: string }): Promise<void>;
  /** May be repeated. */
  setStatus(order: number, status: 'issue' | 'hold' | 'cancel'): Promise<void>;
}

const orderSchema = z
  .object({
    pk: z.number().int(),
    reference: z.string(),
    customer_reference: z.string(),
    customer: z.number().int().nullable(),
    status: z.number().int(),
  })
  .transform((row): SalesOrder => ({
    id: row.pk,
    reference: row.reference,
    customerReference: row.customer_reference,
    customer: row.customer ?? undefined,
    status: row.status,
  }));
const ordersSchema = z.object({ results: z.array(orderSchema) });
const lineSchema = z
  .object({ pk: z.number().int(), reference: z.string(), quantity: z.number(), shipped: z.number() })
  .transform((row): SalesOrderLine => ({
    id: row.pk,
    reference: row.reference,
    quantity: row.quantity,
    shipped: row.shipped,
  }));
const shipmentSchema = z
  .object({
    pk: z.number().int(),
    order: z.number().int(),
    reference: z.string(),
    shipment_date: z.string().nullable(),
    tracking_number: z.string(),
  })
  .transform((row): SalesShipment => ({
    id: row.pk,
    order: row.order,
    reference: row.reference,
    sentOn: row.shipment_date ?? undefined,
    trackingNumber: row.tracking_number,
  }));
const stockRowSchema = z
  .object({
    pk: z.number().int(),
    quantity: z.number(),
    allocated: z.number().nullish(),
    expiry_date: z.string().nullish(),
    location: z.number().int().nullable(),
    status: z.number().int(),
    status_custom_key: z.number().int().nullish(),
    expired: z.boolean().nullish(),
  })
  .transform((row): StockRow => ({
    id: row.pk,
    quantity: row.quantity,
    allocated: row.allocated ?? 0,
    expiresOn: row.expiry_date ?? undefined,
    location: row.location,
    status: row.status_custom_key ?? row.status,
    isExpired: row.expired ?? false,
  }));
const allocationSchema = z
  .object({
    line: z.number().int(),
    item: z.number().int(),
    item_detail: z.object({ parent: z.number().int().nullable() }),
    quantity: z.number(),
    shipment: z.number().int().nullable(),
  })
  .transform((row): SalesAllocation => ({
    line: row.line,
    item: row.item,
    splitFrom: row.item_detail.parent ?? undefined,
    quantity: row.quantity,
    shipment: row.shipment ?? undefined,
  }));
const companySchema = z.object({ pk: z.number().int(), name: z.string() });
const ANYTHING = z.unknown();
/** Shipments that are read to see which were sent last. */
const SENT_SHIPMENTS = 100;
/** Before there was any InvenTree. */
const EVER = '2000-01-01';
const EXISTS = /already exists/;
const SENT = /already been sent/;
const TAKEN = /Available quantity .* exceeded/;

/** The sales orders of an InvenTree. */
export function createSalesOrders({ call, request }: Pick<InvenTreeConnection, 'call' | 'request'>): SalesOrders {
  const get = <T>(path: string, what: string, schema: z.ZodType<T>) => request({ method: 'GET', path }, what, schema);
  const write = <T>(method: 'POST' | 'PATCH', path: string, body: object, what: string, schema: z.ZodType<T>) =>
    request({ method, path, body, direction: 'write' }, what, schema);

  async function shipments(order: number): Promise<SalesShipment[]> {
    const page = z.object({ results: z.array(shipmentSchema) });
    return (await get(`/api/order/so/shipment/?order=${order}&limit=1000`, 'shipments', page)).results;
  }

  return {
    async customerNamed(name, currency, address) {
      const search = `is_customer=true&search=${encodeURIComponent(name)}&limit=100`;
      const { results } = await get(
        `/api/company/?${search}`,
        'companies',
        z.object({ results: z.array(companySchema) }),
      );
      const known = results.find(company => company.name === name);
      if (known) return known.pk;
      const body = {
        name,
        description: 'The orders of the web shop',
        is_customer: true,
        is_supplier: false,
        currency: currency ?? '',
      };
      const { pk: company } = await write('POST', '/api/company/', body, 'a new company', companySchema);
      if (address) {
        const { title, line: line1, postalCode: postal_code, city: postal_city, region: province, country } = address;
        const row = { company, title, primary: false, line1, postal_code, postal_city, province, country };
        await write('POST', '/api/company/address/', row, 'a new address', ANYTHING);
      }
      return company;
    },

    async referencePattern() {
      const path = '/api/settings/global/SALESORDER_REFERENCE_PATTERN/';
      return (await get(path, 'a global setting', z.object({ value: z.string() }))).value;
    },

    async latestReferences() {
      const path = `/api/order/so/?updated_after=${EVER}&limit=100`;
      return (await get(path, 'sales orders', ordersSchema)).results.map(({ reference }) => reference);
    },

    async find(id) {
      try {
        return await get(`/api/order/so/${id}/`, 'a sales order', orderSchema);
      } catch (error) {
        if (isNotFound(error)) return undefined;
        throw error;
      }
    },

    async withReference(reference) {
      const path = `/api/order/so/?reference=${encodeURIComponent(reference)}&limit=5`;
      const { results } = await get(path, 'sales orders', ordersSchema);
      return results.find(order => order.reference === reference);
    },

    async withCustomerReference(customerReference) {
      const path = `/api/order/so/?search=${encodeURIComponent(customerReference)}&limit=100`;
      const { results } = await get(path, 'sales orders', ordersSchema);
      return results
        .filter(order => order.customerReference === customerReference)
        .sort((first, second) => first.id - second.id);
    },

    async create({ customer, reference, customerReference, description, link, currency }) {
      const body = {
        customer,
        reference,
        customer_reference: customerReference,
        description,
        link,
        target_date: null,
        order_currency: currency ?? '',
      };
      try {
        return await write('POST', '/api/order/so/', body, 'a new sales order', orderSchema);
      } catch (error) {
        if (error instanceof CallError && error.status === 400 && EXISTS.test(error.message)) return undefined;
        throw error;
      }
    },

    async lines(order) {
      const page = z.object({ results: z.array(lineSchema) });
      return (await get(`/api/order/so-line/?order=${order}&limit=1000`, 'lines of a sales order', page)).results;
    },

    shipments,

    async latestSent() {
      const page = z.object({ results: z.array(shipmentSchema) });
      const sent = async (limit: number) => {
        const path = `/api/order/so/shipment/?shipped=true&limit=${limit}&ordering=-shipment_date`;
        return (await get(path, 'shipments', page)).results;
      };
      const latest = await sent(SENT_SHIPMENTS);
      // Only days are sorted: of a day with more than these, others may have been sent later.
      const isOneDay = latest[0]?.sentOn === latest.at(-1)?.sentOn;
      return latest.length === SENT_SHIPMENTS && isOneDay ? sent(10 * SENT_SHIPMENTS) : latest;
    },

    async allocations(order) {
      const page = z.object({ results: z.array(allocationSchema) });
      const path = `/api/order/so-allocation/?order=${order}&limit=1000&item_detail=true`;
      return (await get(path, 'allocations', page)).results;
    },

    async stockOf(part) {
      const page = z.object({ results: z.array(stockRowSchema) });
      const path = `/api/stock/?part=${part}&in_stock=true&limit=1000&part_detail=false`;
      return (await get(path, 'stock items', page)).results;
    },

    async shipmentWith(order, reference) {
      const known = (await shipments(order)).find(one => one.reference === reference);
      if (known) return known;
      return write('POST', '/api/order/so/shipment/', { order, reference }, 'a new shipment', shipmentSchema);
    },

    async allocate(order, shipment, items) {
      const rows = items.map(({ line, item, quantity }) => ({ line_item: line, stock_item: item, quantity }));
      const path = `/api/order/so/${order}/allocate/`;
      try {
        await write('POST', path, { items: rows, shipment }, 'an allocation', ANYTHING);
        return true;
      } catch (error) {
        if (error instanceof CallError && error.status === 400 && TAKEN.test(error.message)) return false;
        throw error;
      }
    },

    async send(shipment, { on, trackingNumber }) {
      const body = { shipment_date: on, tracking_number: trackingNumber, invoice_number: '', link: '' };
      try {
        await write('POST', `/api/order/so/shipment/${shipment}/ship/`, body, 'a sent shipment', ANYTHING);
      } catch (error) {
        if (error instanceof CallError && error.status === 400 && SENT.test(error.message)) return;
        throw error;
      }
    },

    async addLine(order, { item, part, quantity, price }, currency) {
      const body = {
        order,
        part,
        quantity,
        reference: String(item),
        notes: '',
        sale_price: price ?? 0,
        sale_price_currency: currency ?? '',
      };
      await write('POST', '/api/order/so-line/', body, 'a new line', ANYTHING);
    },

    async changeLine(line, quantity) {
      await write('PATCH', `/api/order/so-line/${line}/`, { quantity }, 'a changed line', ANYTHING);
    },

    async removeLine(line) {
      const answer = await call({ method: 'DELETE', path: `/api/order/so-line/${line}/`, direction: 'write' });
      if (answer.status === 204 || answer.status === 404) return;
      const message = `InvenTree answered ${answer.status} to the removal of line ${line}`;
      throw new CallError('InvenTree', failureKindOf(answer.status, answer.retryAfterMs), message, answer);
    },

    async addExtraLine(order, { reference, quantity, price, currency }) {
      const body = { order, quantity, reference, price: price ?? 0, price_currency: currency ?? '' };
      await write('POST', '/api/order/so-extra-line/', body, 'a new extra line', ANYTHING);
    },

    async setStatus(order, status) {
      await write('POST', `/api/order/so/${order}/${status}/`, {}, 'a new status', ANYTHING);
    },
  };
}
