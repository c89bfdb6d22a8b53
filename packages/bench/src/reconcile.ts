import { startLargeShop, watched } from './large-shop';

const SIZES = [20_000, 200_000];
const DIFFER = 200;

/** How long one reconcile takes and what memory it needs, for shops of two sizes; neither should grow faster than the shop. */
export async function benchReconcile(redisUrl: string): Promise<void> {
  const took: number[] = [];
  for (const parts of SIZES) {
    const system = await startLargeShop(redisUrl, parts, DIFFER);
    const worker = await system.startWorker({ RECONCILE_INTERVAL_MINUTES: '1440', TIMEOUT: '30' });
    const { seconds, before, most } = await watched(worker, 'stock_sync_reconcile_seconds');
    const reads = system.magento.counts().reads;
    took.push(seconds / parts);
    console.log(
      `reconcile, ${parts.toLocaleString('en')} parts of which ${DIFFER} drifted: ${seconds.toFixed(1)} s with stand-ins that ` +
        `answer at once; ${reads} reads of Magento (at 33 ms each, two at a time: ${Math.round((reads * 0.033) / 2)} s); ` +
        `worker ${before} MiB before, ${most} MiB at most`,
    );
    await system.stop();
  }
  const [small = 0, large = 0] = took;
  console.log(`reconcile, time a part in the large shop: ${(large / small).toFixed(2)} x that in the small one`);
}
