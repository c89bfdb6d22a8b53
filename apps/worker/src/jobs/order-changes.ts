import { isDeepStrictEqual } from 'node:util';
import { isSameSku, type UnitsBySource } from '@stock-sync/domain';
import { CallError } from '@stock-sync/http-client';
import type { InvenTreeClient } from '@stock-sync/inventree-client';
import type { MagentoClient } from '@stock-sync/magento-client';
import type { Log } from '@stock-sync/service';
import {
  deadLetterId,
  isOpenOrder,
  orderJob,
  type DeadLetters,
  type JobQueues,
  type OrderLedger,
  type OrdersCursor,
  type Unbooked,
  type UnbookedStock,
} from '@stock-sync/state';
import type { Breaker } from '../breaker/breaker';
import { createBatchLoader, limitCalls } from '../calls/batch-loader';
import { NotYetError, WaitError } from './job-errors';

/** An order that changed in the store, or of which InvenTree sent something, since it was last looked at. */
export interface ChangedOrder {
  id: number;
  incrementId: string;
  /** Whether what was shipped of it may differ from what the ledger has: then no SKU of it may be written yet. */
  isUnread: boolean;
  /** How long it is too early to read it once more, in milliseconds. */
  tooEarlyMs: number;
  /** Its SKUs; undefined where they are not known. */
  skus: readonly string[] | undefined;
}

/** The orders that changed, as of one look at both systems. */
export interface OrderChanges {
  changed: ChangedOrder[];
  /** The latest change of an order in the store, in UTC. */
  latest: string;
  /** Whether no search has ended yet, so that the orders of before are not known either. */
  isFirst: boolean;
}

/**
 * How far behind the latest change the list is read again, in milliseconds: Magento counts in seconds, and an order may
 * be committed later than it says.
 */
const OVERLAP_MS = 5 * 60_000;
/** How much later an order is read once more, in milliseconds: more than the second that Magento counts in. */
export const SECOND_LOOK_MS = 2_000;

/** Compares the lists of both systems with the ledger. `find` rejects with a CallError. */
export function createOrderChanges(deps: {
  magento: Pick<MagentoClient, 'ordersSince'>;
  salesOrders: Pick<InvenTreeClient['salesOrders'], 'latestSent'>;
  ledger: OrderLedger;
  cursor: OrdersCursor;
  deadLetters: Pick<DeadLetters, 'has'>;
  /** ORDERS_SINCE. */
  since: string;
  /** The clock of Redis. */
  now: () => number;
}) {
  const { magento, salesOrders, ledger, cursor, deadLetters } = deps;
  const start = `${deps.since} 00:00:00`;

  return {
    async find(): Promise<OrderChanges> {
      const before = await cursor.get();
      const [orders, sent] = await Promise.all([
        magento.ordersSince(before ? earlier(before.since) : start),
        salesOrders.latestSent(),
      ]);
      const [known, withSent] = await Promise.all([
        ledger.getAll(orders.map(({ id }) => id)),
        ledger.ofSalesOrders(sent.map(({ order }) => order)),
      ]);
      const changed = new Map<number, ChangedOrder>();
      for (const { id, incrementId, state, updatedAt } of orders) {
        const { followed, booked } = known.get(id) ?? {};
        const isRead = booked?.updatedAt === updatedAt;
        const isReadTwice = isRead && booked.twice;
        if (isReadTwice && followed?.updatedAt === updatedAt) continue;
        // Of an order that was just placed, nothing is shipped; unless that is forgotten, as everything is at first.
        const isJustPlaced = before !== undefined && state === 'new' && (booked === undefined || isRead);
        const isUnread = !isReadTwice && !isJustPlaced;
        const tooEarlyMs = isRead ? Math.max(0, booked.at + SECOND_LOOK_MS - deps.now()) : 0;
        changed.set(id, { id, incrementId, isUnread, tooEarlyMs, skus: booked?.skus });
      }
      for (const { order: id, incrementId, salesOrder, booked } of withSent) {
        const isUnread = sent.some(one => one.order === salesOrder && !booked?.shipments.includes(one.id));
        if (isUnread) changed.set(id, { id, incrementId, isUnread, tooEarlyMs: 0, skus: booked?.skus });
      }
      for (const order of changed.values()) {
        // One that cannot be read must not hold up the stock of all others.
        if (order.isUnread) order.isUnread = !(await deadLetters.has(deadLetterId(orderJob(order, ''))));
      }
      const times = [before?.since ?? start, ...orders.map(({ updatedAt }) => updatedAt)].sort();
      return { changed: [...changed.values()], latest: times.at(-1) ?? start, isFirst: !before };
    },
  };
}

