import { outcomesIn, type Outcome, type Parts } from './parts';

/** How the last syncs of all SKUs ended. */
export interface OutcomeCounts {
  /** SKUs by outcome, as of some seconds ago. */
  get(): Promise<ReadonlyMap<Outcome, number>>;
}

/** Counting reads whatever is remembered: 0.4 s for 200,000 parts. */
const COUNTED_MS = 10_000;

/** Opens the counts; they are counted when somebody asks, and then not again for a while. */
export function openOutcomeCounts(parts: Parts): OutcomeCounts {
  let last: { at: number; counts: Promise<ReadonlyMap<Outcome, number>> } | undefined;

  async function count(): Promise<ReadonlyMap<Outcome, number>> {
    const counts = new Map<Outcome, number>();
    for await (const some of parts.all()) {
      for (const { state } of some) {
        for (const { outcome } of outcomesIn(state)) counts.set(outcome, (counts.get(outcome) ?? 0) + 1);
      }
    }
    return counts;
  }

  return {
    get() {
      if (!last || Date.now() - last.at > COUNTED_MS) {
        const counting = { at: Date.now(), counts: count() };
        last = counting;
        // A failure is not kept.
        counting.counts.catch(() => {
          if (last === counting) last = undefined;
        });
      }
      return last.counts;
    },
  };
}
