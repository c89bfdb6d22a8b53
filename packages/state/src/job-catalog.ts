import type { Change } from '@stock-sync/domain';
import { z } from 'zod';

/**
 * The job catalog: every kind of job, and all that is to be known about it. The worker has one handler for each kind
 * (apps/worker/src/jobs/handlers.ts), which the type of this table demands.
 */

/** Parts need both systems. Lookups need only InvenTree, so they go on while Magento is unreachable. */
export const QUEUES = { parts: 'parts', lookups: 'lookups', deadLetters: 'dead-letters' } as const;
export type QueueName = typeof QUEUES.parts | typeof QUEUES.lookups;

const everyJob = {
  /** What asked for the job: the name of an event, or another short reason. */
  event: z.string(),
  /** When it was accepted, in milliseconds since 1970 by the clock of Redis. */
  acceptedAt: z.number(),
  /** The id of the webhook that brought the event, to follow it through all logs. */
  webhook: z.string().optional(),
};

const partSchema = z.object({
  kind: z.literal('part'),
  part: z.number().int(),
  /** Whether other parts were accepted at the same moment, whose jobs start at about the same time. */
  together: z.boolean().optional(),
  /** Whether it makes its own calls, because it failed in calls that it may have shared. */
  alone: z.boolean().optional(),
  ...everyJob,
});
const partsSchema = z.object({
  kind: z.literal('parts'),
  parts: z.array(z.object({ part: z.number().int(), event: everyJob.event, webhook: everyJob.webhook })),
  ...everyJob,
});
const stockItemSchema = z.object({
  kind: z.literal('stock-item'),
  stockItem: z.number().int(),
  change: z.enum(['created', 'updated', 'deleted']) satisfies z.ZodType<Change>,
  ...everyJob,
});
const resyncSchema = z.object({
  kind: z.literal('resync'),
  part: z.number().int(),
  afterMs: z.number().int(),
  ...everyJob,
});
const sweepSchema = z.object({
  kind: z.literal('sweep'),
  /** Whether any part may have changed, locations included, so that the sweep must not be left out. */
  everything: z.boolean().optional(),
  ...everyJob,
});
const reconcileSchema = z.object({
  kind: z.literal('reconcile'),
  /** Whether parts that were given up are tried once more, because the settings changed. */
  retriesFailed: z.boolean().optional(),
  ...everyJob,
});
const reconcileCommandSchema = z.object({
  kind: z.literal('reconcile-command'),
  /** Under this id the worker reports its findings (reconcile-reports.ts). */
  report: z.string(),
  /** Whether differences are only reported. */
  dryRun: z.boolean(),
  /** Whether the mass-zero guard is off. */
  force: z.boolean(),
  ...everyJob,
});
const explainSchema = z.object({
  kind: z.literal('explain'),
  /** A SKU, or the id of a part. */
  subject: z.string(),
  /** Under this id the worker answers (explanations.ts). */
  report: z.string(),
  ...everyJob,
});
const testNotificationSchema = z.object({
  kind: z.literal('test-notification'),
  /** Under this id the worker answers (notifications.ts). */
  report: z.string(),
  ...everyJob,
});
const findOrdersSchema = z.object({ kind: z.literal('find-orders'), ...everyJob });
const orderSchema = z.object({
  kind: z.literal('order'),
  /** The order's id in the store. */
  order: z.number().int(),
  /** The number that customers see. */
  incrementId: z.string(),
  ...everyJob,
});

export const jobSchema = z.discriminatedUnion('kind', [
  partSchema,
  partsSchema,
  stockItemSchema,
  resyncSchema,
  sweepSchema,
  reconcileSchema,
  reconcileCommandSchema,
  explainSchema,
  testNotificationSchema,
  findOrdersSchema,
  orderSchema,
]);

/** What a worker is to do. A job names a part and never a quantity. */
export type SyncJob = z.infer<typeof jobSchema>;
/** A job before it is accepted. */
export type NewJob = { [Kind in JobKind]: Omit<JobOf<Kind>, 'acceptedAt'> }[JobKind];
export type JobKind = SyncJob['kind'];
export type JobOf<Kind extends JobKind> = Extract<SyncJob, { kind: Kind }>;

interface CatalogEntry<Job> {
  queue: QueueName;
  /** Its name in logs and on the dashboard. */
  title: (job: Job) => string;
  /** Two jobs with the same id are one. */
  deduplicationId: (job: Job) => string;
  /** Attempts until it becomes a dead letter; undefined: as many as MAX_ATTEMPTS. */
  attempts: number | undefined;
  /** How long it waits before it starts, in milliseconds. */
  delayMs: (job: Job, delays: { eventDelayMs: number }) => number;
  /** Its time limit, as a multiple of the limit of a job about one part. */
  timeLimitFactor: number;
}

