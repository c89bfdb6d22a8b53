import { gauge, inTwoSizes, LARGE, watched } from './large-shop';
import type { Report } from './report';

const DRIFTED = 10;

/** Time and memory of one reconcile, for shops of two sizes: neither should grow faster than the shop. */
export async function benchReconcile(redisUrl: string, report: Report): Promise<void> {
  await inTwoSizes('reconcile', redisUrl, DRIFTED, report, async (system, parts) => {
    const worker = await system.startWorker({ RECONCILE_INTERVAL_MINUTES: '1440', TIMEOUT: '30' });
    const { seconds, before, most } = await watched(worker, 'stock_sync_reconcile_seconds');
    const reads = system.magento.counts().reads;
    const own = await gauge(worker, 'process_cpu_seconds_total');
    if (parts === LARGE) {
      const what = `reconcile of ${LARGE.toLocaleString('en')} parts of which ${DRIFTED} differ`;
      await system.quiet();
      const synced = await gauge(worker, 'stock_sync_outcomes_total');
      report.add({ name: `${what}: processor time of the worker`, values: [own], unit: 's', goal: { atMost: 20 } });
      report.add({ name: `${what}: memory`, values: [most], unit: 'MiB', goal: { atMost: 150 } });
      report.add({ name: `${what}: parts synced`, values: [synced], unit: 'parts', goal: { atMost: DRIFTED } });
    }
    const line =
      `own processor time ${own.toFixed(1)} s; fakes answer at once; ${reads} reads of Magento (at 33 ms each, ` +
      `two at a time: ${Math.round((reads * 0.033) / 2)} s); worker ${before} MiB before, ${most} MiB at most`;
    return { seconds, line };
  });
}
