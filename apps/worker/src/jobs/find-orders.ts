import { orderJob, type JobOf, type JobQueues, type OrdersCursor } from '@stock-sync/state';
import type { Breaker } from '../breaker/breaker';
import { NotYetError } from './job-errors';
import type { createOrderChanges } from './order-changes';

/** The first search waits until all orders that it found are read: at least this long, and longer for many. */
const FIRST_SEARCH_MS = 1_000;
const FOR_EACH_ORDER_MS = 50;
const LONGEST_WAIT_MS = 30_000;

/** The handler of `find-orders`: enqueues the orders that changed since the last time. */
export function createFindOrders(deps: {
  /** Undefined where orders are off. */
  changes: ReturnType<typeof createOrderChanges> | undefined;
  breaker: Breaker;
  queues: JobQueues;
  cursor: OrdersCursor;
  /** Whether nothing is written, so that no order is ever read to its end. */
  isDryRun: boolean;
}) {
  const { changes, breaker, queues, cursor, isDryRun } = deps;

  return {
    async run({ event }: JobOf<'find-orders'>): Promise<{ orders: number }> {
      // A schedule of a worker with other settings may still be there.
      if (changes === undefined) return { orders: 0 };
      breaker.require('magento-read');
      const { changed, latest, isFirst } = await changes.find();
      // One that was read a moment ago is found again, and read once more then.
      await queues.enqueue(changed.filter(({ tooEarlyMs }) => tooEarlyMs === 0).map(order => orderJob(order, event)));
      const unread = changed.filter(({ isUnread }) => isUnread).length;
      if (isFirst && unread > 0 && !isDryRun) {
        const waitMs = Math.min(LONGEST_WAIT_MS, FIRST_SEARCH_MS + unread * FOR_EACH_ORDER_MS);
        throw new NotYetError(`${unread} orders are not read yet`, waitMs);
      }
      // Last: a worker that dies before has the orders looked at twice, not never.
      await cursor.set({ since: latest });
      return { orders: changed.length };
    },
  };
}
