import type { Log } from '@stock-sync/service';
import { PLUGIN_SILENT_MS, type LastHeartbeat, type PluginHeartbeat } from '@stock-sync/state';
import type { IngestMetrics } from './metrics';

/** How often the heartbeat is checked, in milliseconds. */
const CHECK_MS = 15_000;

/** Whether our plugin in InvenTree works: without its heartbeat, a dead plugin would look like a quiet shop. */
export type PluginState =
  | { state: 'no heartbeat yet' }
  | { state: 'alive' | 'silent'; lastHeartbeat: string; plugin: string; inventree: string; inventreeQueue: boolean };

export interface PluginWatch {
  /** By the last heartbeat that any ingest received. Rejects while Redis is unreachable. */
  state(): Promise<PluginState>;
  stop(): void;
}

/**
 * Checks the heartbeat regularly, and logs once when the plugin falls silent and when it is back.
 * @param clock the clock of Redis, by which heartbeats are stored
 */
export function watchPlugin(
  heartbeat: PluginHeartbeat,
  log: Log,
  metrics: IngestMetrics,
  clock: () => number,
): PluginWatch {
  const startedAt = Date.now();
  let logged: PluginState['state'] | undefined;
  let loggedQueue = true;

  async function check(): Promise<void> {
    const last = await heartbeat.last();
    const now = stateFrom(last, clock());
    metrics.pluginUp.set(now.state === 'alive' ? 1 : 0);
    metrics.lastHeartbeat.set((last?.at ?? 0) / 1000);
    // A service that has just started has not missed anything yet.
    if (now.state !== 'alive' && Date.now() - startedAt < PLUGIN_SILENT_MS) return;
    if (now.state !== logged) {
      if (now.state === 'alive') {
        const isBack = logged ? 'is back' : 'is alive';
        log.info(`The InvenTree plugin ${isBack}: version ${now.plugin}, InvenTree ${now.inventree}`);
      } else log.error(silenceMessage(now));
      logged = now.state;
    }
    if (now.state === 'alive' && now.inventreeQueue !== loggedQueue) {
      loggedQueue = now.inventreeQueue;
      if (loggedQueue) log.info('InvenTree queues events for its plugins again');
      else
        log.warn(
          'ENABLE_PLUGINS_EVENTS is off in InvenTree: the plugin cannot send again what it could not send at once. ' +
            'Turn it on in InvenTree, Admin Center > Plugins > Plugin Settings',
        );
    }
  }

  const checkQuietly = () => void check().catch(() => undefined);
  const timer = setInterval(checkQuietly, CHECK_MS);
  checkQuietly();
  return { state: async () => stateFrom(await heartbeat.last(), clock()), stop: () => clearInterval(timer) };
}

function stateFrom(last: LastHeartbeat | undefined, now: number): PluginState {
  if (!last) return { state: 'no heartbeat yet' };
  return {
    state: now - last.at > PLUGIN_SILENT_MS ? 'silent' : 'alive',
    lastHeartbeat: new Date(last.at).toISOString(),
    plugin: last.plugin,
    inventree: last.inventree,
    inventreeQueue: last.queue,
  };
}

function silenceMessage(state: PluginState): string {
  const remedy = "check InvenTree's background worker, its log, and ENABLE_PLUGINS_SCHEDULE";
  return state.state === 'no heartbeat yet'
    ? 'No heartbeat from the InvenTree plugin since ingest started. Is it installed, active and configured? ' +
        `If so, ${remedy}`
    : `The InvenTree plugin is silent since ${state.lastHeartbeat}, ` +
        `so changes may go unnoticed until the next sweep: ${remedy}`;
}
