import {
  allocationPlan,
  isOpenSalesOrder,
  roundedNumber,
  stockLeftBy,
  type AllocationPlan,
  type NeededStock,
} from '@stock-sync/domain';
import type { InvenTreeClient, SalesAllocation, SalesShipment } from '@stock-sync/inventree-client';
import type { Log } from '@stock-sync/service';
import {
  deadLetterId,
  orderJob,
  type DeadLetters,
  type OrderLedger,
  type OrderRecord,
  type ShortOrders,
} from '@stock-sync/state';
import { NotYetError } from './job-errors';
import type { PickableStock } from './pickable-stock';
import { isRefusal, OrderProblemError, type OrderRow, type ShippedOrder } from './shipped-order';
import type { EnqueueShortOrders } from './short-orders';

const LOOK_MS = 1_000;

/** Allocates stock to the lines of a sales order. */
export interface AllocateStock {
  /**
   * The record after that, and how many calls it took. Throws an OrderProblemError where more is allocated than is left
   * of the order.
   */
  run(state: ShippedOrder): Promise<{ record: OrderRecord; count: number }>;
  /** Leaves to other orders what one waits for. */
  forget(order: number): Promise<void>;
}

/**
 * Allocates what no stock is allocated to yet, in the open shipment of the sales order, so that somebody has only to
 * send it. It compares first, so a run that was cut short is completed by the next one. What is missing is remembered
 * by part, and allocated when stock comes.
 */
