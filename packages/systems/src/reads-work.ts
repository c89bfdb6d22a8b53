import { WrongItemError } from '@stock-sync/http-client';
import type { StockAccess } from '@stock-sync/magento-client';
import type { GoodSkus } from '@stock-sync/queue';

/** Whether the store can be read for any SKU that is known to be good; false where none is known. Never rejects. */
export function createReadsWork(given: {
  access: () => Promise<StockAccess>;
  goodSkus: GoodSkus;
}): () => Promise<boolean> {
  async function isRead(sku: string): Promise<boolean> {
    const [shown] = await (await given.access()).read([sku]);
    return !(shown instanceof WrongItemError);
  }

  return async () => {
    for (const sku of await given.goodSkus.some().catch(() => [])) {
      if (await isRead(sku).catch(() => false)) return true;
    }
    return false;
  };
}
