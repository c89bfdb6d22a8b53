import {
  orderLines,
  parseReferencePattern,
  partsThatCount,
  quantityAsNumber,
  SALES_ORDER_STATUS,
  salesOrderSteps,
  type OrderLine,
  type SalesOrderLine,
  type SalesOrderStep,
  type ShopOrder,
  type WantedLine,
} from '@stock-sync/domain';
import type { SalesOrder } from '@stock-sync/inventree-client';
import type { Log } from '@stock-sync/service';
import type { JobOf, OrderLedger, OrderRate, OrderRecord, Semaphore } from '@stock-sync/state';
import type { PartReads } from '../calls/part-reads';
import type { SkuLookups } from '../calls/sku-lookups';
import type { Connections } from '../connections';
import type { AllocateStock } from './allocate-stock';
import type { BookShipments } from './book-shipments';
import { extraLinesSent, type AddExtraLines } from './extra-lines';
import { LOCKED_MS, NotYetError } from './job-errors';
import type { OrderCustomers } from './order-customers';
import type { PassOnShipments } from './pass-on-shipments';
import type { RecordShipped } from './record-shipped';
import { OrderProblemError, type OrderRow, type ShippedOrder } from './shipped-order';
import type { DryRun } from './sync-sku';

/** References that are tried for one order: others may create sales orders at the same time. */
const REFERENCES_TRIED = 20;
/** How often a sales order is compared with its order in one run, until nothing is missing. */
const COMPARISONS = 5;

/** A sales order as it is. */
interface ActualSalesOrder {
  status: number;
  lines: readonly SalesOrderLine[];
}

/** How the sales order of an order came out. */
export type OrderOutcome = 'imported' | 'unchanged' | 'left' | 'dry run';

export interface ImportSettings {
  /** ORDERS_SINCE. */
  since: string;
  /** ORDERS_PER_MINUTE. */
  perMinute: number;
  /** ORDERS_STATES; undefined for all. */
  states: readonly string[] | undefined;
}

export interface ImportOrderDeps {
  connections: Connections;
  partReads: PartReads;
  skuLookups: Pick<SkuLookups, 'find'>;
  ledger: OrderLedger;
  recordShipped: RecordShipped;
  /** Ships in the store what InvenTree has sent; undefined where that is off. */
  passOn: PassOnShipments | undefined;
  addExtraLines: AddExtraLines;
  /** Allocates stock to the sales order; undefined where that is off. */
  allocateStock: AllocateStock | undefined;
  /** Books in InvenTree what the store has shipped; undefined where that is off. */
  bookShipments: BookShipments | undefined;
  /** One worker at a time for each order. */
  leaseOf: (order: number) => Semaphore;
  customers: OrderCustomers;
  rate: OrderRate;
  /** Undefined where orders are off. */
  settings: ImportSettings | undefined;
  magentoUrl: string;
  dryRun: DryRun | undefined;
  /** The clock of Redis. */
  now: () => number;
  log: Log;
}

/**
 * The handler of `order`: makes the sales order in InvenTree follow one order of the store. It compares both and does
 * what is missing, so a run that was cut short anywhere is completed by the next one.
 */
