import { chunk, skuKey } from '@stock-sync/domain';
import type { CallError } from '@stock-sync/http-client';
import { PRODUCTS_PER_READ, type Product } from '@stock-sync/magento-client';
import type { Products, RememberedProduct } from '@stock-sync/state';
import type { Breaker } from '../breaker/breaker';
import type { Connections } from '../connections';
import { createBatchLoader, type BatchLoader } from './batch-loader';
import type { PartJobsUnderWay } from './part-jobs-under-way';

/** A SKU whose product is requested. */
export interface ProductLookup {
  sku: string;
  /**
   * Which remembered answer is good enough. An event never trusts a remembered absence, because products are created
   * after their parts, every day, and an old presence no longer, because products are deleted and change their type.
   */
  trust: 'nothing' | 'recent presence' | 'presence' | 'presence and absence';
}

/** Finds products; undefined where the store has none with the SKU. */
export interface ProductLookups extends BatchLoader<ProductLookup, Product | undefined> {
  findAll(lookups: readonly ProductLookup[]): Promise<(Product | undefined | CallError)[]>;
}

const RECENT_MS = 10 * 60 * 1000;
const DAY_MS = 24 * 60 * 60 * 1000;

/**
 * Many SKUs in one call. A lookup costs 4.6 ms a SKU (docs/facts/magento.md, "Cost"), so answers are kept for a day.
 */
export function createProductLookups(deps: {
  connections: Connections;
  breaker: Breaker;
  jobs: PartJobsUnderWay;
  products: Products;
  /** The clock of Redis. */
  now: () => number;
}): ProductLookups {
  const { connections, breaker, products } = deps;

  async function find(lookups: readonly ProductLookup[]): Promise<(Product | undefined | CallError)[]> {
    const remembered = await products.get(lookups.map(({ sku }) => sku));
    const known = lookups.map(({ trust }, index) => {
      const before = remembered[index];
      return before && isGoodEnough(before, trust, deps.now()) ? before : undefined;
    });
    const unknown = lookups.filter((_, index) => !known[index]).map(({ sku }) => sku);
    if (unknown.length === 0) return known.map(before => before?.product ?? undefined);
    const found = await breaker.guard('magento-read', unknown, connections.magento.findProducts);
    await products.set(
      unknown.flatMap((sku, index) => {
        const product = found[index];
        return product instanceof Error ? [] : [{ sku, product: product ?? null }];
      }),
    );
    const bySku = new Map(unknown.map((sku, index) => [skuKey(sku), found[index]]));
    return lookups.map(({ sku }, index) => {
      const before = known[index];
      return before ? (before.product ?? undefined) : bySku.get(skuKey(sku));
    });
  }

  return {
    ...createBatchLoader<ProductLookup, Product | undefined>({
      maxBatchSize: () => PRODUCTS_PER_READ,
      quietMs: deps.jobs.quietAfterCallMs,
      run: find,
    }),
    async findAll(lookups) {
      const found = [];
      for (const some of chunk(lookups, PRODUCTS_PER_READ)) found.push(...(await find(some)));
      return found;
    },
  };
}

function isGoodEnough({ product, askedAt }: RememberedProduct, trust: ProductLookup['trust'], now: number): boolean {
  const age = now - askedAt;
  switch (trust) {
    case 'nothing':
      return false;
    case 'recent presence':
      return product !== null && age < RECENT_MS;
    case 'presence':
      return product !== null && age < DAY_MS;
    case 'presence and absence':
      return age < DAY_MS;
  }
}
