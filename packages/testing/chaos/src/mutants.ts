/** A deliberate fault in the code. */
export interface Mutant {
  /** The promise that it breaks. */
  name: string;
  edits: readonly {
    file: string;
    /** A text that the file contains exactly once ... */
    find: string;
    /** ... and its replacement. */
    replace: string;
  }[];
}

const JOB_QUEUES = 'packages/state/src/job-queues.ts';
const RUN_JOB = 'apps/worker/src/jobs/run-job.ts';
const PART_READS = 'apps/worker/src/calls/part-reads.ts';
const VERDICTS = 'apps/worker/src/breaker/verdicts.ts';
const BREAKERS = 'packages/state/src/circuit-breakers.ts';
const READ_PARTS = 'const parts = await connections.inventree.readParts(ids, connections.offerRules.wanted);';

/** The chaos suite must catch each of them. */
export const MUTANTS: readonly Mutant[] = [
  {
    name: 'an event during the write of its part is lost',
    edits: [{ file: JOB_QUEUES, find: 'keepLastIfActive: true', replace: 'keepLastIfActive: false' }],
  },
  {
    name: 'an outage counts as a failed attempt',
    edits: [
      {
        file: RUN_JOB,
        find: 'if (!mustWait) return undefined;',
        replace: 'if (mustWait || !mustWait) return undefined;',
      },
    ],
  },
  {
    name: 'an outage ends the job as if it were done',
    edits: [
      {
        file: RUN_JOB,
        find: `await job.moveToDelayed(Date.now() + waitMs, token);
      throw new DelayedError();`,
        replace: `if (Math.random() < 2) return undefined;
      await job.moveToDelayed(Date.now() + waitMs, token);
      throw new DelayedError();`,
      },
    ],
  },
  {
    name: 'a read from before an event answers it',
    edits: [
      {
        file: PART_READS,
        find: READ_PARTS,
        replace: `type Parts = Awaited<ReturnType<typeof connections.inventree.readParts>>;
    type Cache = Map<string, { at: number; parts: Parts }>;
    const cache = ((globalThis as { cache?: Cache }).cache ??= new Map());
    const old = cache.get(ids.join());
    const isFresh = old && Date.now() < old.at + 1_500;
    const parts = isFresh ? old.parts : await connections.inventree.readParts(ids, connections.offerRules.wanted);
    if (!isFresh) cache.set(ids.join(), { at: Date.now(), parts });`,
      },
    ],
  },
  {
    name: 'ingest accepts what Redis does not have',
    edits: [
      {
        file: 'apps/ingest/src/handlers/receive-webhook.ts',
        find: 'response.status(503).json(',
        replace: 'response.status(202).json(',
      },
    ],
  },
  {
    name: 'what Redis remembers of the store is trusted',
    edits: [
      {
        file: 'apps/worker/src/jobs/sync-sku.ts',
        find: 'let changes = stockChanges(target, store);',
        replace: `const isKnown = known && ['updated', 'unchanged'].includes(known.outcome);
      const remembered = isKnown ? before?.target : undefined;
      const isTrusted = remembered && JSON.stringify(remembered) === JSON.stringify(quantities);
      let changes = isTrusted ? [] : stockChanges(target, store);`,
      },
    ],
  },
  {
    name: 'a part is not synced again after a write without an answer',
    edits: [
      {
        file: 'apps/worker/src/jobs/resync.ts',
        find: 'const RESYNC_AFTER_MS = [15_000, 60_000, 300_000];',
        replace: 'const RESYNC_AFTER_MS: number[] = [];',
      },
    ],
  },
  {
    name: 'the jobs of a killed worker are never taken over',
    edits: [
      {
        file: 'apps/worker/src/job-workers.ts',
        find: 'stalledInterval: STALLED_CHECK_MS,',
        replace: 'stalledInterval: STALLED_CHECK_MS,\n    skipStalledCheck: true,',
      },
    ],
  },
  {
    name: 'a part that could not be read counts as gone',
    edits: [
      {
        file: PART_READS,
        find: READ_PARTS,
        replace: READ_PARTS.replace(';', '.catch(() => new Map<number, PartStock>());'),
      },
      {
        file: PART_READS,
        find: 'if (!(await connections.inventree.hasPart(id))) return;',
        replace: 'if (!(await connections.inventree.hasPart(id).catch(() => false))) return;',
      },
    ],
  },
  {
    name: 'sell-outs and deletions are ignored',
    edits: [
      {
        file: 'packages/domain/src/events.ts',
        find: "'stock_stockitem.deleted': { change: 'deleted', stockItems: ['id'] },\n",
        replace: '',
      },
    ],
  },
  {
    name: 'several workers write one SKU at once, whatever they read',
    edits: [
      {
        file: 'packages/state/src/fencing.ts',
        find: `  if redis.call('GET', KEYS[2 * i - 1]) ~= ARGV[i + 2] then answers[i] = 'overtaken'
  elseif redis.call('GET', KEYS[2 * i]) == ARGV[1] then
    redis.call('PEXPIRE', KEYS[2 * i], ARGV[2])
    answers[i] = 'granted'
  elseif redis.call('SET', KEYS[2 * i], ARGV[1], 'NX', 'PX', ARGV[2]) then answers[i] = 'granted'
  else answers[i] = 'locked' end`,
        replace: `  answers[i] = 'granted'`,
      },
      {
        file: JOB_QUEUES,
        find: 'deduplication: { id: deduplicationId(job), keepLastIfActive: true },',
        replace: 'deduplication: { id: `${deduplicationId(job)}:${Math.random()}`, keepLastIfActive: true },',
      },
    ],
  },
  {
    name: 'the second half of a split batch is forgotten',
    edits: [
      {
        file: 'packages/http-client/src/split-batch.ts',
        find: 'return [...first, ...(await splitBatch(items.slice(middle), call, isItemsFault))];',
        replace: 'return [...first, ...first, ...first].slice(0, items.length);',
      },
    ],
  },
  {
    name: 'an empty list is the truth',
    edits: [
      {
        file: 'packages/inventree-client/src/plain-reads.ts',
        find: 'if (items.length > 0 || total === 0) {',
        replace: 'if (items.length >= 0 || total === 0) {',
      },
    ],
  },
  {
    name: 'a part that one answer leaves out is gone',
    edits: [
      {
        file: PART_READS,
        find: 'if (!part) await requireGone(id);',
        replace: 'if (!part && Date.now() < 0) await requireGone(id);',
      },
    ],
  },
  {
    name: 'a null list is a broken answer',
    edits: [
      {
        file: 'packages/magento-client/src/magento-client.ts',
        find: `    .nullable()
    .transform(items => items ?? []);`,
        replace: '    .transform(items => items);',
      },
    ],
  },
  {
    name: 'a refusal of one SKU is a refusal of all',
    edits: [
      {
        file: VERDICTS,
        find: "credentials: { probePasses: 'item', probeFails: 'wait' },",
        replace: "credentials: { probePasses: 'wait', probeFails: 'wait' },",
      },
    ],
  },
  {
    name: 'the breaker: a failed probe counts against the item',
    edits: [
      {
        file: VERDICTS,
        find: "refused: { probePasses: 'item', probeFails: 'wait' },",
        replace: "refused: { probePasses: 'item', probeFails: 'item' },",
      },
    ],
  },
  {
    name: 'the breaker: a refused item opens it',
    edits: [
      {
        file: VERDICTS,
        find: "refused: { probePasses: 'item', probeFails: 'wait' },",
        replace: "refused: { probePasses: 'wait', probeFails: 'wait' },",
      },
    ],
  },
  {
    name: 'the breaker: a call without an answer opens it, whatever the probe says',
    edits: [
      {
        file: VERDICTS,
        find: "'no-answer': { probePasses: 'item', probeFails: 'wait' },",
        replace: "'no-answer': { probePasses: 'wait', probeFails: 'wait' },",
      },
    ],
  },
  {
    name: 'the breaker: it stays open after a passed probe',
    edits: [{ file: BREAKERS, find: "redis.call('DEL', KEYS[1])\nreturn now - since", replace: 'return now - since' }],
  },
  {
    name: 'the breaker: the lease of a worker that died while it probed never expires',
    edits: [
      {
        file: BREAKERS,
        find: "redis.call('HSET', KEYS[1], 'owner', ARGV[1], 'leaseUntil', now + ARGV[2])\nreturn 1",
        replace: "redis.call('HSET', KEYS[1], 'owner', ARGV[1], 'leaseUntil', now + 1000 * ARGV[2])\nreturn 1",
      },
    ],
  },
];
