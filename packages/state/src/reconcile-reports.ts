import { FINDING_KINDS } from '@stock-sync/domain';
import { z } from 'zod';
import type { RedisConnection } from './connection';
import { reconcileReportSchema } from './last-runs';
import { parseStored } from './stored-value';

const storeStockSchema = z.object({ sourceCode: z.string(), quantity: z.number(), inStock: z.boolean() });
const findingSchema = z.object({
  kind: z.enum(FINDING_KINDS).exclude(['equal']),
  part: z.number().int().nullable(),
  sku: z.string(),
  store: z.array(storeStockSchema).optional(),
  target: z.record(z.string(), z.string()).optional(),
});
const messageSchema = z.discriminatedUnion('type', [
  z.object({ type: z.literal('finding'), finding: findingSchema }),
  z.object({ type: z.literal('started') }),
  /** The worker has to wait, for this reason. */
  z.object({ type: z.literal('waiting'), reason: z.string() }),
  z.object({ type: z.literal('failed'), reason: z.string() }),
  z.object({ type: z.literal('done'), report: reconcileReportSchema }),
]);

/** What a worker reports about a reconcile that was started by command. */
export type ReportMessage = z.infer<typeof messageSchema>;

/** The messages of one reconcile, from the worker to the command. */
export interface ReconcileReportMessages {
  send(messages: readonly ReportMessage[]): Promise<void>;
  /** The next messages, which are removed. */
  receive(): Promise<ReportMessage[]>;
  delete(): Promise<void>;
}

/** How long messages without a receiver are kept. */
const KEPT_SECONDS = 10 * 60;
/** More messages than this are not kept: the command is gone. */
const MAX_MESSAGES = 1_000_000;
const RECEIVED_AT_ONCE = 1_000;

/** Opens the messages of the reconcile with this id. */
export function openReconcileReport({ redis, keys }: RedisConnection, id: string): ReconcileReportMessages {
  const key = keys.report(id);
  return {
    async send(messages) {
      if (messages.length === 0 || (await redis.llen(key)) > MAX_MESSAGES) return;
      await redis.rpush(key, ...messages.map(message => JSON.stringify(message)));
      await redis.expire(key, KEPT_SECONDS);
    },
    async receive() {
      const texts = (await redis.lpop(key, RECEIVED_AT_ONCE)) ?? [];
      return texts.flatMap(text => parseStored(messageSchema, text) ?? []);
    },
    async delete() {
      await redis.del(key);
    },
  };
}
