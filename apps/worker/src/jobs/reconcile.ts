import { driftLine, FINDING_KINDS, type Finding } from '@stock-sync/domain';
import { CallError } from '@stock-sync/http-client';
import { errorMessage, type Log } from '@stock-sync/service';
import {
  openReconcileReport,
  type JobOf,
  type LastReconcile,
  type LocationsVersion,
  type ReconcileProgress,
  type RedisConnection,
  type ReconcileReport,
  type ReportMessage,
  type RulesInForce,
  type Semaphore,
} from '@stock-sync/state';
import { setFlagsFromString } from 'node:v8';
import type { WorkerMetrics } from '../metrics';
import type { OrderStock } from './order-changes';
import { compareSystems, type CompareOptions, type CompareSystemsDeps } from './compare-systems';
import { NotYetError, WaitError } from './job-errors';
import { massZeroMessage } from './mass-zero';
import { createRuleChanges } from './rule-changes';
import { requireRest } from './rest';

/** How soon a job tries again while another reconcile is running, in milliseconds. */
const RETRY_MS = 1_000;
/** Drifted SKUs that are named in the log; the command names all of them. */
const LOGGED_FINDINGS = 20;
/** Findings in one message to the command. */
const FINDINGS_PER_MESSAGE = 500;

/** How often a long reconcile says how far it is, in milliseconds. */
const PROGRESS_MS = 10_000;

/** How often the progress bar moves, in milliseconds. */
const BAR_MS = 500;

/** Calls `report` with the latest number, no more often than that. */
function everyInterval(report: (parts: number) => void, intervalMs = PROGRESS_MS): (parts: number) => void {
  let next = Date.now() + intervalMs;
  return parts => {
    if (Date.now() < next) return;
    next = Date.now() + intervalMs;
    report(parts);
  };
}

/**
 * How far the heap grows before its garbage is collected: V8 would let it reach four times what a reconcile of 200,000
 * parts uses, which took 240 MiB instead of less than 150. Jobs would be slower for it, so it is set only meanwhile.
 */
const HEAP_GROWTH = { meanwhile: '--heap-growing-percent=30', otherwise: '--heap-growing-percent=0' };

export interface ReconcileDeps extends CompareSystemsDeps {
  /** Undefined where orders are off. */
  orders: OrderStock | undefined;
  connection: RedisConnection;
  /** One reconcile at a time. */
  lease: Semaphore;
  lastReconcile: LastReconcile;
  progress: ReconcileProgress;
  locationsVersion: LocationsVersion;
  rulesInForce: RulesInForce;
  metrics: WorkerMetrics;
  log: Log;
}

/** Two reconciles that nobody requested are at least this far apart, in milliseconds. */
const AUTOMATIC_APART_MS = 30_000;
const isAutomatic = (event: string) => event === 'reconcile' || event === 'start-up';

/**
 * The handlers of `reconcile` and `reconcile-command`: compare both systems, one reconcile at a time over all workers.
 */
