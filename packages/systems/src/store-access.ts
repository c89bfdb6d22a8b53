import { CredentialsError } from '@stock-sync/http-client';
import { stockAccess, type MagentoClient, type StockAccess, type StockApi } from '@stock-sync/magento-client';
import type { Log } from '@stock-sync/service';
import { DEFAULT_SOURCE, type SourceMap } from '@stock-sync/sync-core';

/** The store's way of reading and writing stock: found out once, when it is first needed. */
export function createStoreAccess(given: {
  magento: MagentoClient;
  stockApi: StockApi | 'auto';
  sourceMap: SourceMap | undefined;
  log: Log;
}): () => Promise<StockAccess> {
  const { magento, stockApi, sourceMap, log } = given;
  let access: Promise<StockAccess> | undefined;

  async function find(): Promise<StockAccess> {
    const found = stockApi === 'auto' ? await magento.detectStockApi() : stockApi;
    const others = Object.keys(sourceMap ?? {}).filter(source => source !== DEFAULT_SOURCE);
    if (found === 'stock-items' && others.length > 0) {
      throw new CredentialsError(
        'Magento',
        `this store has no inventory sources, but SOURCE_MAP names ${others.join(', ')}`,
      );
    }
    if (found === 'source-items' && sourceMap) {
      const codes = (await magento.sourceCodes()) ?? [];
      const unknown = Object.keys(sourceMap).filter(source => !codes.includes(source));
      if (unknown.length > 0) {
        throw new CredentialsError(
          'Magento',
          `SOURCE_MAP names ${unknown.join(', ')}, but this store has only the sources ${codes.join(', ')}`,
        );
      }
    }
    log.info(
      `stock is read and written by Magento's ${found === 'source-items' ? 'source items' : 'legacy stock items'}`,
    );
    return stockAccess(magento, found);
  }

  return () => {
    // A failure is not kept: the next call finds out anew.
    access ??= find().catch((error: unknown) => {
      access = undefined;
      throw error;
    });
    return access;
  };
}
