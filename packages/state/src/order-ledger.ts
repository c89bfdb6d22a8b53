import { z } from 'zod';
import type { RedisConnection } from './connection';
import { parseStored } from './stored-value';

const recordSchema = z.object({
  /** The order's id in the store, and the number that customers see. */
  order: z.number().int(),
  incrementId: z.string(),
  /** The reference under which the sales order is created: recorded before the call, so that a repeat uses it again. */
  reference: z.string(),
  /** The sales order's id in InvenTree, once it is known. */
  salesOrder: z.number().int().optional(),
  /** By the id of the row in the store: InvenTree does not list extra lines, so each is recorded before it is sent. */
  extraLines: z.record(z.string(), z.enum(['sent', 'refused', 'added'])),
  /** The state and the last change of the order that the sales order follows; undefined until it does. */
  followed: z
    .object({
      state: z.string(),
      updatedAt: z.string(),
    })
    .optional(),
  /** What both systems have shipped, as of this change of the order; undefined until it was read. */
  booked: z
    .object({
      updatedAt: z.string(),
      /** When this change was first read, in milliseconds since 1970. */
      at: z.number(),
      /** Whether it was read once more later: Magento counts in seconds, and an order may change twice in one. */
      twice: z.boolean(),
      /** The SKUs of its rows. */
      skus: z.array(z.string()),
      /** By SKU and source, what one system has shipped and the other has not booked yet; none where they agree. */
      units: z.record(z.string(), z.record(z.string(), z.number())),
      /** InvenTree's shipments that are in it. */
      shipments: z.array(z.number().int()),
    })
    .optional(),
  /** InvenTree's shipments that are passed on to the store, by id: when that was begun, and whether it is done. */
  passedOn: z.record(z.string(), z.object({ at: z.number(), isDone: z.boolean() })).optional(),
  /** By SKU, what InvenTree has too little of to allocate it, in units of the part. */
  missing: z.record(z.string(), z.number()).optional(),
  /** The source of the stock items that were allocated to it, by id. */
  pickedFrom: z.record(z.string(), z.string()).optional(),
  /** Since when an allocation of stock to its lines has no answer, in milliseconds since 1970. */
  allocatingSince: z.number().optional(),
  /** When stock was allocated to InvenTree's shipment of one of the store's, by the id of that one. */
  allocatedAt: z.record(z.string(), z.number()).optional(),
  /** Since when a shipment waits for the store to have enough, in milliseconds since 1970. */
  waitsSince: z.number().optional(),
  /** Whether it is left alone, because it was placed before ORDERS_SINCE or in another store. */
  isLeft: z.boolean().optional(),
  /** What somebody has to do. */
  problem: z.string().optional(),
  /** In milliseconds since 1970, by the clock of Redis. */
  at: z.number(),
});

/** What was done about an order of the store. */
export type OrderRecord = z.infer<typeof recordSchema>;

/** What was done about each order. Where it is lost, InvenTree's customer references say which order has which. */
export interface OrderLedger {
  get(order: number): Promise<OrderRecord | undefined>;
  set(record: OrderRecord): Promise<void>;
  /** Those of these orders that are there, by id. */
  getAll(orders: readonly number[]): Promise<Map<number, OrderRecord>>;
  /** The records of these sales orders of InvenTree, those that are there. */
  ofSalesOrders(salesOrders: readonly number[]): Promise<OrderRecord[]>;
  /** The latest, newest first. */
  latest(count: number): Promise<OrderRecord[]>;
  /** Those with this number, which customers see, among the latest 10,000. */
  withNumber(incrementId: string): Promise<OrderRecord[]>;
}

/** How long an order is remembered after the last thing that was done about it. */
const KEPT_DAYS = 180;
const DAY_S = 24 * 60 * 60;
/** Orders that are searched for a number. */
const MOST_SEARCHED = 10_000;

/** Opens the ledger that all workers share. */
export function openOrderLedger({ redis, keys }: RedisConnection): OrderLedger {
  async function getAll(orders: readonly number[]): Promise<Map<number, OrderRecord>> {
    if (orders.length === 0) return new Map();
    const texts = await redis.mget(orders.map(keys.order));
    const records = texts.flatMap(text => parseStored(recordSchema, text) ?? []);
    return new Map(records.map(record => [record.order, record]));
  }

  async function latest(count: number): Promise<OrderRecord[]> {
    const ids = (await redis.zrevrange(keys.orders, 0, count - 1)).map(Number);
    const records = await getAll(ids);
    return ids.flatMap(id => records.get(id) ?? []);
  }

  return {
    get: async order => (await getAll([order])).get(order),
    getAll,
    async ofSalesOrders(salesOrders) {
      if (salesOrders.length === 0) return [];
      const orders = await redis.mget(salesOrders.map(keys.salesOrder));
      return [...(await getAll(orders.flatMap(text => (text === null ? [] : Number(text))))).values()];
    },
    async set(record) {
      const transaction = redis.multi();
      if (record.salesOrder !== undefined) {
        transaction.set(keys.salesOrder(record.salesOrder), String(record.order), 'EX', KEPT_DAYS * DAY_S);
      }
      await transaction
        .set(keys.order(record.order), JSON.stringify(record), 'EX', KEPT_DAYS * DAY_S)
        .zadd(keys.orders, record.at, String(record.order))
        .zremrangebyscore(keys.orders, '-inf', record.at - KEPT_DAYS * DAY_S * 1000)
        .exec();
    },
    latest,
    async withNumber(incrementId) {
      return (await latest(MOST_SEARCHED)).filter(record => record.incrementId === incrementId);
    },
  };
}