export function createImportOrder(deps: ImportOrderDeps) {
  const { connections, ledger, settings, log, now } = deps;
  const { magento, inventree } = connections;
  const { salesOrders } = inventree;
  /** Whether it was said in this minute. */
  let isOverRate = false;

  return {
    async run({ order: id, incrementId }: JobOf<'order'>): Promise<{ outcome: OrderOutcome }> {
      if (settings === undefined) return { outcome: 'left' };
      const release = await deps.leaseOf(id).tryAcquire();
      if (!release) throw new NotYetError(`another worker has order ${incrementId}`, LOCKED_MS);
      try {
        return { outcome: await follow(id, settings) };
      } finally {
        await release();
      }
    },
  };

  async function follow(id: number, { since, states }: ImportSettings): Promise<OrderOutcome> {
    const before = await ledger.get(id);
    const readAt = now();
    const order = await magento.order(id);
    if (!order) {
      await deps.allocateStock?.forget(id);
      return 'left';
    }
    if (before ? before.isLeft : order.createdAt < since) return leave(order, before);
    const { rows, extra, problems } = await linesFor(order);
    const wanted = rows.filter(({ isSalable }) => isSalable);
    if (deps.dryRun) {
      const lines = `${wanted.length} ${wanted.length === 1 ? 'line' : 'lines'}`;
      log.info(`Order ${order.incrementId} would be followed by a sales order with ${lines} (dry run)`);
      return 'dry run';
    }
    // Whose it is matters only until its sales order is known.
    const isKnown = before?.salesOrder !== undefined;
    const customer = isKnown ? undefined : await deps.customers.of(order);
    if (customer === undefined && !isKnown) return leave(order, before);
    const found = await findSalesOrder(order, before, customer);
    const isDeleted = found === 'deleted';
    const { salesOrder: known, record: remembered = recordFor(order, before) } = isDeleted ? {} : (found ?? {});
    const { record, lines } = await deps.recordShipped(order, rows, isDeleted ? found : known, remembered, readAt);
    if (found === 'deleted') {
      const problem = `its sales order ${before?.reference ?? ''} was deleted in InvenTree, so it is left`;
      await remember(order, { ...record, problem });
      await deps.allocateStock?.forget(order.id);
      log.warn(`Order ${order.incrementId}: ${problem}`);
      return 'left';
    }
    if (!found && (order.state === 'canceled' || (states && !states.includes(order.state)))) {
      await remember(order, { ...record, problem: undefined });
      return 'unchanged';
    }
    const created = found ? { salesOrder: found.salesOrder, record } : await create(order, record, customer ?? 0);
    const { salesOrder } = created;
    const current = { ...created.record, salesOrder: salesOrder.id };
    await ledger.set({ ...current, at: now() });
    const actual = found && { status: salesOrder.status, lines };
    const changes = await takeSteps(order, salesOrder, { wanted, actual }, problems);
    const added = await deps.addExtraLines(order, salesOrder, { extra, rows }, current);
    const state = { order, rows, salesOrder, record: { ...current, extraLines: added } };
    const moved = await moveStock(state, readAt, problems);
    const problem = problems.length > 0 ? problems.join('; ') : undefined;
    await remember(moved.order, { ...moved.record, problem });
    if (problem !== undefined) throw new OrderProblemError(`Order ${order.incrementId}: ${problem}`);
    return changes + moved.count > 0 ? 'imported' : 'unchanged';
  }

  /** One that does not count. */
  async function leave(order: ShopOrder, before: OrderRecord | undefined): Promise<OrderOutcome> {
    const booked = { updatedAt: order.updatedAt, at: now(), twice: true, skus: [], units: {}, shipments: [] };
    await remember(order, { ...recordFor(order, before), booked, isLeft: true });
    return 'left';
  }

  /** Allocates stock, and ships in each system what only the other one has shipped, as far as that is on. */
  async function moveStock(
    state: ShippedOrder,
    readAt: number,
    problems: string[],
  ): Promise<ShippedOrder & { count: number }> {
    const passed = deps.passOn ? await deps.passOn.run(state) : { ...state, count: 0 };
    const current = { ...state, order: passed.order, record: passed.record };
    let count = passed.count;
    for (const move of [deps.bookShipments, deps.allocateStock]) {
      try {
        const moved = await move?.run(current);
        current.record = moved?.record ?? current.record;
        count += moved?.count ?? 0;
      } catch (error) {
        if (!(error instanceof OrderProblemError)) throw error;
        problems.push(error.message);
      }
    }
    if (count > 0) {
      const { order, rows, salesOrder, record } = current;
      current.record = (await deps.recordShipped(order, rows, salesOrder, record, readAt)).record;
    }
    return { ...current, count };
  }

  /** The rows that a part stands for, and those for which InvenTree has none. */
  async function linesFor(order: ShopOrder) {
    const rows: OrderRow[] = [];
    const extra: OrderLine[] = [];
    const problems: string[] = [];
    for (const line of orderLines(order)) {
      const part = line.isShipped ? await partWith(line.sku) : undefined;
      if (!part) {
        extra.push(line);
        continue;
      }
      const { packSize, salable: isSalable } = part;
      rows.push({ ...line, part: part.pk, quantity: line.quantity * packSize, packSize, isSalable });
      if (!isSalable) {
        problems.push(
          `SKU '${line.sku}' is part ${part.pk}, which is not salable, so InvenTree takes no line for it: ` +
            'switch on "salable" there, and replay this dead letter',
        );
      }
    }
    return { rows, extra, problems };
  }

  async function partWith(sku: string) {
    const ids = await deps.skuLookups.find(sku);
    const read = await Promise.all(ids.map(id => deps.partReads.load(id)));
    const [part] = partsThatCount(read.filter(found => found !== undefined));
    if (!part) return undefined;
    const offer = await connections.offerRules.offerOf(part);
    const packSize = offer.kind === 'offered' ? quantityAsNumber(offer.stock.packSize) : 1;
    return { pk: part.pk, salable: part.salable, packSize };
  }

  /** The sales order of an order, also where the ledger was lost; undefined where there is none yet. */
  async function findSalesOrder(order: ShopOrder, before: OrderRecord | undefined, customer: number | undefined) {
    if (before?.salesOrder !== undefined) {
      const salesOrder = await salesOrders.find(before.salesOrder);
      return salesOrder ? { salesOrder, record: before } : 'deleted';
    }
    // Another store may have an order of this number, and another customer.
    const ours = (await salesOrders.withCustomerReference(order.incrementId)).find(one => one.customer === customer);
    if (!ours) return undefined;
    const record = before ?? { ...recordFor(order, undefined), reference: ours.reference };
    // Whether they were sent is not known without the ledger: one too few is seen, one too many is paid for.
    const extraLines = before?.extraLines ?? extraLinesSent(order);
    return { salesOrder: ours, record: { ...record, extraLines } };
  }

  /** Creates the sales order. Its reference is recorded before the call, so that a repeat uses the same. */
  async function create(order: ShopOrder, before: OrderRecord, customer: number) {
    const { incrementId, currency } = order;
    await requireRate(incrementId);
    const pattern = await referencePattern();
    let reference = before.reference;
    for (let tried = 0; tried < REFERENCES_TRIED; tried++) {
      reference ||= await nextReference(pattern, '');
      const record = { ...before, reference };
      await ledger.set({ ...record, at: now() });
      const link = `${deps.magentoUrl}/admin/sales/order/view/order_id/${order.id}/`;
      const description = `Magento order ${incrementId}`;
      const customerReference = incrementId;
      const content = { customer, reference, customerReference, description, link, currency };
      const created = await salesOrders.create(content);
      const salesOrder = created ?? (await salesOrders.withReference(reference));
      if (created) log.info(`Order ${incrementId}: created sales order ${reference}`, { order: order.id, reference });
      if (salesOrder?.customerReference === incrementId && salesOrder.customer === customer) {
        return { salesOrder, record };
      }
      reference = await nextReference(pattern, reference);
    }
    throw new OrderProblemError(`Order ${incrementId}: InvenTree has each of the references that were tried`);
  }

  async function requireRate(incrementId: string): Promise<void> {
    const perMinute = settings?.perMinute ?? 0;
    const waitMs = await deps.rate.take(perMinute);
    if (waitMs === 0) return;
    const line = `More than ${perMinute} orders in a minute (ORDERS_PER_MINUTE): order ${incrementId} and others wait`;
    log[isOverRate ? 'debug' : 'warn'](line);
    isOverRate = true;
    setTimeout(() => (isOverRate = false), waitMs).unref();
    throw new NotYetError(line, waitMs);
  }

  async function referencePattern() {
    const text = await salesOrders.referencePattern();
    const pattern = parseReferencePattern(text);
    if (pattern) return pattern;
    throw new OrderProblemError(unreadablePattern(text));
  }

  /** The reference after the highest one in use, and after this one. */
  async function nextReference(pattern: Awaited<ReturnType<typeof referencePattern>>, after: string): Promise<string> {
    const used = [after, ...(await salesOrders.latestReferences())].flatMap(text => pattern.numberIn(text) ?? []);
    return pattern.reference(Math.max(0, ...used) + 1);
  }

  /** Compares and does what is missing, until nothing is. Resolves with the number of calls. */
  async function takeSteps(
    order: ShopOrder,
    { id, reference }: SalesOrder,
    { wanted, actual }: { wanted: readonly WantedLine[]; actual: ActualSalesOrder | undefined },
    problems: string[],
  ): Promise<number> {
    let taken = 0;
    for (let comparison = 1; ; comparison++) {
      const current = comparison === 1 && actual ? actual : await actualSalesOrder(id);
      const { steps, shippedAlready } = salesOrderSteps(order.state, wanted, current);
      if (steps.length === 0) {
        problems.push(
          ...shippedAlready.map(
            ({ sku, shipped, wanted: left }) =>
              `InvenTree has shipped ${shipped} of SKU '${sku}', and ${left} are left of the order: ` +
              'take the rest back by hand',
          ),
        );
        return taken;
      }
      if (comparison > COMPARISONS) {
        throw new OrderProblemError(
          `Order ${order.incrementId}: sales order ${reference} changes while it is brought up to date`,
        );
      }
      for (const step of steps) {
        await take(step, id, order.currency);
        log.info(`Order ${order.incrementId}: sales order ${reference}, ${stepTitle(step)}`, { order: order.id });
      }
      taken += steps.length;
    }
  }

  async function actualSalesOrder(id: number): Promise<ActualSalesOrder> {
    const current = await salesOrders.find(id);
    return { status: current?.status ?? SALES_ORDER_STATUS.cancelled, lines: await salesOrders.lines(id) };
  }

  function take(step: SalesOrderStep, id: number, currency: string | undefined): Promise<void> {
    switch (step.do) {
      case 'add line':
        return salesOrders.addLine(id, step.line, currency);
      case 'change line':
        return salesOrders.changeLine(step.id, step.to);
      case 'remove line':
        return salesOrders.removeLine(step.id);
      default:
        return salesOrders.setStatus(id, step.do);
    }
  }

  function recordFor(order: ShopOrder, before: OrderRecord | undefined): OrderRecord {
    const { id, incrementId } = order;
    return before ?? { order: id, incrementId, reference: '', extraLines: {}, at: now() };
  }

  async function remember({ state, updatedAt }: ShopOrder, record: OrderRecord): Promise<void> {
    await ledger.set({ ...record, followed: { state, updatedAt }, at: now() });
  }
}

/** Why references cannot be counted on, and what to do. */
export function unreadablePattern(pattern: string): string {
  return (
    `InvenTree's setting SALESORDER_REFERENCE_PATTERN is '${pattern}': ` +
    'orders need fixed text and one {ref}, like SO-{ref:04d}'
  );
}

function stepTitle(step: SalesOrderStep): string {
  switch (step.do) {
    case 'add line':
      return `line of ${step.line.quantity} of SKU '${step.line.sku}' (part ${step.line.part})`;
    case 'change line':
      return `line of SKU '${step.sku}' changed from ${step.from} to ${step.to}`;
    case 'remove line':
      return `second line of SKU '${step.sku}' removed`;
    default:
      return { issue: 'issued', hold: 'put on hold', cancel: 'cancelled' }[step.do];
  }
}
