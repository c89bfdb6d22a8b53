import {
  headline,
  needsAttention,
  readStatus,
  type Activity,
  type ActivityBucket,
  type DeadLetters,
  type JobQueues,
  type Outcome,
  type OutcomeCounts,
  type RedisConnection,
  type SyncStatus,
} from '@stock-sync/state';

/** What the overview shows. */
export interface OverviewData {
  headline: string;
  needsAttention: boolean;
  status: SyncStatus;
  counts: ReadonlyMap<Outcome, number>;
  /** Dead letters of parts that share a SKU. */
  ambiguous: number;
  activity: ActivityBucket[];
}

/** The hours that the charts show. */
export const CHART_HOURS = 6;

export interface OverviewDeps {
  connection: RedisConnection;
  queues: JobQueues;
  deadLetters: DeadLetters;
  outcomeCounts: OutcomeCounts;
  activity: Activity;
}

/** Reads the overview. */
export async function readOverview(deps: OverviewDeps): Promise<OverviewData> {
  const [status, counts, dead, activity] = await Promise.all([
    readStatus(deps.connection, deps),
    deps.outcomeCounts.get(),
    deps.deadLetters.list(),
    deps.activity.last(CHART_HOURS),
  ]);
  return {
    headline: headline(status),
    needsAttention: needsAttention(status),
    status,
    counts,
    ambiguous: dead.filter(({ errorKind }) => errorKind === 'ambiguous-sku').length,
    activity,
  };
}
