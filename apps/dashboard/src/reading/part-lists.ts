import { formatTarget } from '@stock-sync/domain';
import { jobTitle, outcomesIn, parseJob, type Outcome, type Parts, type PartState } from '@stock-sync/state';
import type { Queue } from 'bullmq';

/** The lists of parts by how they stand. */
export const PART_LISTS = {
  'in-sync': { title: 'In sync', outcomes: ['updated', 'unchanged'] },
  'not-sold-online': { title: 'Not sold online', outcomes: ['skipped'] },
  left: { title: 'Left as they are', outcomes: ['left'] },
  'dry-run': { title: 'Would be updated', outcomes: ['dry run'] },
  failed: { title: 'Failed', outcomes: ['failed'] },
} as const satisfies Record<string, { title: string; outcomes: readonly Outcome[] }>;
export type PartListName = keyof typeof PART_LISTS;

/** A SKU in a list. */
export interface ListedSku {
  sku: string;
  part: number;
  outcome: Outcome;
  /** What it should show, for people. */
  target: string | undefined;
  /** When it was last synced, in milliseconds since 1970. */
  at: number;
}

/** A part that waits for its sync, or is being synced. */
export interface WaitingPart {
  part: number;
  event: string;
  acceptedAt: number;
  attempts: number;
}

/** How all parts stand, from what is remembered of their last sync. */
export interface PartLists {
  /** Up to this many SKUs in a list, or all whose SKU contains a text. */
  list(name: PartListName | undefined, search: string, limit: number): Promise<ListedSku[]>;
  /** Up to this many parts that wait, the longest first. */
  waiting(limit: number): Promise<WaitingPart[]>;
}

/** Opens the lists. */
export function openPartLists(parts: Parts, partQueue: Queue): PartLists {
  return {
    async list(name, search, limit) {
      const outcomes: readonly Outcome[] | undefined = name && PART_LISTS[name].outcomes;
      const wanted = search.trim().toLowerCase();
      const found = new Map<string, ListedSku>();
      for await (const some of parts.all()) {
        for (const one of some.flatMap(skusOf)) {
          if (outcomes && !outcomes.includes(one.outcome)) continue;
          if (wanted !== '' && !one.sku.toLowerCase().includes(wanted)) continue;
          found.set(`${one.part} ${one.sku}`, one);
        }
        if (found.size >= limit) break;
      }
      return [...found.values()].slice(0, limit).sort((a, b) => a.sku.localeCompare(b.sku));
    },

    async waiting(limit) {
      const jobs = await partQueue.getJobs(['active', 'waiting', 'prioritized', 'delayed'], 0, limit - 1, true);
      const found = jobs.flatMap(({ data, attemptsMade }): WaitingPart[] => {
        const job = parseJob(data);
        const parts = job.kind === 'parts' ? job.parts : job.kind === 'part' ? [job] : [];
        return parts.map(({ part, event }) => ({ part, event, acceptedAt: job.acceptedAt, attempts: attemptsMade }));
      });
      return found.sort((a, b) => a.acceptedAt - b.acceptedAt).slice(0, limit);
    },
  };
}

function skusOf({ part, state }: { part: number; state: PartState }): ListedSku[] {
  const target = state.target && formatTarget(state.target);
  return outcomesIn(state).map(({ sku, outcome }) => ({ sku, part, outcome, target, at: state.at }));
}

/** The name of a job on the board: "WIDGET-123 (part 45) stock changed". */
export function jobName(data: unknown, skuOf: (part: number) => string | undefined): string {
  try {
    const job = parseJob(data);
    if (job.kind === 'parts') return `${jobTitle(job)} ${eventTitle(job.event)}`;
    if (job.kind !== 'part') return jobTitle(job);
    const sku = skuOf(job.part);
    const subject = sku === undefined ? `part ${job.part}` : `${sku} (part ${job.part})`;
    return `${subject} ${eventTitle(job.event)}`;
  } catch {
    return 'unreadable job';
  }
}

/** An event in words. */
export function eventTitle(event: string): string {
  if (/^(stock|purchaseorder|buildoutput)\w*\./.test(event)) return 'stock changed';
  if (event.startsWith('part_part.')) return 'part changed';
  if (event.startsWith('build')) return 'build changed';
  if (/^(order_salesorder|salesorder)/.test(event)) return 'sales order changed';
  if (event === 'stock_sync.parts_changed') return 'parts changed';
  return event;
}
