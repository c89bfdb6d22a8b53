import type { CallPlaces, LastReconcile, LocationsVersion, SyncJob } from '@stock-sync/queue';
import {
  driftInWords,
  heldBackInWords,
  KINDS,
  reconcile,
  type Finding,
  type Reconcile,
  type ReconcileReport,
} from '@stock-sync/reconcile';
import type { Log } from '@stock-sync/service';
import type { WorkerMetrics } from './metrics';
import { NotYetError } from './sync-errors';

export type ReconcileJob = Extract<SyncJob, { kind: 'reconcile' }>;

/** After a reconcile it rests for so many times as long as it took, up to the longest. */
const RESTS = 4;
const LONGEST_REST_MS = 60_000;
/** How soon to ask again where another is at it, in milliseconds. */
const ASK_AGAIN_MS = 1_000;
/** Drifted SKUs that are named in the log; the command tells of all. */
const NAMED = 20;

/**
 * Compares both sides, one at a time however many workers. Fifty customers deleted one by one ask for it fifty times: what is
 * asked for while one is under way, or soon after, waits, and becomes one. Rejects with a NotYetError then.
 */
export function createReconcileJob(
  given: Reconcile & {
    turn: CallPlaces;
    lastReconcile: LastReconcile;
    locationsVersion: LocationsVersion;
    metrics: WorkerMetrics;
    log: Log;
  },
): (job: ReconcileJob) => Promise<ReconcileReport> {
  const { turn, lastReconcile, metrics, log } = given;

  return async ({ event }) => {
    const leave = await turn.tryEnter();
    if (!leave) throw new NotYetError('another reconcile is under way', Date.now() + ASK_AGAIN_MS);
    try {
      const last = await lastReconcile.get();
      const rested = last ? last.at + Math.min(LONGEST_REST_MS, RESTS * (last.at - last.startedAt)) : 0;
      if (rested > Date.now()) throw new NotYetError('both sides were compared just now', rested);
      // A location that was moved or deleted asks for it, too. Before any part is looked at by an old tree.
      await given.locationsVersion.mayHaveChanged();
      const drifted: Finding[] = [];
      const report = await reconcile(given, {
        event,
        dryRun: false,
        force: false,
        onFinding: finding => {
          if (finding.kind === 'drifted' && drifted.length < NAMED) drifted.push(finding);
        },
      });
      tellOf(report, drifted, event);
      return report;
    } finally {
      await leave();
    }
  };

  function tellOf(report: ReconcileReport, drifted: readonly Finding[], event: string): void {
    const { counts, parts, heldBack, showing, enqueued, seconds } = report;
    metrics.reconcileSeconds.set(seconds);
    for (const kind of KINDS) metrics.reconciledSkus.set({ result: kind }, counts[kind]);
    for (const finding of drifted) {
      const { sku, part, shows, wanted } = finding;
      log.info(`reconcile: ${driftInWords(finding)}`, { sku, part, shows, wanted });
    }
    const told = KINDS.filter(kind => counts[kind] > 0).map(kind => `${counts[kind]} ${kind}`);
    log.info(
      `reconcile (${event}): ${parts} parts in ${seconds.toFixed(1)} s: ${told.join(', ') || 'no SKU'}; ${enqueued} looked at`,
      { parts, enqueued, ...counts },
    );
    if (heldBack > 0) {
      log.error(`reconcile: ${heldBackInWords(heldBack, `${showing} SKUs`, given.mostZeroedPercent)}`, {
        heldBack,
        showing,
      });
    }
  }
}
