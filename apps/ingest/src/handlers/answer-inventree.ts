import { errorMessage, type Log } from '@stock-sync/service';
import {
  headline,
  needsAttention,
  readPartStatus,
  readStatus,
  type DeadLetters,
  type JobQueues,
  type Outcome,
  type OutcomeCounts,
  type PartStatusDeps,
  type RedisConnection,
} from '@stock-sync/state';
import type { RequestHandler, Response } from 'express';
import { z, type ZodType } from 'zod';
import { signedRequest } from '../signed-request';

export interface AnswerInvenTreeDeps extends PartStatusDeps {
  connection: RedisConnection;
  secrets: readonly Buffer[];
  queues: JobQueues;
  deadLetters: DeadLetters;
  outcomeCounts: OutcomeCounts;
  /** DASHBOARD_URL. */
  dashboardUrl: string | undefined;
  log: Log;
  /** Logs a refused request. */
  logRefusal: (line: string) => void;
}

const partSchema = z.object({ part: z.number().int().positive() });
const syncSchema = partSchema.extend({ user: z.string().min(1).max(150) });

/** What the plugin asks, to show it in InvenTree; signed like a webhook. */
export function answerInvenTree(deps: AnswerInvenTreeDeps): Record<'part' | 'summary' | 'sync', RequestHandler> {
  const { queues, log } = deps;
  const link = (path: string) => deps.dashboardUrl && `${deps.dashboardUrl.replace(/\/+$/, '')}${path}`;

  return {
    /** POST /inventree/part {"part": 45}: how a part stands. */
    part: signed(partSchema, async ({ part }, response) => {
      const status = await readPartStatus(deps, part);
      const [sku] = status.skus;
      const page = sku === undefined ? `/part?id=${part}` : `/sku?sku=${encodeURIComponent(sku)}`;
      response.json({ ...status, link: link(page) ?? null });
    }),

    /** POST /inventree/summary {}: how the shop stands. */
    summary: signed(z.object({}), async (_body, response) => {
      const [status, counts] = await Promise.all([readStatus(deps.connection, deps), deps.outcomeCounts.get()]);
      const sum = (...outcomes: Outcome[]) => outcomes.reduce((total, one) => total + (counts.get(one) ?? 0), 0);
      response.json({
        sentence: headline(status),
        isRight: !needsAttention(status),
        inSync: sum('updated', 'unchanged'),
        waiting: status.parts,
        failing: status.deadLetters,
        link: link('/') ?? null,
      });
    }),

    /** POST /inventree/sync {"part": 45, "user": "anna"}: sync a part now. */
    sync: signed(syncSchema, async ({ part, user }, response) => {
      await queues.enqueue([{ kind: 'part', part, event: `sync by ${user} in InvenTree` }]);
      log.info(`Audit: ${user} requested sync in InvenTree: part ${part}`, { user, action: 'sync', part });
      response.status(202).json({ accepted: 1 });
    }),
  };

  function signed<Body>(
    schema: ZodType<Body>,
    answer: (body: Body, response: Response) => Promise<void>,
  ): RequestHandler {
    return async (request, response) => {
      const checked = signedRequest(request, deps.secrets);
      if ('status' in checked) {
        const { status, field, expected } = checked;
        deps.logRefusal(`request of the plugin refused with ${status}: ${field}: expected ${expected}`);
        response.status(status).json({ error: `${field}: expected ${expected}` });
        return;
      }
      const body = schema.safeParse(parsedJson(checked.body));
      if (!body.success) {
        const [issue] = body.error.issues;
        response.status(400).json({ error: `${issue?.path.join('.') ?? 'body'}: ${issue?.message ?? 'is wrong'}` });
        return;
      }
      try {
        await answer(body.data, response);
      } catch (error) {
        log.warn(`Redis is unreachable, so a request of the plugin was answered 503: ${errorMessage(error)}`);
        response.status(503).set('Retry-After', '5').json({ error: 'Redis is unreachable' });
      }
    };
  }
}

function parsedJson(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString('utf8')) as unknown;
  } catch {
    return undefined;
  }
}
