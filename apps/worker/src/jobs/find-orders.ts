import type { MagentoClient } from '@stock-sync/magento-client';
import type { JobOf, JobQueues, OrderLedger, OrdersCursor } from '@stock-sync/state';
import type { Breaker } from '../breaker/breaker';

/**
 * How far behind the latest change the list is read again, in milliseconds: Magento counts in seconds, and an order may
 * be committed later than it says.
 */
const OVERLAP_MS = 5 * 60_000;

/** The handler of `find-orders`: enqueues the orders of the store that changed since the last time. */
export function createFindOrders(deps: {
  magento: Pick<MagentoClient, 'ordersSince'>;
  breaker: Breaker;
  queues: JobQueues;
  ledger: OrderLedger;
  cursor: OrdersCursor;
  /** ORDERS_SINCE; undefined where orders are off. */
  since: string | undefined;
}) {
  const { magento, breaker, queues, ledger, cursor, since } = deps;

  return {
    async run({ event }: JobOf<'find-orders'>): Promise<{ orders: number }> {
      // A schedule of a worker with other settings may still be there.
      if (since === undefined) return { orders: 0 };
      breaker.require('magento-read');
      const before = await cursor.get();
      const changes = await magento.ordersSince(before ? earlier(before.since) : `${since} 00:00:00`);
      const records = await ledger.getAll(changes.map(({ id }) => id));
      const fresh = changes.filter(({ id, updatedAt }) => {
        const followed = records.get(id)?.followed;
        return followed?.updatedAt !== updatedAt || !followed.twice;
      });
      await queues.enqueue(fresh.map(({ id, incrementId }) => ({ kind: 'order', order: id, incrementId, event })));
      // Last: a worker that dies before has the orders looked at twice, not never.
      const latest = changes
        .map(({ updatedAt }) => updatedAt)
        .sort()
        .at(-1);
      if (latest !== undefined) await cursor.set({ since: latest });
      return { orders: fresh.length };
    },
  };
}

/** Magento's times are UTC, without saying so. */
function earlier(time: string): string {
  const at = new Date(`${time.replace(' ', 'T')}Z`).getTime() - OVERLAP_MS;
  return new Date(at).toISOString().slice(0, 19).replace('T', ' ');
}
