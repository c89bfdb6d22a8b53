import { DEFAULT_SOURCE, orderLines, shipmentItems, unitsOfProduct, type ShopOrder } from '@stock-sync/domain';
import type { SalesAllocation, SalesOrder, SalesShipment } from '@stock-sync/inventree-client';
import type { Log } from '@stock-sync/service';
import type { JobQueues, OrderLedger, OrderRecord } from '@stock-sync/state';
import type { Connections } from '../connections';
import { NotYetError } from './job-errors';
import { isRefusal, OrderProblemError, sourceOf, type OrderRow, type ShippedOrder } from './shipped-order';

/** How long a shipment waits until a source has enough, in milliseconds, and how long from look to look. */
const ENOUGH_MS = 60_000;
const LOOK_MS = 1_000;

/** Passes the shipments of a sales order on to the store. */
export interface PassOnShipments {
  /** The order and its record after that, and how many shipments this run dealt with. */
  run(sent: ShippedOrder): Promise<{ order: ShopOrder; record: OrderRecord; count: number }>;
}

/**
 * Makes one shipment in the store of each that InvenTree has sent, with the same items and its tracking number. It
 * ships what the store lacks, by its own count: so a call that was carried out without an answer is not repeated.
 */
export function createPassOnShipments(deps: {
  connections: Connections;
  ledger: OrderLedger;
  queues: Pick<JobQueues, 'enqueue'>;
  /** How long a call without an answer may still be carried out, in milliseconds: until then it is not repeated. */
  carriedOutMs: number;
  /** The clock of Redis. */
  now: () => number;
  log: Log;
}): PassOnShipments {
  const { connections, ledger, queues, now, log } = deps;
  const { magento, inventree } = connections;
  const { salesOrders } = inventree;

  return {
    async run(state) {
      let { order, record } = state;
      const { rows, salesOrder } = state;
      let count = 0;
      if (record.booked?.shipments.every(id => isPassedOn(record, id))) return { order, record, count };
      const sent = (await salesOrders.shipments(salesOrder.id)).filter(({ sentOn }) => sentOn);
      const isDone = ({ id }: SalesShipment) => isPassedOn(record, id);
      // Magento ships no order that is on hold.
      if (sent.every(isDone) || order.state === 'holded') return { order, record, count };
      const allocations = await salesOrders.allocations(salesOrder.id);
      const unitsSent = await unitsBySent(rows, salesOrder, allocations);
      const sources = sourcesBySent(allocations, record);
      const soFar = new Map<number, number>();
      for (const shipment of sent.sort((first, second) => first.id - second.id)) {
        for (const [item, units] of unitsSent.get(shipment.id) ?? []) soFar.set(item, (soFar.get(item) ?? 0) + units);
        if (isDone(shipment)) continue;
        record = await pass(shipment, lackingUnits(order, soFar), sources, { order, rows, salesOrder, record });
        order = (await magento.order(order.id)) ?? order;
        count++;
      }
      return { order, record, count };
    },
  };

  async function pass(
    shipment: SalesShipment,
    units: ReadonlyMap<number, number>,
    sources: ReadonlyMap<number, string>,
    { order, rows, salesOrder, record }: ShippedOrder,
  ): Promise<OrderRecord> {
    const reference = `${salesOrder.reference}/${shipment.reference}`;
    const items = shipmentItems(order, units);
    const begun = record.passedOn?.[shipment.id];
    const remember = async (change: Partial<OrderRecord>) => {
      const changed = { ...record, ...change, at: now() };
      await ledger.set(changed);
      return changed;
    };
    const marked = (isDone: boolean) => ({ ...record.passedOn, [shipment.id]: { at: now(), isDone } });
    if (items.length === 0) return remember({ passedOn: marked(true), waitsSince: undefined });
    if (begun && now() - begun.at < deps.carriedOutMs) {
      throw new NotYetError(`shipment ${reference} was passed on a moment ago, without an answer`, LOOK_MS);
    }
    const since = record.waitsSince ?? now();
    // Where the stock was is where it is deducted, unless that source does not get enough.
    const only = now() - since < ENOUGH_MS / 2 ? sources.get(shipment.id) : undefined;
    const sourceCode = await sourceWith(units, rows, only);
    if (sourceCode === undefined) {
      if (record.waitsSince === undefined) await remember({ waitsSince: since });
      const shipped = rows.filter(({ item }) => (units.get(item) ?? 0) > 0);
      if (now() - since > ENOUGH_MS) {
        throw new OrderProblemError(
          `Order ${order.incrementId}: InvenTree has sent ${reference}, and no source ` +
            `in Magento has enough of ${shipped.map(({ sku }) => `'${sku}'`).join(', ')} to ship it there`,
        );
      }
      await queues.enqueue(shipped.map(({ part }) => ({ kind: 'part', part, event: `order ${order.incrementId}` })));
      throw new NotYetError('no source of Magento has enough yet', LOOK_MS);
    }
    await remember({ passedOn: marked(false) });
    try {
      await magento.ship(order.id, { items, sourceCode, reference, trackingNumber: shipment.trackingNumber });
    } catch (error) {
      // Refused: it may be tried again. Without an answer, it may still be carried out.
      if (isRefusal(error)) await remember({ passedOn: record.passedOn });
      throw error;
    }
    log.info(`Order ${order.incrementId}: shipment ${reference} of InvenTree is shipped in Magento, too`, {
      order: order.id,
      items,
    });
    return remember({ passedOn: marked(true), waitsSince: undefined });
  }

  /** By shipment and row, what InvenTree has put into each, in units of the product. */
  async function unitsBySent(
    rows: readonly OrderRow[],
    { id }: SalesOrder,
    allocations: readonly SalesAllocation[],
  ): Promise<Map<number, Map<number, number>>> {
    const lines = await salesOrders.lines(id);
    const rowOfLine = new Map(lines.map(line => [line.id, rows.find(({ item }) => String(item) === line.reference)]));
    const found = new Map<number, Map<number, number>>();
    for (const { line, quantity, shipment } of allocations) {
      const row = rowOfLine.get(line);
      if (!row || shipment === undefined) continue;
      const units = found.get(shipment) ?? new Map<number, number>();
      units.set(row.item, (units.get(row.item) ?? 0) + unitsOfProduct(quantity, row.packSize));
      found.set(shipment, units);
    }
    return found;
  }

  /**
   * The source that has enough of everything; undefined where none has. Magento refuses to ship from one that has not,
   * so the parts are synced first, which counts what InvenTree has shipped already.
   * @param only the one that counts; undefined for any
   */
  async function sourceWith(
    units: ReadonlyMap<number, number>,
    rows: readonly OrderRow[],
    only: string | undefined,
  ): Promise<string | undefined> {
    const shipped = rows.filter(({ item }) => (units.get(item) ?? 0) > 0);
    const api = await connections.stockApi.get();
    const stores = await api.read(shipped.map(({ sku }) => sku));
    const all = [DEFAULT_SOURCE, ...stores.flat().map(({ sourceCode }) => sourceCode)];
    const sources = new Set(only === undefined ? all : [only]);
    return [...sources].find(source =>
      shipped.every(({ item }, index) => {
        const quantity = stores[index]?.find(({ sourceCode }) => sourceCode === source)?.quantity ?? 0;
        return quantity >= (units.get(item) ?? 0);
      }),
    );
  }
}

/**
 * By row, what InvenTree has sent and the store lacks. Not what a shipment has: somebody may have shipped it in the
 * store by hand.
 */
function lackingUnits(order: ShopOrder, sent: ReadonlyMap<number, number>): Map<number, number> {
  return new Map(
    orderLines(order).map(({ item, shipped, toShip }) => [
      item,
      Math.max(0, Math.min(toShip, (sent.get(item) ?? 0) - shipped)),
    ]),
  );
}

/** The source of each shipment that took all its stock from one. */
function sourcesBySent(
  allocations: readonly SalesAllocation[],
  { pickedFrom = {} }: OrderRecord,
): ReadonlyMap<number, string> {
  const found = new Map<number, Set<string>>();
  for (const one of allocations) {
    if (one.shipment === undefined) continue;
    found.set(one.shipment, (found.get(one.shipment) ?? new Set()).add(sourceOf(one, pickedFrom)));
  }
  return new Map(
    [...found].flatMap(([shipment, sources]) => {
      const [source = ''] = sources;
      return sources.size === 1 && source !== '' ? [[shipment, source] as const] : [];
    }),
  );
}

function isPassedOn({ passedOn = {} }: OrderRecord, shipment: number): boolean {
  return passedOn[shipment]?.isDone === true;
}
