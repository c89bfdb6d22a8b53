import type { FindingKind } from '@stock-sync/domain';
import {
  openCircuitBreakers,
  openDeadLetters,
  openJobQueues,
  openLastReconcile,
  openPluginHeartbeat,
  openStartProblems,
  type OpenBreaker,
  type RedisConnection,
} from '@stock-sync/state';

/** What is known without asking InvenTree or Magento. Times are milliseconds since 1970 by the clock of Redis. */
export interface SyncStatus {
  now: number;
  /** The systems that work waits for. */
  waitsFor: Pick<OpenBreaker, 'name' | 'reason' | 'since'>[];
  /** Parts that are being synced, or wait for it. */
  parts: number;
  deadLetters: number;
  /** What the start-up check of the last worker found. */
  problems: string[];
  lastReconcile: { at: number; counts: Partial<Record<FindingKind, number>>; heldBack: number } | undefined;
  lastHeartbeatAt: number | undefined;
}

/** Reads it from Redis. */
export async function readStatus(connection: RedisConnection): Promise<SyncStatus> {
  const queues = openJobQueues(connection);
  const deadLetters = openDeadLetters(connection);
  try {
    const [breakers, counts, dead, reconcile, heartbeat, start] = await Promise.all([
      openCircuitBreakers(connection).current(),
      queues.counts(),
      deadLetters.count(),
      openLastReconcile(connection).get(),
      openPluginHeartbeat(connection).last(),
      openStartProblems(connection).get(),
    ]);
    return {
      now: connection.now(),
      waitsFor: breakers.map(({ name, reason, since }) => ({ name, reason, since })),
      parts: counts.parts,
      deadLetters: dead,
      problems: start?.problems ?? [],
      lastReconcile: reconcile && { at: reconcile.at, counts: reconcile.counts, heldBack: reconcile.heldBack },
      lastHeartbeatAt: heartbeat?.at,
    };
  } finally {
    await Promise.all([queues.close(), deadLetters.close()]);
  }
}

/** `stock-sync status`: one sentence first, and then what it is made of. Exit code 1 where somebody must act. */
export async function statusCommand(
  connection: RedisConnection,
  { json = false }: { json?: boolean },
): Promise<string> {
  const status = await readStatus(connection);
  if (status.waitsFor.length + status.deadLetters + status.problems.length > 0 || isHeldBack(status)) {
    process.exitCode = 1;
  }
  return json ? JSON.stringify(status, undefined, 2) : [headline(status), '', ...details(status)].join('\n');
}

function isHeldBack({ lastReconcile }: SyncStatus): boolean {
  return (lastReconcile?.heldBack ?? 0) > 0;
}

/** Is the store right now? */
export function headline(status: SyncStatus): string {
  const [breaker] = status.waitsFor;
  const { lastReconcile, deadLetters } = status;
  if (breaker) {
    const what = { 'inventree-read': 'InvenTree', 'magento-read': 'Magento', 'magento-write': 'Magento' }[breaker.name];
    return `Waiting for ${what} for ${age(status.now - breaker.since)}: ${breaker.reason}`;
  }
  if (isHeldBack(status)) return `The mass-zero guard holds back ${lastReconcile?.heldBack ?? 0} parts.`;
  if (deadLetters > 0) return `${counted(deadLetters, 'part')} cannot be synced: npm run dead-letters -- list`;
  if (!lastReconcile) return 'No reconcile has ended yet. Is a worker running?';
  const { equal = 0, drifted = 0 } = lastReconcile.counts;
  if (status.parts > 0) return `${counted(status.parts, 'part')} on the way.`;
  const when = `${age(status.now - lastReconcile.at)} ago`;
  return drifted === 0
    ? `All ${equal.toLocaleString('en')} SKUs were in sync ${when}, and no part waits.`
    : `${drifted} of ${(equal + drifted).toLocaleString('en')} SKUs differed ${when} and were synced; no part waits.`;
}

function details({ now, parts, deadLetters, problems, lastReconcile, lastHeartbeatAt }: SyncStatus): string[] {
  const found = Object.entries(lastReconcile?.counts ?? {}).filter(([, count]) => count > 0);
  const reconcile = lastReconcile
    ? `${age(now - lastReconcile.at)} ago: ${found.map(([kind, count]) => `${count} ${kind}`).join(', ') || 'no SKU'}`
    : 'none yet';
  const heartbeat = lastHeartbeatAt === undefined ? 'no heartbeat yet' : `heartbeat ${age(now - lastHeartbeatAt)} ago`;
  return [
    `Parts to sync   ${parts}`,
    `Dead letters    ${deadLetters}`,
    `Last reconcile  ${reconcile}`,
    `Plugin          ${heartbeat}`,
    ...problems.map(problem => `Problem         ${problem}`),
  ];
}

function counted(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? '' : 's'}`;
}

/** "12 s", "4 min", "3 h", "2 days" */
function age(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000));
  if (seconds < 120) return `${seconds} s`;
  if (seconds < 2 * 3600) return `${Math.round(seconds / 60)} min`;
  if (seconds < 48 * 3600) return `${Math.round(seconds / 3600)} h`;
  return `${Math.round(seconds / (24 * 3600))} days`;
}
