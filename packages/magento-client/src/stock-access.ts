import { askedTogether, CallError, WrongItemError } from '@stock-sync/http-client';
import { DEFAULT_SOURCE, skuKey, type ShownStock } from '@stock-sync/sync-core';
import type { MagentoClient, StockApi } from './magento-client';
import { MagentoLimitError } from './magento-errors';

/** The changes of one SKU, to be written together. */
export interface SkuChanges {
  /** As the store spells it. */
  sku: string;
  /** What its sources are to show. */
  changes: readonly ShownStock[];
}

/** One way of reading and writing a store's stock, for many SKUs at a time. */
export interface StockAccess {
  stockApi: StockApi;
  /**
   * What the store shows for each SKU, in the order asked: an empty list where it has no row, or the error that is this
   * SKU's own. Rejects where it is not a SKU's fault.
   */
  read(skus: readonly string[]): Promise<(ShownStock[] | WrongItemError)[]>;
  /** Writes; for each SKU, in the order given, undefined where it worked or the error that is its own. Never rejects. */
  write(skus: readonly SkuChanges[]): Promise<(CallError | undefined)[]>;
}

/** The access that this store has. */
export function stockAccess(client: MagentoClient, stockApi: StockApi): StockAccess {
  return stockApi === 'source-items' ? sourceItemAccess(client) : stockItemAccess(client);
}

function sourceItemAccess(client: MagentoClient): StockAccess {
  /** Rows that the store takes in one call; learned from its refusal. */
  let mostRows = Infinity;

  /**
   * A batch is all or nothing and its refusal does not say which row is to blame
   * [recording msi-post-one-bad-source-of-five], so it is halved until the guilty SKU stands alone.
   */
  async function write(skus: readonly SkuChanges[]): Promise<(CallError | undefined)[]> {
    const items = skus.flatMap(({ sku, changes }) =>
      changes.map(({ sourceCode, quantity, inStock }) => ({ sku, sourceCode, quantity, inStock })),
    );
    if (items.length > mostRows && skus.length > 1) return writeHalves(skus);
    try {
      await client.writeSourceItems(items);
      return skus.map(() => undefined);
    } catch (thrown) {
      const error = asCallError(thrown);
      if (error instanceof MagentoLimitError) mostRows = Math.min(mostRows, error.limit);
      if (!(error instanceof WrongItemError) || skus.length === 1) return skus.map(() => error);
      return writeHalves(skus);
    }
  }

  async function writeHalves(skus: readonly SkuChanges[]): Promise<(CallError | undefined)[]> {
    const middle = Math.ceil(skus.length / 2);
    const first = await write(skus.slice(0, middle));
    const outage = first.find(error => error && !(error instanceof WrongItemError));
    // When the store went away in between, the second half would only knock at a closed door.
    if (outage) return [...first, ...skus.slice(middle).map(() => outage)];
    return [...first, ...(await write(skus.slice(middle)))];
  }

  return {
    stockApi: 'source-items',
    read: skus =>
      askedTogether(skus, async some => {
        const rows = new Map<string, ShownStock[]>();
        for (const { sku, sourceCode, quantity, inStock } of await client.readSourceItems(some)) {
          const key = skuKey(sku);
          rows.set(key, [...(rows.get(key) ?? []), { sourceCode, quantity, inStock }]);
        }
        return some.map(sku => rows.get(skuKey(sku)) ?? []);
      }),
    write,
  };
}

/** Reads under way at once where a store takes SKUs one by one: more gains nothing (facts, Cost). */
const READS_AT_ONCE = 4;

function stockItemAccess(client: MagentoClient): StockAccess {
  return {
    stockApi: 'stock-items',
    async read(skus) {
      const shown: (ShownStock[] | WrongItemError)[] = [];
      const readOne = async ([sku = '']: readonly string[]) => {
        const item = await client.readStockItem(sku);
        return [item ? [{ sourceCode: DEFAULT_SOURCE, ...item }] : []];
      };
      for (let start = 0; start < skus.length; start += READS_AT_ONCE) {
        const some = skus.slice(start, start + READS_AT_ONCE);
        shown.push(...(await Promise.all(some.map(sku => askedTogether([sku], readOne)))).flat());
      }
      return shown;
    },
    async write(skus) {
      const errors: (CallError | undefined)[] = [];
      let outage: CallError | undefined;
      for (const { sku, changes } of skus) {
        const change = changes.find(({ sourceCode }) => sourceCode === DEFAULT_SOURCE);
        const error = outage ?? (change && (await errorOf(client.writeStockItem(sku, change))));
        if (error && !(error instanceof WrongItemError)) outage = error;
        errors.push(error);
      }
      return errors;
    },
  };
}

async function errorOf(call: Promise<void>): Promise<CallError | undefined> {
  try {
    await call;
    return undefined;
  } catch (error) {
    return asCallError(error);
  }
}

function asCallError(error: unknown): CallError {
  if (error instanceof CallError) return error;
  throw error;
}
