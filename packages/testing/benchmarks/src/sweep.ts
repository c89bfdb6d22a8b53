import { inTwoSizes, watched } from './large-shop';
import { bytesOf } from './redis-bytes';
import type { Report } from './report';

/** Time, memory and Redis of one sweep, for shops of two sizes: none of them should grow faster than the shop. */
export async function benchSweep(redisUrl: string, report: Report): Promise<void> {
  await inTwoSizes('sweep', redisUrl, 200, report, async (system, parts) => {
    const state = await bytesOf(system.database.redis, '{stock-sync}:parts:*', parts);
    const skus = await bytesOf(system.database.redis, '{stock-sync}:skus:*', parts);
    const worker = await system.startWorker({ SWEEP_INTERVAL_SECONDS: '3600' });
    const { seconds, before, most } = await watched(worker, 'stock_sync_sweep_seconds');
    const line =
      `worker ${before} MiB before, ${most} MiB at most; ` +
      `Redis ${state} bytes a part for its last sync, ${skus} for its SKU`;
    return { seconds, line };
  });
}
