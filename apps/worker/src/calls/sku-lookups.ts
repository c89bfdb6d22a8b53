import { skuKey, skusOf, type SkuFields } from '@stock-sync/domain';
import { CallError } from '@stock-sync/http-client';
import type { KnownParts, Parts } from '@stock-sync/state';
import type { Breaker } from '../breaker/breaker';
import type { Connections } from '../connections';
import { createBatchLoader, type BatchLoader } from './batch-loader';
import type { PartJobsUnderWay } from './part-jobs-under-way';

/** SKUs in one question to InvenTree. */
const SKUS_PER_QUESTION = 500;

/** A part, and the SKU that it has. */
export interface SkuOfPart {
  sku: string;
  part: number;
}

/** Finds all parts with a SKU. */
export interface SkuLookups extends BatchLoader<SkuOfPart, number[]> {
  /** Those that are known to have it; InvenTree is asked where none is. */
  find(sku: string): Promise<number[]>;
}

/**
 * Many SKUs in one call. What is remembered is good enough while it says "only this part"; before two parts are taken
 * to share a SKU, InvenTree is asked, because one of them may have been renamed without an event.
 */
export function createSkuLookups(deps: {
  connections: Connections;
  breaker: Breaker;
  jobs: PartJobsUnderWay;
  parts: Parts;
}): SkuLookups {
  const { connections, breaker, parts } = deps;
  const { rules, wanted } = connections.offerRules;

  const loader = createBatchLoader<SkuOfPart, number[]>({
    maxBatchSize: () => SKUS_PER_QUESTION,
    quietMs: deps.jobs.quietAfterCallMs,
    run: async keys => {
      const skus = [...new Map(keys.map(({ sku }) => [skuKey(sku), sku])).values()];
      let known = await knownParts(skus);
      const unchecked = skus.filter(sku => !known.get(skuKey(sku))?.areAll);
      const failed = await checkInInvenTree(unchecked);
      const checkedNow = new Set(unchecked.map(skuKey));
      if (unchecked.length > 0) known = await knownParts(skus);
      const partsOf = (sku: string) => known.get(skuKey(sku))?.parts ?? [];
      const isShared = ({ sku, part }: SkuOfPart) => partsOf(sku).some(other => other !== part);
      const doubtful = keys.filter(key => isShared(key) && !checkedNow.has(skuKey(key.sku)));
      if (doubtful.length > 0) {
        const alsoFailed = await checkInInvenTree([...new Set(doubtful.map(({ sku }) => sku))]);
        for (const [key, error] of alsoFailed) failed.set(key, error);
        known = await knownParts(skus);
      }
      return keys.map(({ sku, part }) => {
        const found = new Set([...partsOf(sku), part]);
        return failed.get(skuKey(sku)) ?? [...found].sort((a, b) => a - b);
      });
    },
  });

  return {
    ...loader,
    async find(sku) {
      const [withSku = []] = await parts.withSkus([sku]);
      return withSku.length > 0 ? withSku : ((await findParts([sku]))[0] ?? []);
    },
  };

  /** Asks InvenTree and remembers the answer; resolves with the SKUs whose question failed alone. */
  async function checkInInvenTree(skus: readonly string[]): Promise<Map<string, CallError>> {
    const failed = new Map<string, CallError>();
    if (skus.length === 0) return failed;
    const answers = await breaker.guard('inventree-read', skus, findParts);
    const found: { sku: string; parts: readonly number[] }[] = [];
    for (const [index, sku] of skus.entries()) {
      const answer = answers[index];
      if (answer instanceof CallError) failed.set(skuKey(sku), answer);
      else if (answer) found.push({ sku, parts: answer });
    }
    await parts.setPartsWithSkus(found);
    return failed;
  }

  async function findParts(skus: readonly string[]): Promise<number[][]> {
    const found = new Map<string, number[]>(skus.map(sku => [skuKey(sku), []]));
    for (const { part, sku } of await candidates(skus)) found.get(skuKey(sku))?.push(part);
    return skus.map(sku => found.get(skuKey(sku)) ?? []);
  }

  async function candidates(skus: readonly string[]): Promise<SkuOfPart[]> {
    const { field, separator } = rules.sku;
    const none = { name: '', IPN: '', revision: '', parameters: {} };
    if (field.kind === 'parameter') {
      const values = await connections.inventree.parameterValues(field.template);
      return [...values].flatMap(([part, value]) => found(part, { ...none, parameters: { [field.template]: value } }));
    }
    // InvenTree can look for a name or an IPN as a whole, and for nothing else.
    if (field.kind === 'template' || separator !== undefined) {
      const all: SkuOfPart[] = [];
      for await (const page of connections.inventree.walkStock(wanted)) {
        all.push(...page.parts.flatMap(part => found(part.pk, part)));
      }
      return all;
    }
    const named = await connections.inventree.partsNamed(field.kind, skus);
    return named.flatMap(part => found(part.pk, { ...none, ...part }));
  }

  function found(part: number, fields: SkuFields): SkuOfPart[] {
    return skusOf(fields, rules.sku).map(sku => ({ part, sku }));
  }

  async function knownParts(skus: readonly string[]): Promise<Map<string, KnownParts | undefined>> {
    const known = await parts.known(skus);
    return new Map(skus.map((sku, index) => [skuKey(sku), known[index]]));
  }
}