/** What the orders mean for the stock that is written. */
export interface OrderStock {
  /** What is unbooked: shipped by one of the two systems and not yet by the other. */
  unbooked(): Promise<Unbooked>;
  /**
   * Why this SKU must not be written yet: an order that may have shipped it is not read, or something else is unbooked
   * by now than these units. Writing InvenTree's stock would put back into the store what was just sent to a customer.
   */
  reasonToWait(sku: string, units: UnitsBySource): Promise<NotYetError | undefined>;
  /**
   * Enqueues the orders that are not at their end, the latest ones: somebody may have changed a sales order, and what
   * was shipped of it, without a change in the store. Resolves with their number.
   */
  enqueueOpen(event: string): Promise<number>;
}

/** The orders that a reconcile looks at. */
const MOST_OPEN = 5_000;

/** How long a write waits for an order to be read, in milliseconds. */
const READ_MS = 300;

/** Looks at the orders of both systems, once for all SKUs that are about to be written. */
export function createOrderStock(deps: {
  changes: ReturnType<typeof createOrderChanges>;
  queues: JobQueues;
  deadLetters: Pick<DeadLetters, 'has'>;
  breaker: Pick<Breaker, 'judge'>;
  unbooked: UnbookedStock;
  ledger: OrderLedger;
  log: Log;
}): OrderStock {
  const { queues, deadLetters, breaker, unbooked, ledger, log } = deps;
  let isUnavailable = false;
  const looks = createBatchLoader<string, Reason | undefined>({
    // One at a time: a look that has begun may have been too early for those who ask now.
    limit: limitCalls(1),
    run: async skus => {
      const reasons = await reasonsToWait();
      return skus.map(sku => reasons.find(reason => reason.skus?.some(one => isSameSku(one, sku)) ?? true));
    },
  });

  async function reasonsToWait(): Promise<Reason[]> {
    let found: OrderChanges;
    try {
      found = await deps.changes.find();
    } catch (error) {
      if (!(error instanceof CallError)) throw error;
      if ((await breaker.judge(error)) === 'wait') throw new WaitError(error.message, 0, error);
      // Stock must go on where only the orders cannot be read.
      if (!isUnavailable)
        log.warn(`Stock is written without a look at the orders, for they cannot be read: ${error.message}`);
      isUnavailable = true;
      return [];
    }
    isUnavailable = false;
    if (found.isFirst && !(await deadLetters.has(deadLetterId(SEARCH)))) {
      await queues.enqueue([SEARCH]);
      return [{ text: 'the orders are not read yet', waitMs: READ_MS, skus: undefined }];
    }
    const unread = found.changed.filter(({ isUnread }) => isUnread);
    await queues.enqueue(unread.filter(order => order.tooEarlyMs === 0).map(order => orderJob(order, 'stock')));
    return unread.map(({ incrementId, tooEarlyMs, skus }) => {
      const waitMs = Math.max(READ_MS, tooEarlyMs);
      return { text: `order ${incrementId} changed and is not read yet`, waitMs, skus };
    });
  }

  return {
    unbooked: () => unbooked.all(),
    async enqueueOpen(event) {
      const open = (await ledger.latest(MOST_OPEN)).filter(isOpenOrder);
      await queues.enqueue(open.map(({ order: id, incrementId }) => orderJob({ id, incrementId }, event)));
      return open.length;
    },
    async reasonToWait(sku, units) {
      const reason = await looks.load(sku);
      if (reason) return new NotYetError(reason.text, reason.waitMs);
      const isSame = isDeepStrictEqual(await unbooked.of(sku), units);
      return isSame ? undefined : new NotYetError(`an order of '${sku}' was just read`, 0);
    },
  };
}

/** Why a write of stock waits, and how long. */
interface Reason {
  text: string;
  waitMs: number;
  /** The SKUs that wait; undefined for all. */
  skus: readonly string[] | undefined;
}

const SEARCH = { kind: 'find-orders', event: 'stock' } as const;

/** A time of Magento in milliseconds since 1970. It is UTC, without saying so. */
export function timeOf(time: string): number {
  return new Date(`${time.replace(' ', 'T')}Z`).getTime();
}

function earlier(time: string): string {
  return new Date(timeOf(time) - OVERLAP_MS).toISOString().slice(0, 19).replace('T', ' ');
}
