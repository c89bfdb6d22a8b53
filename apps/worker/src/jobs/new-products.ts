import { CallError } from '@stock-sync/http-client';
import type { SourceItemsPage } from '@stock-sync/magento-client';
import { errorMessage, type Log } from '@stock-sync/service';
import type { JobQueues, Parts, SourceItemsEnd } from '@stock-sync/state';
import type { Breaker } from '../breaker/breaker';
import type { Connections } from '../connections';
import { WaitError } from './job-errors';
import { ROUTINE_EVENTS } from './routine-events';

/** Pages that one check reads before and after the place where the last one ended; a reconcile finds the rest. */
const MAX_PAGES = 50;

/** Finds products that were created in Magento after their parts. */
export interface NewProducts {
  /** Enqueues the parts of new products. Never rejects because of Magento: a reconcile finds what is missed. */
  check(): Promise<void>;
}

/**
 * Reads the end of Magento's source items: those of a new product are the last ones. The answers do not contain the id
 * of a source item, so the place is remembered as a page and the SKUs of the last rows.
 */
export function createNewProducts(deps: {
  connections: Pick<Connections, 'magento' | 'stockApi'>;
  breaker: Breaker;
  parts: Parts;
  queues: JobQueues;
  end: SourceItemsEnd;
  log: Log;
}): NewProducts {
  const { connections, breaker, parts, queues, log } = deps;
  const { magento, stockApi } = connections;

  return {
    async check() {
      try {
        breaker.require('magento-read');
        if ((await stockApi.get()).kind === 'source-items') await checkEnd();
      } catch (error) {
        if (!(error instanceof CallError || error instanceof WaitError)) throw error;
        log.debug(`Magento's new source items could not be read: ${errorMessage(error)}`);
      }
    },
  };

  async function checkEnd(): Promise<void> {
    const remembered = await deps.end.get();
    const first = await magento.sourceItemsPage(remembered?.page ?? 1);
    // If the store has limited its pages since, the remembered place means nothing any more.
    const before = remembered?.pageSize === first.pageSize ? remembered : undefined;
    const known = new Set(before?.skus);
    const { skus, page } = await rowsFrom(before?.page, first, known);
    if (before) {
      const newSkus = [...new Set(skus.filter(sku => !known.has(sku)))];
      const found = [...new Set((await parts.withSkus(newSkus)).flat())];
      await queues.enqueue(found.map(part => ({ kind: 'part', part, event: ROUTINE_EVENTS.newProduct })));
    }
    const { pageSize } = first;
    // Last: a worker that dies before has the parts synced twice, not never.
    await deps.end.set({ page, pageSize, skus: [...new Set([...known, ...skus])].slice(-pageSize) });
  }

  /** The rows from the page where the last check ended, and the page that is the last one now. */
  async function rowsFrom(endedAt: number | undefined, first: SourceItemsPage, known: ReadonlySet<string>) {
    const lastPage = Math.max(1, Math.ceil(first.totalCount / first.pageSize));
    const startPage = Math.min(endedAt ?? lastPage, lastPage);
    let rows = startPage === (endedAt ?? 1) ? first.items : (await magento.sourceItemsPage(startPage)).items;
    // If rows were deleted, new rows may be on an earlier page than the last known one was.
    for (let page = startPage - 1; page >= 1 && startPage - page <= MAX_PAGES && startsNew(rows, known); page--) {
      rows = [...(await magento.sourceItemsPage(page)).items, ...rows];
    }
    let page = startPage;
    while (page < lastPage && page - startPage < MAX_PAGES) {
      rows = [...rows, ...(await magento.sourceItemsPage(++page)).items];
    }
    return { skus: rows.map(({ sku }) => sku), page };
  }
}

function startsNew([first]: readonly { sku: string }[], known: ReadonlySet<string>): boolean {
  return known.size > 0 && (first === undefined || !known.has(first.sku));
}
