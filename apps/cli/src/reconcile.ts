import { randomUUID } from 'node:crypto';
import { closeSync, openSync, writeSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { driftLine, type Finding } from '@stock-sync/domain';
import {
  openCircuitBreakers,
  openJobQueues,
  openReconcileProgress,
  openReconcileReport,
  type RedisConnection,
  type ReconcileReport,
  type ReconcileReportMessages,
} from '@stock-sync/state';
import { CommandError, EXIT, UsageError } from './command';
import { csvLine, CSV_HEADER, reportLines } from './finding-lines';
import { createProgressBar } from './progress-bar';

export interface ReconcileCommandOptions {
  dryRun?: boolean;
  force?: boolean;
  /** A file for everything that is not equal. */
  csv?: string;
  json?: boolean;
}

/** Drifted SKUs that are printed; the CSV has all of them. */
const PRINTED = 50;
const POLL_MS = 100;
/** How long a worker may take to start, in milliseconds, before the command gives up. */
const START_TIMEOUT_MS = 20_000;

/**
 * Has a worker compare both systems, and prints what it reports. Throws a CommandError where no worker does, or where
 * it cannot. Exit code 1 where the mass-zero guard held something back.
 */
export async function reconcileCommand(
  connection: RedisConnection,
  { dryRun = false, force = false, csv, json = false }: ReconcileCommandOptions,
): Promise<string> {
  const file = csv === undefined ? undefined : openCsv(csv);
  const id = randomUUID();
  const messages = openReconcileReport(connection, id);
  const queues = openJobQueues(connection);
  const drifted: Finding[] = [];
  const onFinding = (finding: Finding) => {
    if (file !== undefined) writeSync(file, csvLine(finding));
    if (finding.kind === 'drifted' && drifted.length < PRINTED) drifted.push(finding);
  };
  try {
    if (file !== undefined) writeSync(file, CSV_HEADER);
    const job = {
      kind: 'reconcile-command',
      report: id,
      dryRun,
      force,
      event: 'command',
    } as const;
    await queues.enqueue([job]);
    const report = await receiveReport(connection, messages, onFinding);
    if (report.heldBack > 0) process.exitCode = EXIT.failed;
    if (json) return JSON.stringify({ ...report, drifted }, undefined, 2);
    const lines = drifted.map(driftLine);
    const more = report.counts.drifted - drifted.length;
    if (more > 0) lines.push(`... and ${more} more${csv === undefined ? ': --csv <file> lists all of them' : ''}`);
    return [...lines, ...reportLines(report)].join('\n');
  } finally {
    if (file !== undefined) closeSync(file);
    await messages.delete();
    await queues.close();
  }
}

async function receiveReport(
  connection: RedisConnection,
  messages: ReconcileReportMessages,
  onFinding: (finding: Finding) => void,
): Promise<ReconcileReport> {
  const breakers = openCircuitBreakers(connection);
  const startsBy = Date.now() + START_TIMEOUT_MS;
  let isStarted = false;
  let shownReason: string | undefined;
  const bar = createProgressBar(openReconcileProgress(connection));
  try {
    for (;;) {
      for (const message of await messages.receive()) {
        isStarted = true;
        if (message.type === 'done') return message.report;
        if (message.type === 'failed') throw new CommandError(`${message.reason}. Nothing more was compared.`);
        if (message.type === 'finding') onFinding({ store: undefined, target: undefined, ...message.finding });
        if (message.type === 'waiting' && message.reason !== shownReason)
          console.error(`Waiting: ${(shownReason = message.reason)}`);
      }
      if (!isStarted && Date.now() > startsBy) {
        const [open] = await breakers.current();
        throw new CommandError(
          open
            ? `${open.reason}. Nothing was compared.`
            : 'No worker started the reconcile within 20 s. Is one running, with the same REDIS_URL and REDIS_PREFIX?',
        );
      }
      if (isStarted) await bar.update();
      await sleep(POLL_MS);
    }
  } finally {
    bar.stop();
  }
}

function openCsv(path: string): number {
  try {
    return openSync(path, 'w');
  } catch (error) {
    throw new UsageError(`--csv: expected a file that can be written: ${(error as Error).message}`);
  }
}
