import { SYSTEMS, type DeadLetters, type SyncQueue } from '@stock-sync/queue';
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { OutagePause } from './outage-pause';

/** What a worker counts. */
export interface WorkerMetrics {
  registry: Registry;
  outcomes: Counter<'outcome'>;
  /** Seconds from an event's acceptance to the end of its sync. */
  lag: Histogram;
  /** How long the last sweep took. */
  sweepSeconds: Gauge;
  /** What the last sweep found. */
  sweptParts: Gauge<'result'>;
  /** How long the last reconcile took. */
  reconcileSeconds: Gauge;
  /** What the last reconcile found. */
  reconciledSkus: Gauge<'result'>;
}

/** Counters at zero, and gauges that ask when they are asked. */
export function createWorkerMetrics(given: {
  queue: SyncQueue;
  deadLetters: DeadLetters;
  outages: OutagePause['current'];
}): WorkerMetrics {
  const registry = new Registry();
  const registers = [registry];
  collectDefaultMetrics({ register: registry });
  new Gauge({
    name: 'stock_sync_jobs',
    help: 'Jobs in the queue by state',
    labelNames: ['state'],
    registers,
    async collect() {
      for (const [state, count] of Object.entries(await given.queue.counts())) this.set({ state }, count);
    },
  });
  new Gauge({
    name: 'stock_sync_dead_letters',
    help: 'Parts that could not be synced',
    registers,
    async collect() {
      this.set(await given.deadLetters.count());
    },
  });
  new Gauge({
    name: 'stock_sync_outage_seconds',
    help: 'For how long what needs a system has been waiting for it; 0 where nothing waits',
    labelNames: ['system'],
    registers,
    collect() {
      for (const system of SYSTEMS) {
        const outage = given.outages().find(one => one.system === system);
        this.set({ system }, outage ? (Date.now() - outage.since) / 1000 : 0);
      }
    },
  });
  return {
    registry,
    outcomes: new Counter({
      name: 'stock_sync_outcomes_total',
      help: 'Jobs by how they ended',
      labelNames: ['outcome'],
      registers,
    }),
    lag: new Histogram({
      name: 'stock_sync_lag_seconds',
      help: 'From the acceptance of an event to the end of its sync',
      buckets: [0.1, 0.25, 0.5, 1, 2, 5, 10, 30, 60, 300, 3600],
      registers,
    }),
    sweepSeconds: new Gauge({
      name: 'stock_sync_sweep_seconds',
      help: 'How long the last sweep of this worker took',
      registers,
    }),
    sweptParts: new Gauge({
      name: 'stock_sync_swept_parts',
      help: 'Parts in the last sweep of this worker: all, those that differed from what was last seen, those held back',
      labelNames: ['result'],
      registers,
    }),
    reconcileSeconds: new Gauge({
      name: 'stock_sync_reconcile_seconds',
      help: 'How long the last reconcile of this worker took',
      registers,
    }),
    reconciledSkus: new Gauge({
      name: 'stock_sync_reconciled_skus',
      help: 'SKUs in the last reconcile of this worker by what was found: equal, drifted, missing in Magento ...',
      labelNames: ['result'],
      registers,
    }),
  };
}
