/** A way to break the code on purpose. */
export interface Mutant {
  /** What it breaks, in words. */
  name: string;
  edits: readonly {
    file: string;
    /** Text that stands in the file exactly once ... */
    find: string;
    /** ... and what it becomes. */
    replace: string;
  }[];
}

/** Each breaks one promise; the chaos suite has to catch them all. */
export const MUTANTS: readonly Mutant[] = [
  {
    name: 'an event that comes while its part is written is swallowed',
    edits: [
      {
        file: 'packages/queue/src/jobs.ts',
        find: 'keepLastIfActive: true',
        replace: 'keepLastIfActive: false',
      },
    ],
  },
  {
    name: 'an outage counts as a failure',
    edits: [
      {
        file: 'apps/worker/src/process-job.ts',
        find: 'if (cause instanceof TryLaterError || cause instanceof CredentialsError) {',
        replace: 'if ((cause instanceof TryLaterError && cause.status === 0) || cause instanceof CredentialsError) {',
      },
    ],
  },
  {
    name: 'an outage ends the job as if it were done',
    edits: [
      {
        file: 'apps/worker/src/process-job.ts',
        find: `await job.moveToDelayed(next, token);
          throw new DelayedError();`,
        replace: 'return undefined;',
      },
    ],
  },
  {
    name: 'what was read before an event answers it',
    edits: [
      {
        file: 'apps/worker/src/part-reads.ts',
        find: 'const parts = await inventree.readParts(ids, parameter);',
        replace: `type Lately = Map<string, { at: number; parts: Awaited<ReturnType<typeof inventree.readParts>> }>;
      const lately = ((globalThis as { lately?: Lately }).lately ??= new Map());
      const old = lately.get(ids.join());
      const parts = old && Date.now() < old.at + 1_500 ? old.parts : await inventree.readParts(ids, parameter);
      if (parts !== old?.parts) lately.set(ids.join(), { at: Date.now(), parts });`,
      },
    ],
  },
  {
    name: 'ingest says that it has what Redis does not have',
    edits: [
      {
        file: 'apps/ingest/src/handlers/receive-webhook.ts',
        find: 'response.status(503).json(',
        replace: 'response.status(202).json(',
      },
    ],
  },
  {
    name: 'what Redis remembers of the store is believed',
    edits: [
      {
        file: 'apps/worker/src/sync-part.ts',
        find: 'const changes = stockChanges(wanted, shown);',
        replace: `const changes = known?.confirmed === result.wanted ? [] : stockChanges(wanted, shown);`,
      },
    ],
  },
  {
    name: 'a write without an answer is not looked at again',
    edits: [
      {
        file: 'apps/worker/src/look-again.ts',
        find: 'const LOOKS_AFTER_MS = [15_000, 60_000, 300_000];',
        replace: 'const LOOKS_AFTER_MS: number[] = [];',
      },
    ],
  },
  {
    name: 'nobody takes over what a killed worker had in hand',
    edits: [
      {
        file: 'apps/worker/src/main.ts',
        find: 'stalledInterval: STALLED_LOOK_MS,',
        replace: 'stalledInterval: STALLED_LOOK_MS,\n    skipStalledCheck: true,',
      },
    ],
  },
  {
    name: 'a part that could not be read counts as gone',
    edits: [
      {
        file: 'apps/worker/src/part-reads.ts',
        find: 'const parts = await inventree.readParts(ids, parameter);',
        replace: `const parts = await inventree.readParts(ids, parameter).catch(() => new Map<number, PartStock>());`,
      },
    ],
  },
  {
    name: 'an item that is sold out or deleted is not heard of',
    edits: [
      {
        file: 'packages/sync-core/src/events.ts',
        find: "'stock_stockitem.deleted': { change: 'deleted', stockItems: ['id'] },\n",
        replace: '',
      },
    ],
  },
  {
    name: 'several write one SKU at once, whatever they read',
    edits: [
      {
        file: 'packages/queue/src/write-guard.ts',
        find: `  if redis.call('HGET', KEYS[1], part) ~= ticket then answers[i - 1] = 'overtaken'
  elseif redis.call('SET', KEYS[i], ARGV[1], 'NX', 'PX', ARGV[2]) then answers[i - 1] = 'free'
  else answers[i - 1] = 'busy' end`,
        replace: `  answers[i - 1] = 'free'`,
      },
      {
        file: 'packages/queue/src/jobs.ts',
        find: 'deduplication: { id: deduplicationId(job), keepLastIfActive: true },',
        replace: 'deduplication: { id: `${deduplicationId(job)}:${Math.random()}`, keepLastIfActive: true },',
      },
    ],
  },
  {
    name: 'the second half of a refused batch is forgotten',
    edits: [
      {
        file: 'packages/magento-client/src/stock-access.ts',
        find: 'return [...first, ...(await write(skus.slice(middle)))];',
        replace: 'return [...first, ...skus.slice(middle).map(() => undefined)];',
      },
    ],
  },
];
