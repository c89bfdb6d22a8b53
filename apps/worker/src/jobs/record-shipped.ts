import { setTimeout as sleep } from 'node:timers/promises';
import { orderLines, SALES_ORDER_STATUS, unbookedUnits, unitsOfProduct, type ShopOrder } from '@stock-sync/domain';
import type { InvenTreeClient, SalesOrder } from '@stock-sync/inventree-client';
import type { JobQueues, OrderLedger, OrderRecord, Parts, UnbookedStock } from '@stock-sync/state';
import { SECOND_LOOK_MS } from './order-changes';
import { OrderProblemError, type OrderRow } from './shipped-order';

/** How often, and after how many milliseconds, InvenTree is asked whether its background worker has sent a shipment. */
const SENDING_LOOKS = 20;
const SENDING_MS = 500;

/**
 * Records what both systems have shipped of an order, and has the parts synced for which that changed. Before anything
 * that may fail: until then, none of its SKUs is written. Resolves with the record.
 * @param salesOrder undefined where there is none yet
 */
export type RecordShipped = (
  order: ShopOrder,
  rows: readonly OrderRow[],
  salesOrder: SalesOrder | 'deleted' | undefined,
  record: OrderRecord,
) => Promise<OrderRecord>;

export function createRecordShipped(deps: {
  salesOrders: InvenTreeClient['salesOrders'];
  ledger: Pick<OrderLedger, 'set'>;
  unbooked: Pick<UnbookedStock, 'set'>;
  parts: Pick<Parts, 'withSkus'>;
  queues: Pick<JobQueues, 'enqueue'>;
  /** The clock of Redis. */
  now: () => number;
}): RecordShipped {
  const { salesOrders, ledger, unbooked, parts, queues, now } = deps;
  return recordShipped;

  async function recordShipped(
    order: ShopOrder,
    rows: readonly OrderRow[],
    salesOrder: SalesOrder | 'deleted' | undefined,
    record: OrderRecord,
  ): Promise<OrderRecord> {
    const isDeleted = salesOrder === 'deleted';
    const { shipped, shipments } = await shippedInInvenTree(order, isDeleted ? undefined : salesOrder);
    const isCancelled = isDeleted || salesOrder?.status === SALES_ORDER_STATUS.cancelled;
    const units = new Map<string, number>();
    const lines = new Map(orderLines(order).map(line => [line.item, line]));
    for (const { item, sku, packSize } of rows) {
      const line = lines.get(item);
      if (!line) continue;
      const inInvenTree = unitsOfProduct(shipped.get(item) ?? 0, packSize);
      units.set(sku, (units.get(sku) ?? 0) + unbookedUnits({ ...line, inInvenTree, isCancelled }));
    }
    const before = record.booked?.units ?? {};
    const skus = [...new Set([...units.keys(), ...Object.keys(before)])];
    await unbooked.set(order.id, new Map(skus.map(sku => [sku, units.get(sku) ?? 0])));
    const differing = Object.fromEntries([...units].filter(([, count]) => count !== 0));
    const { updatedAt } = order;
    const firstAt = record.booked?.updatedAt === updatedAt ? record.booked.at : now();
    const twice = now() - firstAt >= SECOND_LOOK_MS;
    const booked = { updatedAt, at: firstAt, twice, skus: rows.map(({ sku }) => sku), units: differing, shipments };
    await ledger.set({ ...record, booked, at: now() });
    const changed = skus.filter(sku => (units.get(sku) ?? 0) !== (before[sku] ?? 0));
    const ofRows = rows.filter(({ sku }) => changed.includes(sku)).map(({ part }) => part);
    const concerned = new Set([...ofRows, ...(await parts.withSkus(changed)).flat()]);
    await queues.enqueue([...concerned].map(part => ({ kind: 'part', part, event: `order ${order.incrementId}` })));
    return { ...record, booked };
  }

  /** By row, what InvenTree has shipped, in units of the part, and the shipments that are in it. */
  async function shippedInInvenTree(order: ShopOrder, salesOrder: SalesOrder | undefined) {
    const shipped = new Map<number, number>();
    if (!salesOrder) return { shipped, shipments: [] };
    for (let look = 1; ; look++) {
      const sent = (await salesOrders.shipments(salesOrder.id)).filter(({ sentOn }) => sentOn).map(({ id }) => id);
      const [lines, allocations] = await Promise.all([
        salesOrders.lines(salesOrder.id),
        sent.length > 0 ? salesOrders.allocations(salesOrder.id) : [],
      ]);
      const isBehind = lines.some(line => {
        const ofLine = allocations.filter(one => one.line === line.id && sent.includes(one.shipment ?? 0));
        return line.shipped < ofLine.reduce((total, { quantity }) => total + quantity, 0);
      });
      if (!isBehind) {
        for (const line of lines) {
          const item = Number(line.reference);
          shipped.set(item, (shipped.get(item) ?? 0) + line.shipped);
        }
        return { shipped, shipments: sent };
      }
      if (look === SENDING_LOOKS) {
        throw new OrderProblemError(
          `Order ${order.incrementId}: InvenTree has a shipment of ${salesOrder.reference} that was sent, and its ` +
            'stock is still there. Is the background worker of InvenTree running?',
        );
      }
      await sleep(SENDING_MS);
    }
  }
}
