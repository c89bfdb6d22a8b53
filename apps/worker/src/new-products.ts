import { CallError } from '@stock-sync/http-client';
import type { MagentoClient, SourceItemsPage, StockAccess } from '@stock-sync/magento-client';
import type { KnownParts, NewestSourceItems, SyncQueue } from '@stock-sync/queue';
import type { Log } from '@stock-sync/service';

/** What the jobs of parts whose product is new are asked by. */
export const NEW_PRODUCT = 'new product in Magento';

/** Pages that one look reads before and after the place where the last one ended; a reconcile finds the rest. */
const MOST_PAGES = 50;

/**
 * Enqueues the parts of products that were created in Magento since the last look: a new product has new source items, and
 * those stand at the end of all source items. The answers do not hold a source item's id, so the place is kept as the
 * number of rows and the SKUs of the last ones. Never rejects for Magento's sake: a reconcile finds what was missed.
 */
export function createNewProducts(given: {
  magento: MagentoClient;
  access: () => Promise<StockAccess>;
  knownParts: KnownParts;
  queue: SyncQueue;
  newest: NewestSourceItems;
  /** Then Magento need not be asked. */
  isMagentoAway: () => boolean;
  log: Log;
}): () => Promise<void> {
  const { magento, knownParts, queue, newest, log } = given;

  return async () => {
    if (given.isMagentoAway()) return;
    try {
      // Only a store with source items shows them in the order of their creation.
      if ((await given.access()).stockApi === 'source-items') await look();
    } catch (error) {
      if (!(error instanceof CallError)) throw error;
      log.debug(`Magento's new source items could not be read: ${error.message}`);
    }
  };

  async function look(): Promise<void> {
    const before = await newest.get();
    const first = await magento.sourceItemsPage(before?.page ?? 1);
    // Where the store limits its pages from now on, the place means nothing any more.
    const end = before?.pageSize === first.pageSize ? before : undefined;
    const known = new Set(end?.skus);
    const { skus, page } = await rowsAround(end?.page, first, known);
    if (end) {
      const fresh = [...new Set(skus.filter(sku => !known.has(sku)))];
      const parts = [...new Set((await knownParts.bearersOf(fresh)).flat())];
      const acceptedAt = Date.now();
      await queue.enqueue(parts.map(part => ({ kind: 'part', part, event: NEW_PRODUCT, acceptedAt })));
    }
    const { pageSize } = first;
    // Only now: a worker that dies in between has them synced twice, not never.
    await newest.set({ page, pageSize, skus: [...new Set([...known, ...skus])].slice(-pageSize) });
  }

  /** The rows from the place where the last look ended to the end, and the page that is the last now. */
  async function rowsAround(endedAt: number | undefined, first: SourceItemsPage, known: ReadonlySet<string>) {
    const lastPage = Math.max(1, Math.ceil(first.totalCount / first.pageSize));
    const startPage = Math.min(endedAt ?? lastPage, lastPage);
    let rows = startPage === (endedAt ?? 1) ? first.items : (await magento.sourceItemsPage(startPage)).items;
    // Where rows were removed, new ones may stand on an earlier page than the last known one did.
    for (let page = startPage - 1; page >= 1 && startPage - page <= MOST_PAGES && startsNew(rows, known); page--) {
      rows = [...(await magento.sourceItemsPage(page)).items, ...rows];
    }
    let page = startPage;
    while (page < lastPage && page - startPage < MOST_PAGES) {
      rows = [...rows, ...(await magento.sourceItemsPage(++page)).items];
    }
    return { skus: rows.map(({ sku }) => sku), page };
  }
}

function startsNew([first]: readonly { sku: string }[], known: ReadonlySet<string>): boolean {
  return known.size > 0 && (first === undefined || !known.has(first.sku));
}
