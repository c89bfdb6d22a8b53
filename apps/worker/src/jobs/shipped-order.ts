import type { ShopOrder, WantedLine } from '@stock-sync/domain';
import { CallError } from '@stock-sync/http-client';
import type { SalesAllocation, SalesOrder } from '@stock-sync/inventree-client';
import type { OrderRecord } from '@stock-sync/state';

/** A row of an order for which InvenTree has a part. */
export interface OrderRow extends WantedLine {
  /** Whether InvenTree takes a line for it. */
  isSalable: boolean;
  /** What the store has shipped, in units of the product. */
  shipped: number;
}

/** An order with its sales order, of which something may have been shipped. */
export interface ShippedOrder {
  order: ShopOrder;
  rows: readonly OrderRow[];
  salesOrder: SalesOrder;
  record: OrderRecord;
}

/** Something about an order that somebody has to decide. */
export class OrderProblemError extends Error {
  readonly kind = 'order';
}

/** Whether a call was refused, so that it certainly did nothing: a gateway may give up while it is carried out. */
export function isRefusal(error: unknown): boolean {
  return error instanceof CallError && error.status !== undefined && error.status >= 400 && error.status < 500;
}

/** The source that allocated stock was taken from; `''` where that is not known, because we have not allocated it. */
export function sourceOf(
  { item, splitFrom }: Pick<SalesAllocation, 'item' | 'splitFrom'>,
  pickedFrom: NonNullable<OrderRecord['pickedFrom']>,
): string {
  return pickedFrom[item] ?? (splitFrom === undefined ? undefined : pickedFrom[splitFrom]) ?? '';
}
