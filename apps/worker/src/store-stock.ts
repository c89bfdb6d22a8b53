import { askedTogether, blamingItems, WrongItemError } from '@stock-sync/http-client';
import type { MagentoClient, StockAccess } from '@stock-sync/magento-client';
import { showsStock } from '@stock-sync/reconcile';

/** SKUs in one read, and such reads under way at once. */
const READ = 100;
const READS_AT_ONCE = 2;

/** What the store shows, for the mass-zero guard: it must not count from what Redis remembers, which may be nothing. */
export interface StoreStock {
  /** Those of these SKUs that show stock, and those that could not be read; rejects where the store can't be read at all. */
  showing(skus: readonly string[]): Promise<Set<string>>;
  /** How many SKUs show stock in the whole store, counted no further than `enough`; undefined where the store has no list of them. */
  count(enough: number): Promise<number | undefined>;
}

/** The store's stock, by few calls. */
export function createStoreStock(given: {
  magento: MagentoClient;
  access: () => Promise<StockAccess>;
  /** Whether the store can be read for SKUs that are known to be good: then a read that fails is the fault of its own SKUs. */
  readsWork: () => Promise<boolean>;
}): StoreStock {
  return {
    async showing(skus) {
      const access = await given.access();
      const found = new Set<string>();
      const left = [...skus];
      const readOn = async () => {
        for (let some = left.splice(0, READ); some.length > 0; some = left.splice(0, READ)) {
          const answers = await askedTogether(some, few => blamingItems(access.read(few), given.readsWork));
          for (const [index, answer] of answers.entries()) {
            if (answer instanceof WrongItemError || showsStock(answer)) found.add(some[index] ?? '');
          }
        }
      };
      await Promise.all(Array.from({ length: READS_AT_ONCE }, readOn));
      return found;
    },

    async count(enough) {
      if ((await given.access()).stockApi !== 'source-items') return undefined;
      const showing = new Set<string>();
      for await (const rows of given.magento.walkSourceItems()) {
        for (const { sku, quantity } of rows) if (quantity > 0) showing.add(sku);
        if (showing.size >= enough) break;
      }
      return showing.size;
    },
  };
}
