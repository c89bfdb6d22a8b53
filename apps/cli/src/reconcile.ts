import { closeSync, openSync, writeSync } from 'node:fs';
import { CallError } from '@stock-sync/http-client';
import {
  openGoodSkus,
  openKnownParts,
  openLastReconcile,
  openReconcileTurn,
  openSyncQueue,
  type connectToRedis,
} from '@stock-sync/queue';
import { csvLine, CSV_HEAD, driftInWords, reconcile, reportInWords, type Finding } from '@stock-sync/reconcile';
import { createLog } from '@stock-sync/service';
import { connectToSystems, createReadsWork, type SystemsConfiguration } from '@stock-sync/systems';
import { CommandError } from './with-redis';

export interface ReconcileCommandOptions {
  dryRun?: boolean;
  force?: boolean;
  /** A file for all that is not equal. */
  csv?: string;
}

/** Drifted SKUs that are printed; the CSV has all. */
const PRINTED = 50;

/**
 * Compares both sides now, prints what it found, and has the workers look at what differs. Throws a CommandError with a
 * sentence where it can't.
 */
export async function reconcileCommand(
  redis: ReturnType<typeof connectToRedis>,
  configuration: SystemsConfiguration,
  { dryRun = false, force = false, csv }: ReconcileCommandOptions,
): Promise<{ text: string; heldBack: number }> {
  const log = createLog({ service: 'reconcile', level: 'warn', format: configuration.LOG_FORMAT });
  const systems = connectToSystems(configuration, redis, log);
  const knownParts = openKnownParts(redis);
  const queue = openSyncQueue(redis, {
    delayMs: configuration.SYNC_DELAY_MS,
    attempts: configuration.MAX_ATTEMPTS,
    failFast: false,
  });
  const mostZeroedPercent = configuration.RECONCILE_MAX_ZEROED_PERCENT;
  const file = csv === undefined ? undefined : opened(csv);
  if (file !== undefined) writeSync(file, CSV_HEAD);
  const drifted: Finding[] = [];
  const onFinding = (finding: Finding) => {
    if (file !== undefined) writeSync(file, csvLine(finding));
    if (finding.kind === 'drifted' && drifted.length < PRINTED) drifted.push(finding);
  };
  try {
    // One that a worker is at just now ends first.
    const report = await openReconcileTurn(redis).within(() =>
      reconcile(
        {
          ...systems,
          readsWork: createReadsWork({ access: systems.access, goodSkus: openGoodSkus(redis, knownParts) }),
          knownParts,
          queue,
          lastReconcile: openLastReconcile(redis),
          skuField: configuration.SKU_FIELD,
          writes: configuration.ENABLE_SYNC && !configuration.DRY_RUN,
          mostZeroedPercent,
        },
        { event: 'by command', dryRun, force, onFinding },
      ),
    );
    const lines = drifted.map(driftInWords);
    const more = report.counts.drifted - drifted.length;
    if (more > 0) lines.push(`... and ${more} more${csv === undefined ? ': --csv <file> has all' : ''}`);
    return { text: [...lines, reportInWords(report, mostZeroedPercent)].join('\n'), heldBack: report.heldBack };
  } catch (error) {
    if (error instanceof CallError) throw new CommandError(`${error.message}. Nothing more was compared.`);
    throw error;
  } finally {
    if (file !== undefined) closeSync(file);
    systems.close();
    await queue.close();
  }
}

function opened(csv: string): number {
  try {
    return openSync(csv, 'w');
  } catch (error) {
    throw new CommandError(`--csv: expected a file that can be written: ${(error as Error).message}`);
  }
}
