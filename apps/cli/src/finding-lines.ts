import { FINDING_KINDS, formatStoreStock, formatTarget, type Finding } from '@stock-sync/domain';
import type { ReconcileReport } from '@stock-sync/state';

/** A report in a few lines. */
export function reportLines({ counts, parts, enqueued, heldBack, showing, startedAt, at }: ReconcileReport): string[] {
  const lines = [
    `${parts} parts compared in ${((at - startedAt) / 1000).toFixed(1)} s:`,
    ...FINDING_KINDS.map(kind => `  ${String(counts[kind]).padStart(7)} ${kind}`),
    `${enqueued} parts are queued for sync.`,
  ];
  if (heldBack > 0) {
    lines.push(
      `The mass-zero guard holds back ${heldBack} parts: too many of the ${showing} SKUs that show stock would ` +
        'fall to zero at once (RECONCILE_MAX_ZEROED_PERCENT). If the shelves really are empty: ' +
        'stock-sync reconcile --force',
    );
  }
  return lines;
}

const COLUMNS = ['finding', 'part', 'sku', 'store shows', 'should show'] as const;

/** The header of the CSV (RFC 4180). */
export const CSV_HEADER = `${COLUMNS.join(',')}\r\n`;

/** A finding as a line of the CSV. */
export function csvLine({ kind, part, sku, store, target }: Finding): string {
  const shows = store === undefined ? '' : formatStoreStock(store);
  const fields = [
    kind,
    part === null ? '' : String(part),
    sku,
    shows,
    target === undefined ? '' : formatTarget(target),
  ];
  return `${fields.map(csvField).join(',')}\r\n`;
}

/** A space before a SKU that starts like a formula, because spreadsheets would run it. */
function csvField(text: string): string {
  const harmless = /^[=+\-@\t\r]/.test(text) && !/^-?\d+(\.\d+)?$/.test(text) ? ` ${text}` : text;
  return /[",\r\n]/.test(harmless) ? `"${harmless.replaceAll('"', '""')}"` : harmless;
}