export function createReconcile(deps: ReconcileDeps) {
  const { lastReconcile, metrics, log } = deps;

  return {
    async run({ event, retriesFailed = false }: JobOf<'reconcile'>): Promise<ReconcileReport> {
      return withLease(async () => {
        const last = await lastReconcile.get();
        if (last && !retriesFailed && isAutomatic(event) && isAutomatic(last.event)) {
          // Where workers start, each requests a reconcile, and so does the new schedule.
          if (deps.now() - last.startedAt < AUTOMATIC_APART_MS) return last;
        }
        const lastRun = last && { at: last.at, tookMs: last.at - last.startedAt };
        requireRest(lastRun, deps.now(), 'both systems were compared just now');
        const drifted: Finding[] = [];
        const report = await compare({
          event,
          dryRun: false,
          force: false,
          retriesFailed,
          onProgress: everyInterval(parts => log.info(`Reconcile: ${parts} parts compared so far`, { parts })),
          onFinding: finding => {
            if (finding.kind === 'drifted' && drifted.length < LOGGED_FINDINGS) drifted.push(finding);
          },
        });
        logReport(report, drifted);
        if (report.left > 0) await deps.queues.enqueue([{ kind: 'reconcile', event: 'the rest', retriesFailed }]);
        return report;
      });
    },

    /** Sends its findings to the command, and also why it has to wait: the operator is watching. */
    async runCommand({
      event,
      dryRun,
      force,
      report: id,
    }: JobOf<'reconcile-command'>): Promise<ReconcileReport | undefined> {
      const messages = openReconcileReport(deps.connection, id);
      let findings: ReportMessage[] = [];
      let sending = Promise.resolve();
      const send = () => {
        const some = findings;
        findings = [];
        sending = sending.then(() => messages.send(some));
      };
      try {
        return await withLease(async () => {
          await messages.send([{ type: 'started' }]);
          const report = await compare({
            event,
            dryRun,
            force,
            retriesFailed: force,
            onProgress: () => undefined,
            onFinding: finding => {
              // As plain data, which a finding is.
              findings.push({ type: 'finding', finding: { ...finding, store: finding.store && [...finding.store] } });
              if (findings.length >= FINDINGS_PER_MESSAGE) send();
            },
          });
          send();
          await sending;
          await messages.send([{ type: 'done', report }]);
          logReport(report, []);
          return report;
        });
      } catch (error) {
        if (error instanceof NotYetError) {
          await messages.send([{ type: 'waiting', reason: error.message }]);
          throw error;
        }
        await messages.send([{ type: 'failed', reason: errorMessage(error) }]);
        // Not repeated: the operator decides.
        if (error instanceof WaitError || error instanceof CallError) return undefined;
        throw error;
      }
    },
  };

  async function withLease<T>(work: () => Promise<T>): Promise<T> {
    const release = await deps.lease.tryAcquire();
    if (!release) throw new NotYetError('another reconcile is running', RETRY_MS);
    setFlagsFromString(HEAP_GROWTH.meanwhile);
    try {
      return await work();
    } finally {
      setFlagsFromString(HEAP_GROWTH.otherwise);
      await release();
    }
  }

  async function compare(options: CompareOptions): Promise<ReconcileReport> {
    // A location that was moved or deleted requests a reconcile, too: no part may be synced by the old tree.
    await deps.locationsVersion.increase();
    if (!options.dryRun && (await deps.rulesInForce.areOthers())) await announceRules();
    const showProgress = await progressBar(options.event);
    try {
      const onProgress = (parts: number) => {
        options.onProgress(parts);
        showProgress(parts);
      };
      const report = await compareSystems(deps, { ...options, onProgress });
      if (!options.dryRun) await deps.orders?.enqueueOpen(options.event);
      await lastReconcile.set(report);
      return report;
    } finally {
      await deps.progress.delete();
    }
  }

  /** What the dashboard and the command show of a reconcile while it runs. */
  async function progressBar(event: string): Promise<(parts: number) => void> {
    const common = { event, startedAt: deps.now(), about: await deps.parts.count() };
    await deps.progress.set({ ...common, parts: 0 });
    return everyInterval(parts => void deps.progress.set({ ...common, parts }).catch(() => undefined), BAR_MS);
  }

  /** Says what other rules change, before they change anything. */
  async function announceRules(): Promise<void> {
    log.warn('The rules of this shop were changed: both systems are compared before anything is written by them');
    const changes = createRuleChanges();
    const report = await compareSystems(deps, {
      event: 'other rules',
      dryRun: true,
      force: false,
      retriesFailed: false,
      onProgress: everyInterval(parts => log.info(`Comparing by the new rules: ${parts} parts so far`, { parts })),
      onFinding: changes.add,
    });
    for (const line of changes.lines(report)) log.warn(line);
    await deps.rulesInForce.set();
  }

  function logReport(report: ReconcileReport, drifted: readonly Finding[]): void {
    const { counts, parts, heldBack, showing, enqueued, left, event } = report;
    const seconds = (report.at - report.startedAt) / 1000;
    metrics.reconcileSeconds.set(seconds);
    for (const kind of FINDING_KINDS) metrics.reconciledSkus.set({ result: kind }, counts[kind]);
    for (const finding of drifted) {
      const { sku, part, store, target } = finding;
      log.info(`Reconcile: ${driftLine(finding)}`, { sku, part, store, target });
    }
    const found = FINDING_KINDS.filter(kind => counts[kind] > 0).map(kind => `${counts[kind]} ${kind}`);
    log.info(
      `Reconcile (${event}): ${parts} parts in ${seconds.toFixed(1)} s: ${found.join(', ') || 'no SKU'}; ` +
        `${enqueued} queued for sync${left > 0 ? `, the other ${left} by the next reconcile` : ''}`,
      { parts, enqueued, ...counts },
    );
    if (heldBack > 0) {
      log.error(`Reconcile: ${massZeroMessage(heldBack, showing, deps.maxZeroedPercent)}`, { heldBack, showing });
    }
  }
}
