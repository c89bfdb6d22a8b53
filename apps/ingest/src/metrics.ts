import { collectDefaultMetrics, Counter, Gauge, Registry } from 'prom-client';

/** The metrics of ingest. */
export interface IngestMetrics {
  registry: Registry;
  webhooks: Counter<'answer'>;
  events: Counter<'result'>;
  plugin: Counter<'counter'>;
  pluginUp: Gauge;
  lastHeartbeat: Gauge;
}

/** Creates the metrics; every counter is at zero. */
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
      help: 'Events: accepted, or the reason why they were ignored',
      labelNames: ['result'],
      registers: [registry],
    }),
    plugin: new Counter({
      name: 'stock_sync_plugin_total',
      help: 'Counters of the InvenTree plugin, from all of its processes',
      labelNames: ['counter'],
      registers: [registry],
    }),
    pluginUp: new Gauge({
      name: 'stock_sync_bridge_up',
      help: 'Whether the InvenTree plugin sent a heartbeat within the last three minutes',
      registers: [registry],
    }),
    lastHeartbeat: new Gauge({
      name: 'stock_sync_bridge_last_heartbeat_seconds',
      help: 'Unix time of the last heartbeat of the InvenTree plugin; 0 if there was none',
      registers: [registry],
    }),
  };
}
