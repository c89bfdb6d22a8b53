import type { MagentoClient, Product } from '@stock-sync/magento-client';
import type { KnownParts } from '@stock-sync/queue';
import { skuKey } from '@stock-sync/sync-core';
import { createBatchLoader, type BatchLoader } from './batch-loader';

/** A SKU whose product is asked for; an answer that was had before `notBefore` (milliseconds since 1970) won't do. */
export interface ProductQuestion {
  sku: string;
  notBefore: number;
}

const MOST_SKUS = 100;
const DAY_MS = 24 * 60 * 60 * 1000;
/** That the store lacks a SKU is believed only for the length of a storm: the shop may create the product any time. */
const ABSENCE_MS = 30_000;

/** Finds the products of SKUs; asking costs 4.6 ms a SKU (facts, Cost), so answers are kept for a day. */
export function createProducts(given: {
  magento: MagentoClient;
  knownParts: KnownParts;
}): BatchLoader<ProductQuestion, Product | undefined> {
  const { magento, knownParts } = given;
  return createBatchLoader<ProductQuestion, Product | undefined>({
    most: MOST_SKUS,
    run: async questions => {
      const now = Date.now();
      const known = await knownParts.products(questions.map(({ sku }) => sku));
      const answers = questions.map(({ notBefore }, index) => {
        const before = known[index];
        const holdsFor = before?.product ? DAY_MS : ABSENCE_MS;
        return before && before.askedAt >= notBefore && now - before.askedAt < holdsFor ? before : undefined;
      });
      const open = questions.filter((_, index) => !answers[index]).map(({ sku }) => sku);
      const found = await magento.findProducts(open);
      await knownParts.rememberProducts(
        open.flatMap((sku, index) => {
          const product = found[index];
          return product instanceof Error ? [] : [{ sku, product: product ?? null }];
        }),
      );
      const foundBySku = new Map(open.map((sku, index) => [skuKey(sku), found[index]]));
      return questions.map(({ sku }, index) => {
        const answer = answers[index];
        return answer ? (answer.product ?? undefined) : foundBySku.get(skuKey(sku));
      });
    },
  });
}
