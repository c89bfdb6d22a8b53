import { createInvenTreeClient, type InvenTreeClient } from '@stock-sync/inventree-client';
import { createMagentoClient, detectStockApi, type MagentoClient, type StockApi } from '@stock-sync/magento-client';
import type { Log } from '@stock-sync/service';
import { openLocationsVersion, openSemaphore, type CalledSystem, type RedisConnection } from '@stock-sync/state';
import type { WorkerSettings } from './settings';
import { createOfferRules, type OfferRules } from './offer-rules';

/** The store's API for stock, which is detected when it is first needed. */
export interface DetectedStockApi {
  get(): Promise<StockApi>;
}

/** Both systems, and the rules by which a part's stock becomes the store's. */
export interface Connections {
  inventree: InvenTreeClient;
  magento: MagentoClient;
  stockApi: DetectedStockApi;
  offerRules: OfferRules;
  close(): void;
}

/**
 * Creates the clients of both systems.
 * @param onCall called after each call, with whether it failed
 */
export function connectToSystems(
  settings: WorkerSettings,
  redis: RedisConnection,
  log: Log,
  onCall: (system: CalledSystem, isFailure: boolean) => void,
): Connections {
  const common = {
    timeoutMs: settings.TIMEOUT * 1000,
    verifyTls: settings.VERIFY_SSL,
    caFile: settings.CA_FILE,
  };
  const slots = settings.INVENTREE_CONCURRENCY;
  const inventree = createInvenTreeClient({
    ...common,
    baseUrl: settings.INVENTREE_URL,
    token: settings.INVENTREE_TOKEN,
    limit: openSemaphore(redis, 'inventree', slots).within,
    partsAtOnce: slots,
    onCall: isFailure => onCall('InvenTree', isFailure),
    onPluginChange: failure => {
      if (failure === undefined) log.info('The InvenTree plugin answers again: stock is read through it');
      else log.warn(`The InvenTree plugin does not answer, so stock is read more slowly without it: ${failure}`);
    },
  });
  const magento = createMagentoClient({
    ...common,
    baseUrl: settings.MAGENTO_URL,
    credentials: settings.credentials,
    onCall: isFailure => onCall('Magento', isFailure),
  });
  return {
    inventree,
    magento,
    stockApi: createDetectedStockApi(magento, settings, log),
    offerRules: createOfferRules({ inventree, version: openLocationsVersion(redis), rules: settings.rules }),
    close() {
      inventree.close();
      magento.close();
    },
  };
}

function createDetectedStockApi(magento: MagentoClient, settings: WorkerSettings, log: Log): DetectedStockApi {
  let detected: Promise<StockApi> | undefined;

  async function detect(): Promise<StockApi> {
    const api = await detectStockApi(magento, settings.MAGENTO_STOCK_API, settings.SOURCE_MAP);
    log.info(
      `Magento's stock is read and written through its ${api.kind === 'source-items' ? 'source items' : 'stock items'}`,
    );
    return api;
  }

  return {
    get() {
      // A failure is not kept: the next call detects again.
      detected ??= detect().catch((error: unknown) => {
        detected = undefined;
        throw error;
      });
      return detected;
    },
  };
}