/** What is true of most kinds. */
const usual = { attempts: undefined, delayMs: () => 0, timeLimitFactor: 1 };
/** Reading all parts may take this many times as long as reading one. */
const ALL_PARTS = 20;

const JOB_CATALOG: { [Kind in JobKind]: CatalogEntry<Omit<JobOf<Kind>, 'acceptedAt'>> } = {
  /** Make the store equal to the stock of one part. */
  part: {
    ...usual,
    queue: QUEUES.parts,
    title: ({ part }) => `part ${part}`,
    deduplicationId: ({ part }) => `part:${part}`,
    // So that the events of one user action become one job; counted from the first of them.
    delayMs: (_job, { eventDelayMs }) => eventDelayMs,
  },
  /** The same for several parts that changed together. */
  parts: {
    ...usual,
    queue: QUEUES.parts,
    title: ({ parts }) => `${parts.length} parts`,
    deduplicationId: ({ parts }) => `parts:${parts.map(({ part }) => part).join()}`,
    delayMs: (_job, { eventDelayMs }) => eventDelayMs,
  },
  /** Find the part of a stock item, and enqueue it. */
  'stock-item': {
    ...usual,
    queue: QUEUES.lookups,
    title: ({ stockItem }) => `stock item ${stockItem}`,
    deduplicationId: ({ stockItem }) => `stock-item:${stockItem}`,
  },
  /** Enqueue a part once more, some time after a write without an answer. */
  resync: {
    ...usual,
    queue: QUEUES.lookups,
    title: ({ part }) => `resync of part ${part}`,
    deduplicationId: ({ part, afterMs }) => `resync:${part}:${afterMs}`,
    delayMs: ({ afterMs }) => afterMs,
  },
  /** Enqueue the parts whose stock changed without an event. */
  sweep: {
    ...usual,
    queue: QUEUES.lookups,
    title: () => 'sweep',
    // One that may be left out is not the same as one that may not.
    deduplicationId: ({ everything }) => (everything ? 'sweep-everything' : 'sweep'),
    timeLimitFactor: ALL_PARTS,
  },
  /** Compare both systems, and enqueue the parts that differ. */
  reconcile: {
    ...usual,
    queue: QUEUES.lookups,
    title: () => 'reconcile',
    // One that retries more is not the same as one that does not.
    deduplicationId: ({ retriesFailed }) => (retriesFailed ? 'reconcile-retries-failed' : 'reconcile'),
    timeLimitFactor: ALL_PARTS,
  },
  /** The same for an operator, who gets a report. */
  'reconcile-command': {
    ...usual,
    queue: QUEUES.lookups,
    title: () => 'reconcile by command',
    deduplicationId: ({ report }) => `reconcile-command:${report}`,
    // The operator is watching, and decides.
    attempts: 1,
    timeLimitFactor: ALL_PARTS,
  },
  /** Say how the quantity of a SKU is made up, for an operator who waits. */
  explain: {
    ...usual,
    queue: QUEUES.lookups,
    title: ({ subject }) => `explain ${subject}`,
    deduplicationId: ({ report }) => `explain:${report}`,
    attempts: 1,
  },
  /** Send a test through every channel of the notifications, for an operator who waits. */
  'test-notification': {
    ...usual,
    queue: QUEUES.lookups,
    title: () => 'test of the notifications',
    deduplicationId: ({ report }) => `test-notification:${report}`,
    attempts: 1,
  },
  /** Enqueue the orders of the store that changed. */
  'find-orders': {
    ...usual,
    queue: QUEUES.lookups,
    title: () => 'search for orders',
    deduplicationId: () => 'find-orders',
  },
  /** Make the sales order in InvenTree follow one order of the store. */
  order: {
    ...usual,
    queue: QUEUES.lookups,
    title: ({ incrementId }) => `order ${incrementId}`,
    deduplicationId: ({ order }) => `order:${order}`,
  },
};

/** The catalog's entry of a job. */
export function catalogEntry(job: NewJob): CatalogEntry<NewJob> {
  // Each entry takes jobs of its own kind, which TypeScript cannot see through the index.
  return JOB_CATALOG[job.kind] as CatalogEntry<NewJob>;
}

/** The data of a job in Redis; throws a ZodError where it is not one of ours. */
export function parseJob(data: unknown): SyncJob {
  return jobSchema.parse(data);
}

/** What two jobs have in common exactly if one of them is enough. */
export function deduplicationId(job: NewJob): string {
  return catalogEntry(job).deduplicationId(job);
}

/** The name of a job for people: "part 45". */
export function jobTitle(job: NewJob): string {
  return catalogEntry(job).title(job);
}

/** The job that reads an order of the store, and has its sales order follow it. */
export function orderJob({ id, incrementId }: { id: number; incrementId: string }, event: string) {
  return { kind: 'order', order: id, incrementId, event } as const;
}
