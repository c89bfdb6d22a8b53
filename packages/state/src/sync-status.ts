import type { FindingKind } from '@stock-sync/domain';
import { openCircuitBreakers, type BreakerName, type OpenBreaker } from './circuit-breakers';
import type { RedisConnection } from './connection';
import type { DeadLetters } from './dead-letters';
import type { JobQueues } from './job-queues';
import { openLastReconcile, openLastSweep } from './last-runs';
import { openPluginHeartbeat, type LastHeartbeat } from './plugin-heartbeat';
import { openReconcileProgress, type Progress } from './reconcile-progress';
import { openStartProblems } from './start-problems';

/** What is known without asking InvenTree or Magento. Times are milliseconds since 1970 by the clock of Redis. */
export interface SyncStatus {
  now: number;
  /** The systems that work waits for. */
  waitsFor: Pick<OpenBreaker, 'name' | 'reason' | 'since' | 'probeAt'>[];
  /** Parts that are being synced, or wait for it. */
  parts: number;
  deadLetters: number;
  /** What the start-up check of the last worker found. */
  problems: string[];
  /** The reconcile that runs now. */
  reconcile: Progress | undefined;
  /** Parts that would fall to zero, held back by the mass-zero guard. */
  heldBack: number;
  lastReconcile: { at: number; counts: Partial<Record<FindingKind, number>> } | undefined;
  lastHeartbeat: LastHeartbeat | undefined;
}

/** The plugin sends a heartbeat each minute; if three are missing, it counts as silent. */
export const PLUGIN_SILENT_MS = 3 * 60_000 + 15_000;

/** Reads it from Redis. */
export async function readStatus(
  connection: RedisConnection,
  { queues, deadLetters }: { queues: Pick<JobQueues, 'counts'>; deadLetters: Pick<DeadLetters, 'count'> },
): Promise<SyncStatus> {
  const [breakers, counts, dead, reconcile, sweep, progress, heartbeat, start] = await Promise.all([
    openCircuitBreakers(connection).current(),
    queues.counts(),
    deadLetters.count(),
    openLastReconcile(connection).get(),
    openLastSweep(connection).get(),
    openReconcileProgress(connection).get(),
    openPluginHeartbeat(connection).last(),
    openStartProblems(connection).get(),
  ]);
  return {
    now: connection.now(),
    waitsFor: breakers.map(({ name, reason, since, probeAt }) => ({ name, reason, since, probeAt })),
    parts: counts.parts,
    deadLetters: dead,
    problems: start?.problems ?? [],
    reconcile: progress,
    heldBack: Math.max(reconcile?.heldBack ?? 0, sweep?.heldBack ?? 0),
    lastReconcile: reconcile && { at: reconcile.at, counts: reconcile.counts },
    lastHeartbeat: heartbeat,
  };
}

const SYSTEM_OF: Readonly<Record<BreakerName, string>> = {
  'inventree-read': 'InvenTree',
  'magento-read': 'Magento',
  'magento-write': 'Magento',
};

/** Whether somebody must act: nothing of this ends by itself, but for an outage, which somebody should know of. */
export function needsAttention({ waitsFor, deadLetters, problems, heldBack }: SyncStatus): boolean {
  return waitsFor.length + deadLetters + problems.length + heldBack > 0;
}

/** Is the store right now? One sentence. */
export function headline(status: SyncStatus): string {
  const [breaker] = status.waitsFor;
  const { lastReconcile, deadLetters, heldBack } = status;
  if (breaker)
    return `Waiting for ${SYSTEM_OF[breaker.name]} for ${age(status.now - breaker.since)}: ${breaker.reason}`;
  if (heldBack > 0) return `The mass-zero guard holds back ${counted(heldBack, 'part')}.`;
  if (deadLetters > 0) return `${counted(deadLetters, 'part')} cannot be synced.`;
  if (!lastReconcile) return 'No reconcile has ended yet. Is a worker running?';
  const { equal = 0, drifted = 0 } = lastReconcile.counts;
  if (status.parts > 0) return `${counted(status.parts, 'part')} on the way.`;
  const when = `${age(status.now - lastReconcile.at)} ago`;
  return drifted === 0
    ? `All ${equal.toLocaleString('en')} SKUs were in sync ${when}, and no part waits.`
    : `${drifted} of ${(equal + drifted).toLocaleString('en')} SKUs differed ${when} and were synced; no part waits.`;
}

/** "1 part", "3 parts" */
export function counted(count: number, what: string): string {
  return `${count.toLocaleString('en')} ${what}${count === 1 ? '' : 's'}`;
}

/** "12 s", "4 min", "3 h", "2 days" */
export function age(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000));
  if (seconds < 120) return `${seconds} s`;
  if (seconds < 2 * 3600) return `${Math.round(seconds / 60)} min`;
  if (seconds < 48 * 3600) return `${Math.round(seconds / 3600)} h`;
  return `${Math.round(seconds / (24 * 3600))} days`;
}
