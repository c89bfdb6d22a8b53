import type { JobKind, JobOf } from '@stock-sync/state';
import type { createExplain } from './explain';
import type { createFindOrders } from './find-orders';
import type { createFindPartOfStockItem } from './find-part-of-stock-item';
import type { createImportOrder } from './import-order';
import type { JobRun } from './job-run';
import type { createReconcile } from './reconcile';
import type { createResync } from './resync';
import type { createSweep } from './sweep';
import type { createSyncPart } from './sync-part';
import type { createTestNotification } from './test-notification';

/**
 * The handler of each kind of job, except for those of several parts, which run-together.ts splits. The table of kinds
 * is in packages/state/src/job-catalog.ts.
 */
export type JobHandlers = { [Kind in Exclude<JobKind, 'parts'>]: (job: JobOf<Kind>, run: JobRun) => Promise<unknown> };

/** The handlers of a worker. */
export function jobHandlers(jobs: {
  syncPart: ReturnType<typeof createSyncPart>;
  findPartOfStockItem: ReturnType<typeof createFindPartOfStockItem>;
  resync: ReturnType<typeof createResync>;
  sweep: ReturnType<typeof createSweep>;
  reconcile: ReturnType<typeof createReconcile>;
  explain: ReturnType<typeof createExplain>;
  testNotification: ReturnType<typeof createTestNotification>;
  findOrders: ReturnType<typeof createFindOrders>;
  importOrder: ReturnType<typeof createImportOrder>;
}): JobHandlers {
  return {
    part: jobs.syncPart.run,
    'stock-item': jobs.findPartOfStockItem.run,
    resync: jobs.resync.run,
    sweep: jobs.sweep.run,
    reconcile: jobs.reconcile.run,
    'reconcile-command': jobs.reconcile.runCommand,
    explain: jobs.explain.run,
    'test-notification': jobs.testNotification.run,
    'find-orders': jobs.findOrders.run,
    order: jobs.importOrder.run,
  };
}
