import { collectDefaultMetrics, Counter, Registry } from 'prom-client';

/** What ingest counts. */
export interface IngestMetrics {
  registry: Registry;
  webhooks: Counter<'answer'>;
  events: Counter<'result'>;
}

/** Counters at zero. */
export function createIngestMetrics(): IngestMetrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  return {
    registry,
    webhooks: new Counter({
      name: 'stock_sync_webhooks_total',
      help: 'Webhooks by the status of the answer, or "duplicate"',
      labelNames: ['answer'],
      registers: [registry],
    }),
    events: new Counter({
      name: 'stock_sync_events_total',
      help: 'Events by what became of them: accepted, or why ignored',
      labelNames: ['result'],
      registers: [registry],
    }),
  };
}
