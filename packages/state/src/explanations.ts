import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import { openAnswer, type Answer } from './answers';
import type { RedisConnection } from './connection';
import type { JobQueues } from './job-queues';
import { OUTCOMES } from './parts';

const explanationSchema = z.object({
  part: z.number().int(),
  name: z.string(),
  /** Its SKUs; none where it is not sold online. */
  skus: z.array(z.string()),
  /** How its quantity is made up, or why it has none. */
  quantity: z.string(),
  /** What the store should show for it, by source; undefined where that is not known. */
  target: z.record(z.string(), z.string()).optional(),
  /** For each SKU what the store shows now, or why that is not known. */
  store: z.array(
    z.object({
      sku: z.string(),
      shows: z.string(),
      parts: z.array(z.number().int()),
      /** By source, what one of the two systems has shipped for orders and the other has not booked yet. */
      unbooked: z.record(z.string(), z.number()).optional(),
    }),
  ),
  /** How its last sync ended. */
  lastSync: z.object({ outcome: z.enum(OUTCOMES), at: z.number() }).optional(),
});

/** Why the store shows what it shows for a part. */
export type Explanation = z.infer<typeof explanationSchema>;

const answerSchema = z.union([
  z.object({ explanations: z.array(explanationSchema) }),
  /** Why there is none. */
  z.object({ failure: z.string() }),
]);
export type ExplainAnswer = z.infer<typeof answerSchema>;

/** Opens the answer of a worker to the request with this id. */
export function openExplanations(connection: RedisConnection, id: string): Answer<ExplainAnswer> {
  return openAnswer(connection, id, answerSchema);
}

/** How long a worker may take to answer, in milliseconds. */
const TIMEOUT_MS = 30_000;

/** Has a worker explain what the store shows for a SKU or a part; resolves with its answer, or why there is none. */
export async function requestExplanation(
  connection: RedisConnection,
  queues: Pick<JobQueues, 'enqueue'>,
  subject: string,
  timeoutMs = TIMEOUT_MS,
): Promise<ExplainAnswer> {
  const report = randomUUID();
  await queues.enqueue([{ kind: 'explain', subject, report, event: 'command' }]);
  const answer = await openExplanations(connection, report).receive(timeoutMs);
  const failure =
    `No worker answered within ${timeoutMs / 1000} s: ` +
    'check that one is running, with the same REDIS_URL and REDIS_PREFIX';
  return answer ?? { failure };
}
