import type { MagentoClient, Product } from '@stock-sync/magento-client';
import type { KnownParts } from '@stock-sync/queue';
import { createKnownProducts, type ProductQuestion } from '@stock-sync/systems';
import { createBatchLoader, type BatchLoader } from './batch-loader';

const MOST_SKUS = 100;

/** Finds the products of SKUs, many in one call; undefined where the store has none. */
export function createProducts(given: {
  magento: MagentoClient;
  knownParts: KnownParts;
}): BatchLoader<ProductQuestion, Product | undefined> {
  return createBatchLoader<ProductQuestion, Product | undefined>({
    most: MOST_SKUS,
    run: createKnownProducts(given),
  });
}
