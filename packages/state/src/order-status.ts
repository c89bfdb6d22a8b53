import { totalUnits } from '@stock-sync/domain';
import type { OrderRecord } from './order-ledger';

/** States in which Magento does nothing more with an order. */
const ENDED: ReadonlySet<string> = new Set(['complete', 'closed', 'canceled']);

/** Whether one of the two systems has shipped something of an order, and the other has not. */
export function isUnbooked({ booked }: OrderRecord): boolean {
  return Object.keys(booked?.units ?? {}).length > 0;
}

/** Whether something is still to be done about an order. */
export function isOpenOrder(record: OrderRecord): boolean {
  if (record.isLeft) return false;
  return isUnbooked(record) || !record.followed || !ENDED.has(record.followed.state);
}

/** What is next with an order, or why it waits, for people. */
export function orderNext(record: OrderRecord): string {
  const { isLeft = false, problem, followed, booked, missing = {} } = record;
  if (isLeft) return 'left alone: by ORDERS_SINCE or ORDERS_STORES, it does not count';
  if (problem !== undefined) return problem;
  if (!followed) return 'its sales order is not complete yet';
  const totals = Object.entries(booked?.units ?? {}).map(([sku, bySource]) => [sku, totalUnits(bySource)] as const);
  const unbooked = totals.map(([sku, units]) =>
    units < 0
      ? `Magento has shipped ${-units} of '${sku}', and InvenTree has not`
      : `InvenTree has shipped ${units} of '${sku}', and Magento has not`,
  );
  if (unbooked.length > 0) return unbooked.join('; ');
  if (followed.state === 'canceled') return 'cancelled';
  if (record.salesOrder === undefined) return 'not imported yet: by ORDERS_STATES, it waits for another state';
  if (followed.state === 'holded') return 'on hold in Magento';
  const short = Object.entries(missing).map(([sku, quantity]) => `${quantity} of '${sku}'`);
  if (short.length > 0) return `waits for stock in InvenTree: ${short.join(', ')}`;
  return ENDED.has(followed.state) ? 'nothing more' : 'to be shipped, or invoiced';
}
