import { setTimeout as sleep } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import {
  orderLines,
  SALES_ORDER_STATUS,
  shippedUnits,
  sumOfUnits,
  unbookedUnits,
  unitsBySource,
  unitsOfProduct,
  type SalesOrderLine,
  type ShopOrder,
  type UnitsBySource,
} from '@stock-sync/domain';
import type { InvenTreeClient, SalesAllocation, SalesOrder } from '@stock-sync/inventree-client';
import type { MagentoClient } from '@stock-sync/magento-client';
import type { JobQueues, OrderLedger, OrderRecord, Parts, UnbookedStock } from '@stock-sync/state';
import { SECOND_LOOK_MS, timeOf } from './order-changes';
import { OrderProblemError, sourceOf, type OrderRow } from './shipped-order';

/** How often, and after how many milliseconds, InvenTree is asked whether its background worker has sent a shipment. */
const SENDING_LOOKS = 20;
const SENDING_MS = 500;

/** A change so long ago is over, even if the clocks of Redis and Magento differ, in milliseconds. */
const LONG_AGO_MS = 60 * 60_000;

/**
 * Records what both systems have shipped of an order, and has the parts synced for which that changed. Before anything
 * that may fail: until then, none of its SKUs is written. Resolves with the record, and with the lines of the sales
 * order as they were read for it.
 * @param salesOrder undefined where there is none yet
 * @param readAt when the read of the order began, by the clock of Redis
 */
export type RecordShipped = (
  order: ShopOrder,
  rows: readonly OrderRow[],
  salesOrder: SalesOrder | 'deleted' | undefined,
  record: OrderRecord,
  readAt: number,
) => Promise<{ record: OrderRecord; lines: readonly SalesOrderLine[] }>;

