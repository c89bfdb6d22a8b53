import { SALES_ORDER_STATUS, shippedUnits, stockPicks } from '@stock-sync/domain';
import type { SalesOrder, SalesShipment } from '@stock-sync/inventree-client';
import type { OrderShipment } from '@stock-sync/magento-client';
import type { Log } from '@stock-sync/service';
import type { OrderLedger, OrderRecord } from '@stock-sync/state';
import type { Connections } from '../connections';
import { NotYetError } from './job-errors';
import type { PickableStock } from './pickable-stock';
import { OrderProblemError, type ShippedOrder } from './shipped-order';

const LOOK_MS = 1_000;

/** Books in InvenTree what the store has shipped. */
export interface BookShipments {
  /** The record after that, and how many shipments were sent. Throws an OrderProblemError where stock is missing. */
  run(shipped: ShippedOrder): Promise<{ record: OrderRecord; count: number }>;
}

/**
 * Makes one shipment in InvenTree of each of the store's, with the same items, stock and tracking number. It books what
 * InvenTree lacks, by its own count, and each shipment has a reference of its own: so a run that was cut short is
 * completed by the next one.
 */
export function createBookShipments(deps: {
  connections: Connections;
  pickable: PickableStock;
  ledger: OrderLedger;
  /** How long a call without an answer may still be carried out, in milliseconds: until then it is not repeated. */
  carriedOutMs: number;
  /** The clock of Redis. */
  now: () => number;
  log: Log;
}): BookShipments {
  const { connections, pickable, ledger, now, log } = deps;
  const { magento, inventree } = connections;
  const { salesOrders } = inventree;

  return {
    async run(shipped) {
      let { record } = shipped;
      const { order, rows, salesOrder } = shipped;
      let count = 0;
      // It was booked by hand.
      if (salesOrder.status === SALES_ORDER_STATUS.cancelled) return { record, count };
      if (order.state === 'holded' || rows.every(row => row.shipped === 0)) return { record, count };
      const lines = await salesOrders.lines(salesOrder.id);
      const bookedOf = (item: number) =>
        lines.filter(({ reference }) => reference === String(item)).reduce((total, line) => total + line.shipped, 0);
      if (rows.every(row => row.shipped * row.packSize <= bookedOf(row.item))) return { record, count };

      const booked = new Map(rows.map(({ item }) => [item, bookedOf(item)]));
      const soFar = new Map<number, number>();
      for (const shipment of (await magento.shipmentsOf(order.id)).sort((first, second) => first.id - second.id)) {
        for (const [item, units] of shippedUnits(order, shipment.items))
          soFar.set(item, (soFar.get(item) ?? 0) + units);
        const lacking = new Map(
          rows.map(({ item, packSize }) => [item, (soFar.get(item) ?? 0) * packSize - (booked.get(item) ?? 0)]),
        );
        if ([...lacking.values()].every(quantity => quantity <= 0)) continue;
        record = await book(shipment, lacking, { ...shipped, record });
        count++;
        for (const [item, quantity] of lacking) booked.set(item, (booked.get(item) ?? 0) + Math.max(0, quantity));
      }
      return { record, count };
    },
  };

  /** @param lacking by row, in units of the part */
  async function book(
    shipment: OrderShipment,
    lacking: ReadonlyMap<number, number>,
    { order, rows, salesOrder, record }: ShippedOrder,
  ): Promise<OrderRecord> {
    const reference = `M-${shipment.id}`;
    const ours = await salesOrders.shipmentWith(salesOrder.id, reference);
    // Sent, and its stock goes in a moment.
    if (ours.sentOn !== undefined) return record;
    const missing = await allocationsMissing(ours, lacking, salesOrder);
    let allocated = record;
    if (missing.length > 0) {
      const before = record.allocatedAt?.[shipment.id];
      if (before !== undefined && now() - before < deps.carriedOutMs) {
        throw new NotYetError(`stock was allocated to ${salesOrder.reference}/${reference} a moment ago`, LOOK_MS);
      }
      const items = [];
      for (const { line, item, quantity } of missing) {
        const row = rows.find(one => one.item === item);
        if (!row) continue;
        const { picks, missing: short } = stockPicks(await pickable(row.part), quantity, shipment.sourceCode);
        if (short > 0) {
          throw new OrderProblemError(
            `Magento has shipped ${quantity} of SKU '${row.sku}' (part ${row.part}), and InvenTree has ${short} too ` +
              'few that are for sale and not allocated: correct its stock, and replay this dead letter',
          );
        }
        items.push(...picks.map(pick => ({ line, ...pick })));
      }
      allocated = { ...record, allocatedAt: { ...record.allocatedAt, [shipment.id]: now() } };
      await ledger.set({ ...allocated, at: now() });
      await salesOrders.allocate(salesOrder.id, ours.id, items);
    }
    const on = new Date().toISOString().slice(0, 10);
    await salesOrders.send(ours.id, { on, trackingNumber: shipment.trackingNumber });
    const booked = `shipment ${shipment.id} of Magento is booked as ${salesOrder.reference}/${reference}`;
    log.info(`Order ${order.incrementId}: ${booked}`, { order: order.id });
    return allocated;
  }

  /** What is still to be allocated to a shipment, by line, in units of the part. */
  async function allocationsMissing(
    shipment: SalesShipment,
    lacking: ReadonlyMap<number, number>,
    { id, reference }: SalesOrder,
  ): Promise<{ line: number; item: number; quantity: number }[]> {
    const [allocations, lines] = await Promise.all([salesOrders.allocations(id), salesOrders.lines(id)]);
    return [...lacking].flatMap(([item, quantity]) => {
      const line = lines.find(one => one.reference === String(item));
      if (!line || quantity <= 0) return [];
      const there = allocations
        .filter(one => one.shipment === shipment.id && one.line === line.id)
        .reduce((total, one) => total + one.quantity, 0);
      if (there > quantity) {
        throw new OrderProblemError(
          `InvenTree has more stock allocated to shipment ${reference}/${shipment.reference} than Magento has ` +
            'shipped: remove what is too much, and replay this dead letter',
        );
      }
      return there < quantity ? [{ line: line.id, item, quantity: quantity - there }] : [];
    });
  }
}
