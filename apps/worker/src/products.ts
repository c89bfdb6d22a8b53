import type { MagentoClient, Product } from '@stock-sync/magento-client';
import type { KnownParts } from '@stock-sync/queue';
import { createKnownProducts, type ProductQuestion } from '@stock-sync/systems';
import { createBatchLoader, type BatchLoader } from './batch-loader';

const MOST_SKUS = 100;
/** That the store lacks a SKU is believed only for the length of a storm: the shop may create the product any time. */
const ABSENCE_MS = 30_000;

/** Finds the products of SKUs, many in one call; undefined where the store has none. */
export function createProducts(given: {
  magento: MagentoClient;
  knownParts: KnownParts;
}): BatchLoader<ProductQuestion, Product | undefined> {
  return createBatchLoader<ProductQuestion, Product | undefined>({
    most: MOST_SKUS,
    run: createKnownProducts({ ...given, absenceMs: ABSENCE_MS }),
  });
}