export function createRecordShipped(deps: {
  salesOrders: InvenTreeClient['salesOrders'];
  ledger: Pick<OrderLedger, 'set'>;
  unbooked: Pick<UnbookedStock, 'set'>;
  parts: Pick<Parts, 'withSkus'>;
  queues: Pick<JobQueues, 'enqueue'>;
  magento: Pick<MagentoClient, 'shipmentsOf'>;
  /** Whether there is more than one source. */
  hasSources: boolean;
  /** The clock of Redis. */
  now: () => number;
}): RecordShipped {
  const { salesOrders, magento, hasSources, ledger, unbooked, parts, queues, now } = deps;
  return recordShipped;

  async function recordShipped(
    order: ShopOrder,
    rows: readonly OrderRow[],
    salesOrder: SalesOrder | 'deleted' | undefined,
    record: OrderRecord,
    readAt: number,
  ): Promise<{ record: OrderRecord; lines: readonly SalesOrderLine[] }> {
    const isDeleted = salesOrder === 'deleted';
    const {
      shipped,
      lines: linesRead,
      allocations,
      shipments,
    } = await shippedInInvenTree(order, isDeleted ? undefined : salesOrder);
    const isCancelled = isDeleted || salesOrder?.status === SALES_ORDER_STATUS.cancelled;
    const lines = new Map(orderLines(order).map(line => [line.item, line]));
    const differing = rows.flatMap(row => {
      const line = lines.get(row.item);
      const inInvenTree = unitsOfProduct(shipped.get(row.item) ?? 0, row.packSize);
      const count = line ? unbookedUnits({ ...line, inInvenTree, isCancelled }) : 0;
      return count === 0 ? [] : [{ row, count }];
    });
    const inMagento = hasSources && differing.length > 0 ? await shippedInMagento(order) : new Map<number, never>();
    const inInvenTree = hasSources ? shippedBySource(rows, allocations, record) : new Map<number, never>();
    const units = new Map<string, UnitsBySource>();
    for (const { row, count } of differing) {
      const bySource = unitsBySource(count, inInvenTree.get(row.item) ?? {}, inMagento.get(row.item) ?? {});
      units.set(row.sku, sumOfUnits([units.get(row.sku) ?? {}, bySource]));
    }
    const before = record.booked?.units ?? {};
    const skus = [...new Set([...rows.map(({ sku }) => sku), ...Object.keys(before)])];
    await unbooked.set(order.id, new Map(skus.map(sku => [sku, units.get(sku) ?? {}])));
    const { updatedAt } = order;
    const firstAt = record.booked?.updatedAt === updatedAt ? record.booked.at : now();
    const twice = readAt - firstAt >= SECOND_LOOK_MS || readAt - timeOf(updatedAt) > LONG_AGO_MS;
    const booked = {
      updatedAt,
      at: firstAt,
      twice,
      skus: rows.map(({ sku }) => sku),
      units: Object.fromEntries(units),
      shipments,
    };
    await ledger.set({ ...record, booked, at: now() });
    const changed = skus.filter(sku => !isDeepStrictEqual(units.get(sku) ?? {}, before[sku] ?? {}));
    const ofRows = rows.filter(({ sku }) => changed.includes(sku)).map(({ part }) => part);
    const concerned = new Set([...ofRows, ...(await parts.withSkus(changed)).flat()]);
    await queues.enqueue([...concerned].map(part => ({ kind: 'part', part, event: `order ${order.incrementId}` })));
    return { record: { ...record, booked }, lines: linesRead };
  }

  /** By row and source, what the store has shipped. */
  async function shippedInMagento(order: ShopOrder): Promise<Map<number, UnitsBySource>> {
    const found = new Map<number, UnitsBySource>();
    for (const { items, sourceCode = '' } of await magento.shipmentsOf(order.id)) {
      for (const [item, count] of shippedUnits(order, items)) {
        found.set(item, sumOfUnits([found.get(item) ?? {}, { [sourceCode]: count }]));
      }
    }
    return found;
  }

  /** By row, what InvenTree has shipped, in units of the part, and the allocations and shipments that are in it. */
  async function shippedInInvenTree(order: ShopOrder, salesOrder: SalesOrder | undefined) {
    const shipped = new Map<number, number>();
    if (!salesOrder) return { shipped, lines: [], allocations: [], shipments: [] };
    for (let look = 1; ; look++) {
      const sent = (await salesOrders.shipments(salesOrder.id)).filter(({ sentOn }) => sentOn).map(({ id }) => id);
      const [lines, allocations] = await Promise.all([
        salesOrders.lines(salesOrder.id),
        sent.length > 0 ? salesOrders.allocations(salesOrder.id) : [],
      ]);
      const ofSent = allocations.filter(({ shipment }) => shipment !== undefined && sent.includes(shipment));
      const isBehind = lines.some(line => {
        const ofLine = ofSent.filter(one => one.line === line.id);
        return line.shipped < ofLine.reduce((total, { quantity }) => total + quantity, 0);
      });
      if (!isBehind) {
        for (const line of lines) {
          const item = Number(line.reference);
          shipped.set(item, (shipped.get(item) ?? 0) + line.shipped);
        }
        const rowOf = new Map(lines.map(({ id, reference }) => [id, Number(reference)]));
        const byRow = ofSent.map(one => ({ ...one, row: rowOf.get(one.line) }));
        return { shipped, lines, allocations: byRow, shipments: sent };
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

/** By row and source, what was sent of the stock that we have allocated: of other stock, nobody says where it was. */
function shippedBySource(
  rows: readonly OrderRow[],
  allocations: readonly (SalesAllocation & { row: number | undefined })[],
  { pickedFrom = {} }: OrderRecord,
): Map<number, UnitsBySource> {
  return new Map(
    rows.map(({ item, packSize }) => [
      item,
      sumOfUnits(
        allocations
          .filter(({ row }) => row === item)
          .map(one => ({ [sourceOf(one, pickedFrom)]: unitsOfProduct(one.quantity, packSize) })),
      ),
    ]),
  );
}
