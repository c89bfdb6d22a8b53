import { parseQuantity } from '@stock-sync/domain';
import type { PartStock } from '@stock-sync/inventree-client';
import { orderJob, type JobQueues, type OrderLedger, type ShortOrders } from '@stock-sync/state';

/** Has the orders looked at again that wait for stock of a part, the first first. */
export type EnqueueShortOrders = (part: number) => Promise<void>;

export function createEnqueueShortOrders(deps: {
  shortOrders: Pick<ShortOrders, 'of'>;
  ledger: Pick<OrderLedger, 'getAll'>;
  queues: Pick<JobQueues, 'enqueue'>;
}): EnqueueShortOrders {
  return async part => {
    const short = await deps.shortOrders.of(part);
    const records = await deps.ledger.getAll([...short.keys()]);
    const jobs = [...records.values()].map(({ order: id, incrementId }) =>
      orderJob({ id, incrementId }, `part ${part}`),
    );
    await deps.queues.enqueue(jobs);
  };
}

/** Whether a part has stock that is not allocated. */
export function hasFreeStock({ stock }: PartStock): boolean {
  return stock.some(({ inStock, allocated }) => parseQuantity(inStock) > parseQuantity(allocated));
}
