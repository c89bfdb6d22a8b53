import { USUAL_SELLING, type SellingRules } from '@stock-sync/domain';
import { CallError } from '@stock-sync/http-client';
import type { MagentoClient } from '@stock-sync/magento-client';
import type { Breaker } from '../breaker/breaker';
import { limitCalls } from './batch-loader';

/** Calls at once: a stocktake may sell out hundreds of SKUs. */
const CALLS_AT_ONCE = 4;

/** How the store sells a product. Asked only where it matters: the answer costs a call for each SKU. */
export interface SellingRulesLookups {
  /** Those of most products where the store does not answer for this SKU: better end a backorder than oversell. */
  load(sku: string): Promise<SellingRules>;
}

/** Asks Magento's stock items, which answer the effective rules (docs/facts/magento.md, "Differences and traps"). */
export function createSellingRulesLookups(deps: {
  magento: Pick<MagentoClient, 'readStockItem'>;
  breaker: Breaker;
}): SellingRulesLookups {
  const limit = limitCalls(CALLS_AT_ONCE);
  const read = (skus: readonly string[]) => Promise.all(skus.map(sku => deps.magento.readStockItem(sku)));
  return {
    async load(sku) {
      const [item] = await limit(() => deps.breaker.guard('magento-read', [sku], read));
      return item && !(item instanceof CallError) ? item : USUAL_SELLING;
    },
  };
}
