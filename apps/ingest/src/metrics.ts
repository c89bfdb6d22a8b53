import { collectDefaultMetrics, Counter, Gauge, Registry } from 'prom-client';

/** What ingest counts. */
export interface IngestMetrics {
  registry: Registry;
  webhooks: Counter<'answer'>;
  events: Counter<'result'>;
  plugin: Counter<'counter'>;
  bridgeUp: Gauge;
  lastHeartbeat: Gauge;
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
    plugin: new Counter({
      name: 'stock_sync_plugin_total',
      help: 'What the InvenTree plugin counted in all of its processes',
      labelNames: ['counter'],
      registers: [registry],
    }),
    bridgeUp: new Gauge({
      name: 'stock_sync_bridge_up',
      help: 'Whether the InvenTree plugin sent a heartbeat within the last three minutes',
      registers: [registry],
    }),
    lastHeartbeat: new Gauge({
      name: 'stock_sync_bridge_last_heartbeat_seconds',
      help: 'When the InvenTree plugin sent its last heartbeat, in seconds since 1970; 0 if never',
      registers: [registry],
    }),
  };
}
