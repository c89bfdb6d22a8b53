import type { Parts, PartState } from '@stock-sync/state';

/** Finds parts that are remembered and no longer in InvenTree: a part without stock is deleted without any event. */
export interface GoneParts {
  /** These parts are in InvenTree; `remembered` is what was remembered of each of them. */
  saw(parts: readonly number[], remembered: readonly (PartState | undefined)[]): void;
  isPresent(part: number): boolean;
  /** The remembered parts that were not seen, with their SKUs. One that was created meanwhile may be among them. */
  find(): Promise<{ part: number; sku: string }[]>;
}

/** For one walk over all parts. */
export function createGoneParts(parts: Parts): GoneParts {
  const seen = new Set<number>();
  let rememberedCount = 0;
  return {
    saw(ids, remembered) {
      for (const [index, part] of ids.entries()) {
        if (remembered[index] && !seen.has(part)) rememberedCount++;
        seen.add(part);
      }
    },
    isPresent: part => seen.has(part),
    async find() {
      // As a rule none is gone, and hundreds of thousands of parts need not be read.
      if ((await parts.count()) === rememberedCount) return [];
      const found: { part: number; sku: string }[] = [];
      for await (const some of parts.all()) {
        for (const { part, state } of some) if (!seen.has(part)) found.push({ part, sku: state.sku });
      }
      return found;
    },
  };
}
