import { createInvenTreeClient, type InvenTreeClient } from '@stock-sync/inventree-client';
import { createMagentoClient, type MagentoClient, type StockAccess } from '@stock-sync/magento-client';
import { openCallPlaces, openLocationsVersion, type connectToRedis, type LocationsVersion } from '@stock-sync/queue';
import type { Log } from '@stock-sync/service';
import type { QuantityRules } from '@stock-sync/sync-core';
import type { SystemsConfiguration } from './configuration';
import { createSourceLocations, type SourceLocationsSince } from './source-locations';
import { createStoreAccess } from './store-access';

/** Both systems, and what is to be made of what they tell. */
export interface Systems {
  inventree: InvenTreeClient;
  magento: MagentoClient;
  /** The store's way of reading and writing stock. */
  access: () => Promise<StockAccess>;
  sourceLocations: SourceLocationsSince;
  locationsVersion: LocationsVersion;
  rules: QuantityRules;
  close(): void;
}

/** Clients for both systems as they are configured; with what all workers share in this Redis. */
export function connectToSystems(
  configuration: SystemsConfiguration,
  redis: ReturnType<typeof connectToRedis>,
  log: Log,
): Systems {
  const connection = {
    timeoutMs: configuration.TIMEOUT * 1000,
    verifyTls: configuration.VERIFY_SSL,
    caFile: configuration.CA_FILE,
  };
  const inventreePlaces = configuration.INVENTREE_CONCURRENCY;
  const inventree = createInvenTreeClient({
    ...connection,
    baseUrl: configuration.INVENTREE_URL,
    token: configuration.INVENTREE_TOKEN,
    limit: openCallPlaces(redis, 'inventree', inventreePlaces).within,
    partsAtOnce: inventreePlaces,
  });
  const magento = createMagentoClient({
    ...connection,
    baseUrl: configuration.MAGENTO_URL,
    credentials: configuration.credentials,
  });
  const locationsVersion = openLocationsVersion(redis);
  const sourceMap = configuration.SOURCE_MAP;
  return {
    inventree,
    magento,
    access: createStoreAccess({ magento, stockApi: configuration.MAGENTO_STOCK_API, sourceMap, log }),
    sourceLocations: createSourceLocations({ inventree, version: locationsVersion, sourceMap }),
    locationsVersion,
    rules: {
      stockBasis: configuration.STOCK_BASIS,
      allowDecimals: configuration.ALLOW_DECIMALS,
      safetyStock: configuration.SAFETY_STOCK,
    },
    close() {
      inventree.close();
      magento.close();
    },
  };
}
