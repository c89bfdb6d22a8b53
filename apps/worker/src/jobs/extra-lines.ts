import type { OrderLine, ShopOrder } from '@stock-sync/domain';
import type { InvenTreeClient, SalesOrder } from '@stock-sync/inventree-client';
import type { Log } from '@stock-sync/service';
import type { OrderLedger, OrderRecord } from '@stock-sync/state';
import { isRefusal, type OrderRow } from './shipped-order';

/** Adds to a sales order what no part stands for, and what was refunded. Resolves with what was sent of it. */
export type AddExtraLines = (
  order: ShopOrder,
  salesOrder: SalesOrder,
  lines: { extra: readonly OrderLine[]; rows: readonly OrderRow[] },
  record: OrderRecord,
) => Promise<OrderRecord['extraLines']>;

/** A line that stands for no part. */
interface ExtraLine {
  /** Its key in the ledger. */
  key: string;
  reference: string;
  quantity: number;
  price: number | undefined;
  /** Whether it only tells people something, so that nothing is lost where InvenTree refuses it. */
  isNote: boolean;
}

/** Each is recorded before it is sent, because it could not be found afterwards: it is never sent twice. */
export function createAddExtraLines(deps: {
  salesOrders: Pick<InvenTreeClient['salesOrders'], 'addExtraLine'>;
  ledger: Pick<OrderLedger, 'set'>;
  /** ORDERS_NOTE_REFUNDS. */
  notesRefunds: boolean;
  /** The clock of Redis. */
  now: () => number;
  log: Log;
}): AddExtraLines {
  const { salesOrders, ledger, notesRefunds, now, log } = deps;

  return async (order, { id, reference: salesOrder }, { extra, rows }, record) => {
    const extraLines = { ...record.extraLines };
    const wanted = [
      ...(order.state === 'canceled' ? [] : extra.map(lineOf)),
      ...(notesRefunds ? refundNotes(order, rows, extraLines) : []),
    ];
    for (const { key, reference, quantity, price, isNote } of wanted) {
      const sent = extraLines[key];
      if (quantity <= 0 || sent === 'added' || (isNote && sent === 'refused')) continue;
      if (sent === 'sent') {
        log.warn(
          `Order ${order.incrementId}: a worker died while it added the extra line '${reference}' to sales order ` +
            `${salesOrder}. Look whether it is there, and add it by hand where it is not`,
        );
        extraLines[key] = 'added';
        continue;
      }
      extraLines[key] = 'sent';
      await ledger.set({ ...record, extraLines, at: now() });
      try {
        await salesOrders.addExtraLine(id, { reference, quantity, price, currency: order.currency });
        log.info(`Order ${order.incrementId}: sales order ${salesOrder}, extra line '${reference}'`, { quantity });
        extraLines[key] = 'added';
      } catch (error) {
        // Refused: it may be tried again. Otherwise nobody knows.
        if (!isRefusal(error)) throw error;
        extraLines[key] = 'refused';
        await ledger.set({ ...record, extraLines, at: now() });
        if (!isNote) throw error;
        log.info(`Order ${order.incrementId}: ${salesOrder} takes no note any more: ${quantity} of '${reference}'`);
      }
    }
    return extraLines;
  };
}

/** All lines of an order that may have been sent, as sent: one too few is seen, one too many is paid for. */
export function extraLinesSent({ items }: ShopOrder): OrderRecord['extraLines'] {
  return Object.fromEntries(
    items.flatMap(({ id, refunded }) => [
      [id, 'added' as const],
      [refundKey(id, refunded), 'added' as const],
    ]),
  );
}

function lineOf({ item, sku, quantity, price }: OrderLine): ExtraLine {
  return { key: String(item), reference: sku, quantity, price, isNote: false };
}

/**
 * What was refunded since the last note of each row. Whether it comes back, and when, nobody says: who takes it back
 * books it in InvenTree.
 */
function refundNotes(
  { items }: ShopOrder,
  rows: readonly OrderRow[],
  extraLines: OrderRecord['extraLines'],
): ExtraLine[] {
  return rows.flatMap(({ item, sku }) => {
    const refunded = items.find(({ id }) => id === item)?.refunded ?? 0;
    const noted = Object.keys(extraLines).map(key => refundedIn(key, item));
    const quantity = refunded - Math.max(0, ...noted.filter(count => count < refunded));
    return [{ key: refundKey(item, refunded), reference: `Refunded: ${sku}`, quantity, price: 0, isNote: true }];
  });
}

const refundKey = (item: number, refunded: number) => `refund-${item}-${refunded}`;

/** How many units the key of a note says; 0 for another line. */
function refundedIn(key: string, item: number): number {
  const prefix = refundKey(item, 0).slice(0, -1);
  return key.startsWith(prefix) ? Number(key.slice(prefix.length)) : 0;
}
