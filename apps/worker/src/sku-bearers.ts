import { askedTogether, WrongItemError } from '@stock-sync/http-client';
import type { InvenTreeClient } from '@stock-sync/inventree-client';
import type { KnownParts } from '@stock-sync/queue';
import { skuKey, skuOf, type SkuField } from '@stock-sync/sync-core';
import { createBatchLoader, type BatchLoader } from './batch-loader';

/** SKUs in one question. */
const MOST_SKUS = 500;

/**
 * Finds the parts that bear a SKU. What is remembered is enough while it says "only this one"; before it is believed
 * that there are two, InvenTree is asked, since one of them may have been renamed without an event.
 */
export function createSkuBearers(given: {
  inventree: InvenTreeClient;
  knownParts: KnownParts;
  skuField: SkuField;
}): BatchLoader<{ sku: string; part: number }, number[]> {
  const { inventree, knownParts, skuField } = given;

  /** Asks, and remembers; those SKUs that alone could not be asked for are told with their error. */
  async function askInvenTree(skus: readonly string[]): Promise<Map<string, WrongItemError>> {
    const failed = new Map<string, WrongItemError>();
    if (skus.length === 0) return failed;
    const answers = await askedTogether(skus, async some => {
      const parts = new Map<string, number[]>(some.map(sku => [skuKey(sku), []]));
      for (const { part, sku } of await identitiesOf(some)) parts.get(skuKey(sku))?.push(part);
      return some.map(sku => parts.get(skuKey(sku)) ?? []);
    });
    const told: { sku: string; parts: readonly number[] }[] = [];
    for (const [index, sku] of skus.entries()) {
      const parts = answers[index];
      if (parts instanceof WrongItemError) failed.set(skuKey(sku), parts);
      else if (parts) told.push({ sku, parts });
    }
    await knownParts.rememberBearers(told);
    return failed;
  }

  async function identitiesOf(skus: readonly string[]): Promise<{ part: number; sku: string }[]> {
    if (skuField.kind === 'parameter') {
      const values = await inventree.parameterValues(skuField.template);
      return [...values].map(([part, value]) => ({ part, sku: value.trim() }));
    }
    const parts = await inventree.partsNamed(skuField.kind, skus);
    return parts.map(part => ({ part: part.pk, sku: skuOf({ ...part, parameter: null }, skuField) ?? '' }));
  }

  return createBatchLoader<{ sku: string; part: number }, number[]>({
    most: MOST_SKUS,
    run: async keys => {
      const skus = [...new Map(keys.map(({ sku }) => [skuKey(sku), sku])).values()];
      const wereAsked = await knownParts.wereBearersAsked(skus);
      const unasked = skus.filter((_, index) => !wereAsked[index]);
      const failed = await askInvenTree(unasked);
      const askedJustNow = new Set(unasked.map(skuKey));

      const bearers = await bearersByKey(skus);
      const others = ({ sku, part }: { sku: string; part: number }) =>
        (bearers.get(skuKey(sku)) ?? []).some(bearer => bearer !== part);
      const doubtful = keys.filter(key => others(key) && !askedJustNow.has(skuKey(key.sku)));
      if (doubtful.length > 0) {
        const stillDoubtful = await askInvenTree([...new Set(doubtful.map(({ sku }) => sku))]);
        for (const [key, error] of stillDoubtful) failed.set(key, error);
        for (const [key, parts] of await bearersByKey(skus)) bearers.set(key, parts);
      }
      return keys.map(
        ({ sku, part }) =>
          failed.get(skuKey(sku)) ?? [...new Set([...(bearers.get(skuKey(sku)) ?? []), part])].sort((a, b) => a - b),
      );
    },
  });

  async function bearersByKey(skus: readonly string[]): Promise<Map<string, number[]>> {
    const lists = await knownParts.bearersOf(skus);
    return new Map(skus.map((sku, index) => [skuKey(sku), lists[index] ?? []]));
  }
}
