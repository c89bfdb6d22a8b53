import type { KnownPart } from '@stock-sync/queue';

/** How soon after a write the next event is taken for a storm's, in milliseconds: no user is that quick. */
const RIGHT_BEHIND_MS = 20;
/** The first beat and the longest one, in milliseconds. */
const FIRST_MS = 1_000;
const LONGEST_MS = 4_000;
/** How long after the stroke of the clock the parts of a storm gather, in milliseconds: they all wake at it, but BullMQ
 * hands them out one by one. */
const GATHERING_MS = 100;

/** What a run of a part has to do with a storm. */
export interface Storm {
  /** The run is to come back then, in milliseconds since 1970; undefined: it may go on. */
  waitUntil: number | undefined;
  /** Until when a run that may go on is to let the others of the storm catch up, in milliseconds since 1970. */
  gatherUntil: number;
  /** Runs in a row that had to wait, this one included. */
  runs: number;
}

const CALM: Storm = { waitUntil: undefined, gatherUntil: 0, runs: 0 };

/**
 * Whether a part is in a storm: its event came while it was last written, or right behind. Then a run waits at least one
 * beat, until the clock strikes the next; and beats grow while the storm lasts. So a thousand events in a second cost two
 * writes, not one each quarter of it, and all parts of a storm come in one batch, whoever works on them. A single change
 * is never delayed by this, and the last one of a storm is seen two beats later at the latest.
 */
export function stormOf(acceptedAt: number, known: KnownPart | undefined, now: number): Storm {
  if (known?.outcome !== 'updated' || acceptedAt > known.at + RIGHT_BEHIND_MS) return CALM;
  const beat = Math.min(LONGEST_MS, FIRST_MS * 2 ** Math.min(known.stormRuns, 10));
  const next = Math.ceil((known.at + beat) / beat) * beat;
  return { waitUntil: now < next ? next : undefined, gatherUntil: next + GATHERING_MS, runs: known.stormRuns + 1 };
}
