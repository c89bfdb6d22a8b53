import { DEFAULT_SOURCE, skuKey, type SourceMap, type StoreStock } from '@stock-sync/domain';
import { CallError } from '@stock-sync/http-client';
import { SKUS_PER_READ, SKUS_PER_WRITE, type MagentoClient, type StockItemWithRules } from './magento-client';

/** Magento's two APIs for stock: MSI source items, and the older stock items. */
export type StockApiKind = 'source-items' | 'stock-items';

/** What one SKU is to show, written together. */
export interface SkuStock {
  /** As the store spells it. */
  sku: string;
  stock: readonly StoreStock[];
}

/** One of the two APIs. Every method rejects with a CallError, for all SKUs of the call. */
export interface StockApi {
  kind: StockApiKind;
  /** The most SKUs in one call of `read`. */
  skusPerRead: number;
  /** The most SKUs in one call of `write`. */
  skusPerCall: number;
  /** What the store shows for each SKU, in order; an empty list where it has no row. */
  read(skus: readonly string[]): Promise<StoreStock[][]>;
  /** Writes the stock of these SKUs, all or nothing. */
  write(changes: readonly SkuStock[]): Promise<void>;
}

/** The API of that kind. */
export function openStockApi(client: MagentoClient, kind: StockApiKind): StockApi {
  return kind === 'source-items' ? sourceItemsApi(client) : stockItemsApi(client);
}

/**
 * Finds out which API the store has, and checks that it has every source of the map. Rejects with a CallError of kind
 * `credentials` where the settings do not fit the store.
 */
export async function detectStockApi(
  client: MagentoClient,
  setting: StockApiKind | 'auto',
  sourceMap: SourceMap | undefined,
): Promise<StockApi> {
  const sources = setting === 'stock-items' ? undefined : await client.sources();
  const kind = setting === 'auto' ? (sources ? 'source-items' : 'stock-items') : setting;
  const mapped = Object.keys(sourceMap ?? {});
  const known = kind === 'source-items' ? (sources ?? []).map(({ code }) => code) : [DEFAULT_SOURCE];
  const unknown = mapped.filter(source => !known.includes(source));
  if (unknown.length > 0) {
    const message = `SOURCE_MAP names ${unknown.join(', ')}, but this store has only the sources ${known.join(', ')}`;
    throw new CallError('Magento', 'credentials', message);
  }
  return openStockApi(client, kind);
}

function sourceItemsApi(client: MagentoClient): StockApi {
  return {
    kind: 'source-items',
    skusPerRead: SKUS_PER_READ,
    skusPerCall: SKUS_PER_WRITE,
    async read(skus) {
      const rows = new Map<string, StoreStock[]>();
      for (const { sku, sourceCode, quantity, inStock } of await client.readSourceItems(skus)) {
        const key = skuKey(sku);
        rows.set(key, [...(rows.get(key) ?? []), { sourceCode, quantity, inStock }]);
      }
      return skus.map(sku => rows.get(skuKey(sku)) ?? []);
    },
    write: changes =>
      client.writeSourceItems(
        changes.flatMap(({ sku, stock }) =>
          stock.map(({ sourceCode, quantity, inStock }) => ({ sku, sourceCode, quantity, inStock })),
        ),
      ),
  };
}

function stockItemsApi(client: MagentoClient): StockApi {
  return {
    kind: 'stock-items',
    skusPerRead: 1,
    skusPerCall: 1,
    async read(skus) {
      const stock: StoreStock[][] = [];
      for (const sku of skus) {
        const item = await client.readStockItem(sku);
        stock.push(item ? rowOf(item) : []);
      }
      return stock;
    },
    async write(changes) {
      for (const { sku, stock } of changes) {
        const row = stock.find(({ sourceCode }) => sourceCode === DEFAULT_SOURCE);
        if (row) await client.writeStockItem(sku, row);
      }
    },
  };
}

/** Below the out-of-stock threshold Magento itself says "out of stock": no write changes that. */
function rowOf({ quantity, inStock, minQuantity }: StockItemWithRules): StoreStock[] {
  if (quantity === undefined) return [];
  const isBelowThreshold = quantity > 0 && quantity <= minQuantity;
  return [{ sourceCode: DEFAULT_SOURCE, quantity, inStock: inStock || isBelowThreshold }];
}