export function createAllocateStock(deps: {
  salesOrders: InvenTreeClient['salesOrders'];
  pickable: PickableStock;
  /** The sources of the store, the first one first. */
  sources: readonly string[];
  ledger: Pick<OrderLedger, 'getAll' | 'set'>;
  shortOrders: ShortOrders;
  deadLetters: Pick<DeadLetters, 'has'>;
  enqueueShortOrders: EnqueueShortOrders;
  /** How long a call without an answer may still be carried out, in milliseconds: until then it is not repeated. */
  carriedOutMs: number;
  /** The clock of Redis. */
  now: () => number;
  log: Log;
}): AllocateStock {
  const { salesOrders, pickable, sources, ledger, shortOrders, deadLetters, carriedOutMs, now, log } = deps;

  return {
    async run({ order, rows, salesOrder, record }) {
      const isOpen = order.state !== 'canceled' && isOpenSalesOrder(salesOrder.status);
      // Of an order on hold, what is allocated stays so, and nothing is added: others may have it.
      if (order.state === 'holded') {
        await forget(order.id);
        return { record, count: 0 };
      }
      const { needed, tooMuch } = isOpen ? await neededStock(salesOrder.id, rows) : { needed: [], tooMuch: [] };
      const { picks, missing } = allocationPlan(needed, await stockFor(order.id, needed), sources);
      let allocated = record;
      if (picks.length > 0) {
        allocated = await allocate(picks, { order, rows, salesOrder, record });
        log.info(`Order ${order.incrementId}: stock is allocated to sales order ${salesOrder.reference}`, { picks });
      }
      await shortOrders.set(order.id, missingByPart(rows, missing));
      allocated = { ...allocated, missing: missingBySku(rows, missing) };
      // InvenTree has freed what was allocated to it.
      if (!isOpen) await enqueueOthers(rows.map(({ part }) => part));
      if (tooMuch.length > 0) {
        throw new OrderProblemError(
          `InvenTree has more of ${tooMuch.map(sku => `'${sku}'`).join(', ')} allocated to ${salesOrder.reference} ` +
            'than is left of the order: remove what is too much, and replay this dead letter',
        );
      }
      return { record: allocated, count: picks.length > 0 ? 1 : 0 };
    },
    forget,
  };

  /** By part, what an order may take: without what those wait for that were placed before it. */
  async function stockFor(order: number, needed: readonly NeededStock[]) {
    const parts = [...new Set(needed.map(({ part }) => part))];
    // First who waits: one that has got its stock in between must not be given it twice.
    const before = new Map(
      await Promise.all(parts.map(async part => [part, await unitsForThoseBefore(order, part)] as const)),
    );
    const stock = await Promise.all(parts.map(async part => [part, await pickable(part)] as const));
    return stockLeftBy(before, new Map(stock), sources);
  }

  /** A dead letter does not count: nothing is allocated to it until somebody has decided. */
  async function unitsForThoseBefore(order: number, part: number): Promise<number> {
    const waiting = await shortOrders.of(part);
    const records = await ledger.getAll([...waiting.keys()].filter(id => id < order));
    const units = await Promise.all(
      [...records].map(async ([id, { incrementId }]) => {
        const isDeadLetter = await deadLetters.has(deadLetterId(orderJob({ id, incrementId }, '')));
        return isDeadLetter ? 0 : (waiting.get(id) ?? 0);
      }),
    );
    return roundedNumber(units.reduce((total, one) => total + one, 0));
  }

  async function forget(order: number): Promise<void> {
    await enqueueOthers(await shortOrders.forget(order));
  }

  async function enqueueOthers(parts: readonly number[]): Promise<void> {
    await Promise.all(parts.map(part => deps.enqueueShortOrders(part)));
  }

  /** The call, in such a way that what it may still do is not done twice. */
  async function allocate(
    picks: AllocationPlan['picks'],
    { order, salesOrder, record }: ShippedOrder,
  ): Promise<OrderRecord> {
    const begunAt = record.allocatingSince;
    if (begunAt !== undefined && now() - begunAt < carriedOutMs) {
      throw new NotYetError(`stock was allocated to ${salesOrder.reference} a moment ago, without an answer`, LOOK_MS);
    }
    const shipment = await openShipment(salesOrder.id);
    const from = picks.flatMap(({ item, source }) => (source === undefined ? [] : [[item, source] as const]));
    const pickedFrom = { ...record.pickedFrom, ...Object.fromEntries(from) };
    await ledger.set({ ...record, pickedFrom, allocatingSince: now(), at: now() });
    const answered = { ...record, pickedFrom, allocatingSince: undefined };
    try {
      const isDone = await salesOrders.allocate(salesOrder.id, shipment.id, picks);
      await ledger.set({ ...answered, at: now() });
      if (!isDone) throw new NotYetError(`stock for order ${order.incrementId} was taken meanwhile`, LOOK_MS);
    } catch (error) {
      if (isRefusal(error)) await ledger.set({ ...answered, at: now() });
      throw error;
    }
    return answered;
  }

  /** The one that is sent next; created where there is none. */
  async function openShipment(salesOrder: number): Promise<SalesShipment> {
    const all = await salesOrders.shipments(salesOrder);
    const [open] = all.filter(({ sentOn }) => sentOn === undefined).sort((first, second) => first.id - second.id);
    if (open) return open;
    const taken = new Set(all.map(({ reference }) => reference));
    let number = all.length + 1;
    while (taken.has(String(number))) number++;
    return salesOrders.shipmentWith(salesOrder, String(number));
  }

  /** What no stock is allocated to, by line, and the SKUs of which too much is. */
  async function neededStock(salesOrder: number, rows: readonly OrderRow[]) {
    const [lines, allocations] = await Promise.all([
      salesOrders.lines(salesOrder),
      salesOrders.allocations(salesOrder),
    ]);
    const needed: NeededStock[] = [];
    const tooMuch: string[] = [];
    for (const { id: line, reference, quantity, shipped } of lines) {
      const row = rows.find(({ item }) => String(item) === reference);
      if (!row) continue;
      // Those that were sent are listed, too, and what was shipped is in them.
      const left = roundedNumber(quantity - Math.max(shipped, allocatedTo(line, allocations)));
      if (left > 0) needed.push({ line, part: row.part, quantity: left });
      if (left < 0) tooMuch.push(row.sku);
    }
    return { needed, tooMuch };
  }
}

function allocatedTo(line: number, allocations: readonly SalesAllocation[]): number {
  return allocations.filter(one => one.line === line).reduce((total, { quantity }) => total + quantity, 0);
}

/** Zero for a part that misses nothing. */
function missingByPart(rows: readonly OrderRow[], missing: readonly { part: number; quantity: number }[]) {
  const units = new Map(rows.map(({ part }) => [part, 0]));
  for (const { part, quantity } of missing) units.set(part, (units.get(part) ?? 0) + quantity);
  return units;
}

function missingBySku(rows: readonly OrderRow[], missing: readonly { part: number; quantity: number }[]) {
  const units: Record<string, number> = {};
  for (const { part, quantity } of missing) {
    const { sku } = rows.find(row => row.part === part) ?? { sku: `part ${part}` };
    units[sku] = (units[sku] ?? 0) + quantity;
  }
  return units;
}
