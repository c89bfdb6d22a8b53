import type { Log } from '@stock-sync/service';
import {
  openOrderLedger,
  openOrderRate,
  openOrdersCursor,
  openSemaphore,
  openShortOrders,
  openUnbookedStock,
  type DeadLetters,
  type JobQueues,
  type Parts,
  type RedisConnection,
} from '@stock-sync/state';
import type { Breaker } from './breaker/breaker';
import type { PartReads } from './calls/part-reads';
import type { SkuLookups } from './calls/sku-lookups';
import type { Connections } from './connections';
import { createAllocateStock } from './jobs/allocate-stock';
import { createBookShipments } from './jobs/book-shipments';
import { createAddExtraLines } from './jobs/extra-lines';
import { createFindOrders } from './jobs/find-orders';
import { createImportOrder } from './jobs/import-order';
import { createOrderChanges, createOrderStock } from './jobs/order-changes';
import { createOrderCustomers } from './jobs/order-customers';
import { createPassOnShipments } from './jobs/pass-on-shipments';
import { createPickableStock } from './jobs/pickable-stock';
import { createRecordShipped } from './jobs/record-shipped';
import { createEnqueueShortOrders } from './jobs/short-orders';
import type { DryRun } from './jobs/sync-sku';
import type { WorkerSettings } from './settings';

/** What a worker does about orders, composed: what their stock means to a sync, and their jobs. */
export function openOrders(deps: {
  settings: WorkerSettings;
  connection: RedisConnection;
  connections: Connections;
  breaker: Breaker;
  queues: JobQueues;
  deadLetters: DeadLetters;
  /** The clock of Redis. */
  now: () => number;
  log: Log;
}) {
  const { settings, connection, connections, breaker, queues, deadLetters, now, log } = deps;
  const { inventree, magento } = connections;
  const { salesOrders } = inventree;
  const imported = importedOrders(settings);
  const ledger = openOrderLedger(connection);
  const cursor = openOrdersCursor(connection);
  const shortOrders = openShortOrders(connection);
  const unbooked = openUnbookedStock(connection);
  const changes =
    imported && createOrderChanges({ magento, salesOrders, ledger, cursor, deadLetters, since: imported.since, now });
  const enqueueShortOrders = createEnqueueShortOrders({ shortOrders, ledger, queues });
  const allocates = imported && settings.ORDERS_ALLOCATE && !settings.ORDERS_BOOK_SHIPMENTS;

  return {
    /** Seconds between two searches for orders; 0 where they are not imported. */
    intervalSeconds: imported ? settings.ORDERS_INTERVAL_SECONDS : 0,
    /** Stock that orders took and InvenTree still counts; undefined where orders are not imported. */
    unbooked: imported && unbooked,
    /** What a sync of a SKU must know of orders; undefined where they are not imported. */
    stock: changes && createOrderStock({ changes, unbooked, ledger, queues, deadLetters, breaker, log }),
    /** Where stock is allocated to orders: enqueues those that a part was too short for. */
    enqueueShortOrders: allocates ? enqueueShortOrders : undefined,

    /** The entries of the ledger whose stock is not yet booked. */
    async readUnbooked() {
      return imported ? [...(await ledger.getAll(await unbooked.orders())).values()] : [];
    },

    /** The jobs about orders. */
    jobs(calls: { partReads: PartReads; skuLookups: SkuLookups; parts: Parts; dryRun: DryRun | undefined }) {
      const { partReads, skuLookups, parts, dryRun } = calls;
      const sources = connections.offerRules.nothing.map(({ sourceCode }) => sourceCode);
      const movesStock = {
        connections,
        salesOrders,
        pickable: createPickableStock({ connections, partReads }),
        sources,
        ledger,
        shortOrders,
        deadLetters,
        enqueueShortOrders,
        queues,
        carriedOutMs: 2 * settings.TIMEOUT * 1000,
        now,
        log,
      };
      const recordShipped = { ...movesStock, magento, hasSources: sources.length > 1, unbooked, parts };
      return {
        findOrders: createFindOrders({ changes, breaker, queues, cursor, isDryRun: dryRun !== undefined }),
        importOrder: createImportOrder({
          connections,
          partReads,
          skuLookups,
          ledger,
          recordShipped: createRecordShipped(recordShipped),
          passOn: settings.ORDERS === 'both' ? createPassOnShipments(movesStock) : undefined,
          bookShipments: settings.ORDERS_BOOK_SHIPMENTS ? createBookShipments(movesStock) : undefined,
          allocateStock: allocates ? createAllocateStock(movesStock) : undefined,
          leaseOf: order => openSemaphore(connection, `order:${order}`, 1),
          addExtraLines: createAddExtraLines({ ...movesStock, notesRefunds: settings.ORDERS_NOTE_REFUNDS }),
          customers: createOrderCustomers({
            salesOrders,
            magento,
            lease: openSemaphore(connection, 'orders-customer', 1),
            settings: {
              customer: settings.ORDERS_CUSTOMER,
              perBuyer: settings.ORDERS_CUSTOMER_PER_BUYER,
              stores: settings.ORDERS_STORES,
            },
          }),
          rate: openOrderRate(connection),
          settings: imported,
          magentoUrl: settings.MAGENTO_URL,
          dryRun,
          now,
          log,
        }),
      };
    },
  };
}

/** Which orders are imported, and how fast; undefined where none are. */
function importedOrders(settings: WorkerSettings) {
  const { ORDERS, ORDERS_SINCE: since, ORDERS_STATES: states, ORDERS_PER_MINUTE: perMinute } = settings;
  return ORDERS !== 'off' && since !== undefined ? { since, states, perMinute } : undefined;
}
