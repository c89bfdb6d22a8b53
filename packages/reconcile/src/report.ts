import { KINDS, type Finding } from './findings';
import type { ReconcileReport } from './reconcile';

/** A report in a few lines, for people. */
export function reportInWords(report: ReconcileReport, mostZeroedPercent: number): string {
  const { counts, parts, enqueued, heldBack, showing, seconds } = report;
  const lines = [
    `${parts} parts compared in ${seconds.toFixed(1)} s:`,
    ...KINDS.map(kind => `  ${String(counts[kind]).padStart(7)} ${kind}`),
    `${enqueued} parts are looked at.`,
  ];
  if (heldBack > 0) lines.push(heldBackInWords(heldBack, `${showing} SKUs`, mostZeroedPercent));
  return lines.join('\n');
}

/** Both numbers of a SKU that drifted. */
export function driftInWords({ sku, shows, wanted, part }: Finding): string {
  return `SKU '${sku}' shows ${shows}, should show ${wanted} (part ${part})`;
}

/** Why the brake holds parts back (of "30 SKUs", say), and what to do about it. */
export function heldBackInWords(heldBack: number, ofWhat: string, mostZeroedPercent: number): string {
  return (
    `${heldBack} of ${ofWhat} that show stock would fall to zero at once, more than ` +
    `RECONCILE_MAX_ZEROED_PERCENT (${mostZeroedPercent}): none of them is looked at. If their shelves really are empty: ` +
    'npm run reconcile -- --force'
  );
}

const COLUMNS = ['finding', 'part', 'sku', 'store shows', 'should show'] as const;

/** The head of a CSV (RFC 4180). */
export const CSV_HEAD = `${COLUMNS.join(',')}\r\n`;

/** A finding as a line of a CSV. */
export function csvLine({ kind, part, sku, shows, wanted }: Finding): string {
  return `${[kind, part === null ? '' : String(part), sku, shows, wanted].map(csvField).join(',')}\r\n`;
}

/** A SKU that begins like a formula is kept from being one by a space: spreadsheets would run it. */
function csvField(text: string): string {
  const harmless = /^[=+\-@\t\r]/.test(text) && !/^-?\d+(\.\d+)?$/.test(text) ? ` ${text}` : text;
  return /[",\r\n]/.test(harmless) ? `"${harmless.replaceAll('"', '""')}"` : harmless;
}
