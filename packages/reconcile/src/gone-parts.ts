import type { KnownPart, KnownParts } from '@stock-sync/queue';

/** Notes which parts a walk came by: those that are remembered, and that it did not come by, are gone from InvenTree. */
export interface GoneParts {
  /** The walk came by these parts; what was remembered of them then. */
  cameBy(parts: readonly number[], known: readonly (KnownPart | undefined)[]): void;
  /** Whether the walk came by a part. */
  isThere(part: number): boolean;
  /** Parts that are remembered and seem to be gone, once the walk is over. One that was made meanwhile may be among them. */
  found(): Promise<number[]>;
}

/** For one walk. A deleted part without stock is told by no event at all, and by no page of a walk either. */
export function createGoneParts(knownParts: KnownParts): GoneParts {
  const there = new Set<number>();
  let remembered = 0;
  return {
    cameBy(parts, known) {
      for (const [index, part] of parts.entries()) {
        if (known[index] && !there.has(part)) remembered++;
        there.add(part);
      }
    },
    isThere: part => there.has(part),
    async found() {
      // The rule: none is gone, and nobody need go through hundreds of thousands.
      if ((await knownParts.count()) === remembered) return [];
      const gone = new Set<number>();
      for await (const ids of knownParts.ids()) for (const id of ids) if (!there.has(id)) gone.add(id);
      return [...gone];
    },
  };
}
