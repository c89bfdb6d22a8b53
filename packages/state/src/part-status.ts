import { formatTarget } from '@stock-sync/domain';
import { deadLetterId, type DeadLetters } from './dead-letters';
import type { HistoryEntry, HistoryReader } from './history';
import type { JobQueues } from './job-queues';
import { skusIn, type Parts } from './parts';

/** How a part stands, in words, for somebody who looks at it in InvenTree. */
export interface PartStatus {
  part: number;
  skus: string[];
  /** "Magento shows 50", "Not sold online: ..." */
  sentence: string;
  /** Whether the store shows what it should, or need not show it. */
  isRight: boolean;
  /** Since when, in milliseconds since 1970; null where it was never synced. */
  since: number | null;
  /** The last change of what the store shows; null where none is in the history. */
  lastChange: Pick<HistoryEntry, 'at' | 'from' | 'to' | 'cause'> | null;
}

export interface PartStatusDeps {
  parts: Pick<Parts, 'get'>;
  history: HistoryReader;
  deadLetters: Pick<DeadLetters, 'get'>;
  queues: Pick<JobQueues, 'jobOfPart'>;
}

/** Entries that are looked through for the last change. */
const LOOKED_THROUGH = 20;

/** Reads it, from Redis alone. */
export async function readPartStatus(
  { parts, history, deadLetters, queues }: PartStatusDeps,
  part: number,
): Promise<PartStatus> {
  const [state] = await parts.get([part]);
  const skus = skusIn(state);
  const [sku] = skus;
  const [deadLetter, job, page] = await Promise.all([
    deadLetters.get(deadLetterId({ kind: 'part', part, event: '' })),
    queues.jobOfPart(part),
    history.page(sku === undefined ? { part } : { sku }, LOOKED_THROUGH),
  ]);
  const change = page.entries.find(({ outcome, from, to }) => outcome === 'updated' && from !== to);
  const lastChange = change ? { at: change.at, from: change.from, to: change.to, cause: change.cause } : null;
  const common = { part, skus, since: state?.at ?? null, lastChange };
  const shows = state?.target ? formatTarget(state.target) : 'something';
  const reason = page.entries.find(({ note }) => note !== null)?.note ?? '';

  if (deadLetter) return { ...common, isRight: false, sentence: `Cannot be synced: ${deadLetter.reason}` };
  if (job !== undefined) return { ...common, isRight: false, sentence: 'A sync is on the way' };
  switch (state?.outcome) {
    case undefined:
      return { ...common, isRight: true, sentence: reason === '' ? 'Never synced' : `Not sold online: ${reason}` };
    case 'updated':
    case 'unchanged':
      return { ...common, isRight: true, sentence: `Magento shows ${shows}` };
    case 'skipped':
      return { ...common, isRight: true, sentence: `Not sold online: ${reason || 'the store does not sell it'}` };
    case 'dry run':
      return { ...common, isRight: false, sentence: `Magento would be set to ${shows}, but writing is switched off` };
    case 'left':
      return { ...common, isRight: false, sentence: `Magento is left as it is: ${reason}` };
    case 'failed':
      return { ...common, isRight: false, sentence: `The last sync failed: ${reason}` };
  }
}
