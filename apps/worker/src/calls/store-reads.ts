import { chunk, showsStock, type StoreStock } from '@stock-sync/domain';
import type { CallError } from '@stock-sync/http-client';
import { SKUS_PER_READ } from '@stock-sync/magento-client';
import type { Breaker } from '../breaker/breaker';
import type { Connections } from '../connections';
import { createBatchLoader, limitCalls, type BatchLoader } from './batch-loader';
import type { PartJobsUnderWay } from './part-jobs-under-way';

/** Calls at once, for events and for one list of SKUs: more of them are no faster (docs/facts/magento.md, "Cost"). */
const CALLS_AT_ONCE = 4;

/** Reads what the store shows. */
export interface StoreReads extends BatchLoader<string, StoreStock[]> {
  /** What the store shows for all of these SKUs, in order; an empty list where it has no row. */
  readAll(skus: readonly string[]): Promise<(StoreStock[] | CallError)[]>;
  /** Those of these SKUs that show stock, or that could not be read. */
  showing(skus: readonly string[]): Promise<Set<string>>;
  /**
   * How many SKUs of the whole store show stock, counted up to `enough`; undefined where the store does not list them.
   */
  countShowing(enough: number): Promise<number | undefined>;
}

/** Many SKUs in one call. */
export function createStoreReads({
  connections,
  breaker,
  jobs,
}: {
  connections: Connections;
  breaker: Breaker;
  jobs: PartJobsUnderWay;
}): StoreReads {
  const { magento, stockApi } = connections;

  async function readAll(skus: readonly string[]): Promise<(StoreStock[] | CallError)[]> {
    const api = await stockApi.get();
    const limit = limitCalls(CALLS_AT_ONCE);
    const calls = chunk(skus, api.skusPerRead).map(some => limit(() => breaker.guard('magento-read', some, api.read)));
    return (await Promise.all(calls)).flat();
  }

  return {
    ...createBatchLoader<string, StoreStock[]>({
      maxBatchSize: () => SKUS_PER_READ,
      limit: limitCalls(CALLS_AT_ONCE),
      quietMs: jobs.quietMs,
      run: readAll,
    }),
    readAll,
    async showing(skus) {
      const stock = await readAll(skus);
      return new Set(
        skus.filter((_, index) => {
          const rows = stock[index];
          return rows instanceof Error || (rows && showsStock(rows));
        }),
      );
    },
    async countShowing(enough) {
      if ((await stockApi.get()).kind !== 'source-items') return undefined;
      breaker.require('magento-read');
      const showing = new Set<string>();
      for await (const rows of magento.walkSourceItems()) {
        for (const { sku, quantity } of rows) if (quantity > 0) showing.add(sku);
        if (showing.size >= enough) break;
      }
      return showing.size;
    },
  };
}
