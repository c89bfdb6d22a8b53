import { openOrderLedger, type OrderRecord, type RedisConnection } from '@stock-sync/state';
import { UsageError } from './command';

export interface OrdersCommandOptions {
  limit: string;
  json?: boolean;
}

/** `stock-sync orders list`: what was done about the orders of the store, the latest first. */
export async function ordersCommand(
  connection: RedisConnection,
  { limit, json = false }: OrdersCommandOptions,
): Promise<string> {
  const count = Number(limit);
  if (!Number.isInteger(count) || count < 1) throw new UsageError(`--limit: expected a number above 0, got '${limit}'`);
  const records = await openOrderLedger(connection).latest(count);
  if (json) return JSON.stringify(records, undefined, 2);
  if (records.length === 0) return 'No order was imported. Orders are imported where the workers have ORDERS=import.';
  return records.map(orderLine).join('\n');
}

function orderLine({ incrementId, reference, followed, problem, at }: OrderRecord): string {
  const salesOrder = reference === '' ? 'no sales order' : `sales order ${reference}`;
  const state = followed ? `the order is ${followed.state}` : 'not complete yet';
  const line = `${incrementId}  ${salesOrder}  ${state}, ${new Date(at).toISOString()}`;
  return problem === undefined ? line : `${line}\n  ${problem}`;
}
