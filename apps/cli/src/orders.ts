import {
  deadLetterId,
  isUnbooked,
  openDeadLetters,
  openJobQueues,
  openOrderLedger,
  orderJob,
  orderNext,
  type OrderRecord,
  type RedisConnection,
} from '@stock-sync/state';
import { CommandError, UsageError } from './command';

export interface OrdersListOptions {
  limit: string;
  unbooked?: boolean;
  json?: boolean;
}

/** `stock-sync orders list`: what was done about the orders of the store, the latest first. */
export async function ordersListCommand(
  connection: RedisConnection,
  { limit, unbooked = false, json = false }: OrdersListOptions,
): Promise<string> {
  const count = Number(limit);
  if (!Number.isInteger(count) || count < 1) throw new UsageError(`--limit: expected a number above 0, got '${limit}'`);
  const records = (await openOrderLedger(connection).latest(count))
    .filter(({ isLeft }) => !isLeft)
    .filter(record => !unbooked || isUnbooked(record));
  if (json) return JSON.stringify(records, undefined, 2);
  if (records.length === 0) return unbooked ? NONE_UNBOOKED : NONE;
  return records.map(record => `${orderLine(record)}\n  ${orderNext(record)}`).join('\n');
}

const NONE = 'No order was imported. Orders are imported where the workers have ORDERS.';
const NONE_UNBOOKED = 'Both systems have shipped the same.';

/** `stock-sync orders explain`: all that is known of an order. */
export async function ordersExplainCommand(
  connection: RedisConnection,
  number: string,
  { json = false }: { json?: boolean },
): Promise<string> {
  const records = await recordsOf(connection, number);
  if (json) return JSON.stringify(records, undefined, 2);
  const deadLetters = openDeadLetters(connection);
  try {
    return (
      await Promise.all(
        records.map(async record => {
          const deadLetter = await deadLetters.get(deadLetterId(orderJob({ ...record, id: record.order }, '')));
          return explanation(record, deadLetter?.reason);
        }),
      )
    ).join('\n\n');
  } finally {
    await deadLetters.close();
  }
}

/** `stock-sync orders replay`: has a worker compare these orders with their sales orders now. */
export async function ordersReplayCommand(connection: RedisConnection, numbers: readonly string[]): Promise<string> {
  const records = (await Promise.all(numbers.map(number => recordsOf(connection, number)))).flat();
  const queues = openJobQueues(connection);
  try {
    await queues.enqueue(records.map(({ order: id, incrementId }) => orderJob({ id, incrementId }, 'command')));
  } finally {
    await queues.close();
  }
  return records.map(({ incrementId }) => `Order ${incrementId}: queued`).join('\n');
}

async function recordsOf(connection: RedisConnection, number: string): Promise<OrderRecord[]> {
  const records = await openOrderLedger(connection).withNumber(number);
  if (records.length > 0) return records;
  throw new CommandError(`no order with number '${number}' was imported (see: stock-sync orders list)`);
}

function orderLine({ incrementId, reference, followed, at }: OrderRecord): string {
  const salesOrder = reference === '' ? 'no sales order' : `sales order ${reference}`;
  const state = followed ? `the order is ${followed.state}` : 'not complete yet';
  return `${incrementId}  ${salesOrder}  ${state}, ${new Date(at).toISOString()}`;
}

function explanation(record: OrderRecord, deadLetter: string | undefined): string {
  const { incrementId, order, reference, salesOrder, followed, booked, passedOn = {}, allocatedAt = {}, at } = record;
  const lines: [string, string][] = [
    ['In Magento', followed ? `${followed.state}, changed ${followed.updatedAt} UTC` : 'not read to its end yet'],
    ['In InvenTree', reference === '' ? 'no sales order' : `${reference} (id ${salesOrder ?? 'not known yet'})`],
    ['SKUs', booked?.skus.join(', ') || 'none that a part has'],
    ['Next', orderNext(record)],
  ];
  const passed = Object.entries(passedOn).map(([id, { isDone }]) => `${id}${isDone ? '' : ' (under way)'}`);
  if (passed.length > 0) lines.push(["InvenTree's shipments in Magento", passed.join(', ')]);
  const allocated = Object.keys(allocatedAt);
  if (allocated.length > 0) lines.push(["Magento's shipments in InvenTree", allocated.join(', ')]);
  if (deadLetter !== undefined) lines.push(['Dead letter', `${deadLetter} (stock-sync orders replay ${incrementId})`]);
  lines.push(['Last looked at', new Date(at).toISOString()]);
  const width = Math.max(...lines.map(([name]) => name.length));
  const told = lines.map(([name, text]) => `  ${`${name}:`.padEnd(width + 1)} ${text}`);
  return [`Order ${incrementId} (Magento's id ${order})`, ...told].join('\n');
}
