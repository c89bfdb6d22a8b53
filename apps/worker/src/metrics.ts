import { withinPatience } from '@stock-sync/service';
import type { DeadLetters, JobQueues, OpenBreaker, UnbookedStock } from '@stock-sync/state';
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';

/** The metrics of a worker. */
export interface WorkerMetrics {
  registry: Registry;
  outcomes: Counter<'outcome'>;
  /** What came of each look at an order. */
  orders: Counter<'outcome'>;
  /** Calls of both systems. */
  calls: Counter<'system' | 'result'>;
  /** Seconds from the acceptance of an event to the end of its sync. */
  lag: Histogram;
  /** Duration of the last sweep. */
  sweepSeconds: Gauge;
  /** What the last sweep found. */
  sweptParts: Gauge<'result'>;
  /** Duration of the last reconcile. */
  reconcileSeconds: Gauge;
  /** What the last reconcile found. */
  reconciledSkus: Gauge<'result'>;
}

/** Creates the metrics; gauges read their value when they are scraped. */
export function createWorkerMetrics(deps: {
  queues: JobQueues;
  deadLetters: DeadLetters;
  /** Undefined where orders are off. */
  unbooked: UnbookedStock | undefined;
  openBreakers: () => readonly OpenBreaker[];
  /** The clock of Redis. */
  now: () => number;
}): WorkerMetrics {
  const registry = new Registry();
  const registers = [registry];
  collectDefaultMetrics({ register: registry });
  new Gauge({
    name: 'stock_sync_jobs',
    help: 'Jobs by state',
    labelNames: ['state'],
    registers,
    async collect() {
      const counts = await withinPatience(deps.queues.counts());
      // Rather no value than an old one.
      this.reset();
      for (const [state, count] of Object.entries(counts ?? {})) this.set({ state }, count);
    },
  });
  new Gauge({
    name: 'stock_sync_dead_letters',
    help: 'Dead letters',
    registers,
    async collect() {
      const count = await withinPatience(deps.deadLetters.count());
      if (count === undefined) this.remove();
      else this.set(count);
    },
  });
  new Gauge({
    name: 'stock_sync_outage_seconds',
    help: 'Seconds since work has been waiting for a system; 0 while nothing waits',
    labelNames: ['system'],
    registers,
    collect() {
      for (const [system, breaker] of Object.entries({ InvenTree: 'inventree', Magento: 'magento' })) {
        const open = deps.openBreakers().filter(({ name }) => name.startsWith(breaker));
        this.set({ system }, Math.max(0, ...open.map(({ since }) => (deps.now() - since) / 1000)));
      }
    },
  });
  const { unbooked } = deps;
  if (unbooked) {
    new Gauge({
      name: 'stock_sync_unbooked_skus',
      help: 'SKUs of which one system has shipped something for an order and the other has not',
      registers,
      async collect() {
        const count = await withinPatience(unbooked.count());
        if (count === undefined) this.remove();
        else this.set(count);
      },
    });
  }
  return {
    registry,
    outcomes: new Counter({
      name: 'stock_sync_outcomes_total',
      help: 'Jobs by outcome',
      labelNames: ['outcome'],
      registers,
    }),
    orders: new Counter({
      name: 'stock_sync_orders_total',
      help: 'Looks at an order, by outcome',
      labelNames: ['outcome'],
      registers,
    }),
    calls: new Counter({
      name: 'stock_sync_calls_total',
      help: 'Calls of InvenTree and Magento, by whether they failed',
      labelNames: ['system', 'result'],
      registers,
    }),
    lag: new Histogram({
      name: 'stock_sync_lag_seconds',
      help: 'Seconds from the acceptance of an event to the end of its sync',
      buckets: [0.1, 0.25, 0.5, 1, 2, 5, 10, 30, 60, 300, 3600],
      registers,
    }),
    sweepSeconds: new Gauge({
      name: 'stock_sync_sweep_seconds',
      help: 'Duration of the last sweep of this worker',
      registers,
    }),
    sweptParts: new Gauge({
      name: 'stock_sync_swept_parts',
      help: 'Parts in the last sweep of this worker: all, changed since their last sync, held back',
      labelNames: ['result'],
      registers,
    }),
    reconcileSeconds: new Gauge({
      name: 'stock_sync_reconcile_seconds',
      help: 'Duration of the last reconcile of this worker',
      registers,
    }),
    reconciledSkus: new Gauge({
      name: 'stock_sync_reconciled_skus',
      help: 'SKUs in the last reconcile of this worker: equal, drifted, missing in Magento, ...',
      labelNames: ['result'],
      registers,
    }),
  };
}
