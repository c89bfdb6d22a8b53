import { CallError } from '@stock-sync/http-client';
import {
  SALES_DOCUMENTS,
  type MagentoClient,
  type SalesDocument,
  type SalesDocumentKind,
} from '@stock-sync/magento-client';
import { errorMessage, type Log } from '@stock-sync/service';
import { cursorAt, newRows, readAfter, type JobQueues, type Parts, type StoredCursor } from '@stock-sync/state';
import type { Breaker } from '../breaker/breaker';
import type { ProductLookups } from '../calls/product-lookups';
import { WaitError } from './job-errors';

/** The product type whose shipments deduct other SKUs than they list. */
const BUNDLE = 'bundle';
/** How long Magento is not asked again after it refused to show its documents, in milliseconds. */
const REFUSED_MS = 60 * 60 * 1000;

/** Finds stock that Magento changed itself: a shipment deducts its source, and InvenTree has no event for that. */
export interface SalesDocuments {
  /**
   * Enqueues the parts of new shipments and credit memos. Never rejects because of Magento: a reconcile finds what is
   * missed.
   */
  check(): Promise<void>;
}

/** Reads new documents by a cursor. */
export function createSalesDocuments(deps: {
  magento: MagentoClient;
  breaker: Breaker;
  productLookups: Pick<ProductLookups, 'findAll'>;
  parts: Parts;
  queues: JobQueues;
  cursors: Record<SalesDocumentKind, StoredCursor>;
  log: Log;
}): SalesDocuments {
  const { magento, breaker, parts, queues, cursors, log } = deps;
  let isOrderRefused = false;
  const refusedUntil: Record<SalesDocumentKind, number> = { shipments: 0, creditmemos: 0 };

  async function checkKind(kind: SalesDocumentKind): Promise<void> {
    breaker.require('magento-read');
    const cursor = await cursors[kind].get();
    if (!cursor) {
      await cursors[kind].set(cursorAt(await magento.latestDocument(kind)));
      return;
    }
    const { fresh, next } = newRows(await magento.documentsAfter(kind, readAfter(cursor)), cursor);
    if (fresh.length === 0) return;
    const skus = [...new Set([...fresh.flatMap(row => row.skus), ...(await childSkus(fresh))])];
    const changed = [...new Set((await parts.withSkus(skus)).flat())];
    await queues.enqueue(changed.map(part => ({ kind: 'part', part, event: `Magento's ${kind}` })));
    // Last: a worker that dies before has the parts synced twice, not never.
    await cursors[kind].set(next);
  }

  /** The SKUs of the orders whose documents list a bundle: Magento deducts the sources of its children. */
  async function childSkus(documents: readonly SalesDocument[]): Promise<string[]> {
    const withOrder = documents.filter(({ order }) => order !== undefined);
    const skus = [...new Set(withOrder.flatMap(document => document.skus))];
    const products = await deps.productLookups.findAll(skus.map(sku => ({ sku, trust: 'presence' })));
    const bundles = new Set(
      skus.filter((_, index) => {
        const product = products[index];
        return product && !(product instanceof CallError) && product.typeId === BUNDLE;
      }),
    );
    const orders = withOrder.filter(document => document.skus.some(sku => bundles.has(sku))).map(({ order }) => order);
    const found: string[] = [];
    for (const order of new Set(orders)) if (order !== undefined) found.push(...(await skusOfOrder(order)));
    return found;
  }

  async function skusOfOrder(order: number): Promise<string[]> {
    try {
      return await magento.skusOfOrder(order);
    } catch (error) {
      // The sweep must not stop at one order: a reconcile finds what its children show.
      if (!(error instanceof CallError) || error.kind === 'no-answer' || error.kind === 'unavailable') throw error;
      const line = `Magento does not show order ${order}, which has a bundle: the next reconcile corrects its parts`;
      log[isOrderRefused ? 'debug' : 'warn'](`${line}. ${error.message}`);
      isOrderRefused = true;
      return [];
    }
  }

  return {
    async check() {
      for (const kind of SALES_DOCUMENTS) {
        if (Date.now() < refusedUntil[kind]) continue;
        try {
          await checkKind(kind);
          refusedUntil[kind] = 0;
        } catch (error) {
          if (!(error instanceof CallError || error instanceof WaitError)) throw error;
          if (!(error instanceof CallError && error.kind === 'credentials')) {
            log.debug(`Magento's ${kind} could not be read: ${errorMessage(error)}`);
            continue;
          }
          const isNew = refusedUntil[kind] === 0;
          refusedUntil[kind] = Date.now() + REFUSED_MS;
          if (isNew) {
            log.warn(
              `Magento does not show its ${kind} to this integration, so the stock that they change is corrected by ` +
                'the next reconcile. To correct it within a minute, allow Sales > Operations > Shipments and ' +
                'Credit Memos',
            );
          }
        }
      }
    },
  };
}
