import type { Bridge, LastHeartbeat } from '@stock-sync/queue';
import type { Log } from '@stock-sync/service';
import type { IngestMetrics } from './metrics';

/** The plugin sends a heartbeat each minute; after three that did not come it is called silent. */
const SILENT_AFTER_MS = 3 * 60_000 + 15_000;
/** How often it is looked at. */
const LOOK_MS = 15_000;

/** Whether our plugin in InvenTree is alive: a dead bridge looks like a quiet shop, were it not for its heartbeat. */
export type BridgeState =
  | { state: 'not heard yet' }
  | { state: 'alive' | 'silent'; lastHeartbeat: string; plugin: string; inventree: string; inventreeQueue: boolean };

export interface BridgeWatch {
  /** As any ingest last heard it. Rejects while Redis is away. */
  state(): Promise<BridgeState>;
  stop(): void;
}

/** Looks at the bridge now and then, and says it once when it falls silent and when it is back. */
export function watchBridge(bridge: Bridge, log: Log, metrics: IngestMetrics): BridgeWatch {
  const startedAt = Date.now();
  let told: BridgeState['state'] | undefined;
  let toldOfQueue = true;

  async function look(): Promise<void> {
    const last = await bridge.last();
    const now = stateOf(last);
    metrics.bridgeUp.set(now.state === 'alive' ? 1 : 0);
    metrics.lastHeartbeat.set((last?.at ?? 0) / 1000);
    // A service that has just started has not missed anything yet.
    if (now.state !== 'alive' && Date.now() - startedAt < SILENT_AFTER_MS) return;
    if (now.state !== told) {
      if (now.state === 'alive') {
        const isBack = told ? 'back' : 'there';
        log.info(`the InvenTree plugin is ${isBack}: version ${now.plugin}, InvenTree ${now.inventree}`);
      } else log.error(warningOf(now));
      told = now.state;
    }
    if (now.state === 'alive' && now.inventreeQueue !== toldOfQueue) {
      toldOfQueue = now.inventreeQueue;
      if (toldOfQueue) log.info('InvenTree queues events for its plugins again');
      else
        log.warn(
          'ENABLE_PLUGINS_EVENTS is off in InvenTree: what its plugin can not send at once it does not send at all. ' +
            'Turn it on in InvenTree, Admin Center > Plugins > Plugin Settings',
        );
    }
  }

  const lookQuietly = () => void look().catch(() => undefined);
  const timer = setInterval(lookQuietly, LOOK_MS);
  lookQuietly();
  return { state: async () => stateOf(await bridge.last()), stop: () => clearInterval(timer) };
}

function stateOf(last: LastHeartbeat | undefined): BridgeState {
  if (!last) return { state: 'not heard yet' };
  return {
    state: Date.now() - last.at > SILENT_AFTER_MS ? 'silent' : 'alive',
    lastHeartbeat: new Date(last.at).toISOString(),
    plugin: last.plugin,
    inventree: last.inventree,
    inventreeQueue: last.queue,
  };
}

function warningOf(state: BridgeState): string {
  const where = "look at InvenTree's background worker, its log, and ENABLE_PLUGINS_SCHEDULE";
  return state.state === 'not heard yet'
    ? `no heartbeat of the InvenTree plugin since this ingest started. Is it installed, active and configured? If so, ${where}`
    : `the InvenTree plugin is silent since ${state.lastHeartbeat}: changes may not be heard; ${where}`;
}
