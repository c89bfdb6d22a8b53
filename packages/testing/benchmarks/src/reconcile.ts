import { inTwoSizes, watched } from './large-shop';
import type { Report } from './report';

/** Time and memory of one reconcile, for shops of two sizes: neither should grow faster than the shop. */
export async function benchReconcile(redisUrl: string, report: Report): Promise<void> {
  await inTwoSizes('reconcile', redisUrl, 200, report, async system => {
    const worker = await system.startWorker({ RECONCILE_INTERVAL_MINUTES: '1440', TIMEOUT: '30' });
    const { seconds, before, most } = await watched(worker, 'stock_sync_reconcile_seconds');
    const reads = system.magento.counts().reads;
    const line =
      `fakes answer at once; ${reads} reads of Magento (at 33 ms each, two at a time: ` +
      `${Math.round((reads * 0.033) / 2)} s); worker ${before} MiB before, ${most} MiB at most`;
    return { seconds, line };
  });
}
