import type { Log } from '@stock-sync/service';
import type { LastHeartbeat } from '@stock-sync/state';
import { createIngestMetrics } from '../src/metrics';
import { watchPlugin, type PluginWatch } from '../src/plugin-watch';

const MINUTE = 60_000;
let last: LastHeartbeat | undefined;
let lines: [level: string, line: string][];
let watch: PluginWatch;
let metrics: ReturnType<typeof createIngestMetrics>;

function startWatch(): void {
  lines = [];
  const write = (level: string) => (line: string) => lines.push([level, line]);
  const log = { info: write('info'), warn: write('warn'), error: write('error') } as unknown as Log;
  metrics = createIngestMetrics();
  watch = watchPlugin({ received: () => Promise.resolve(), last: () => Promise.resolve(last) }, log, metrics, Date.now);
}

const beat = (queue = true) => (last = { plugin: '0.1.0', inventree: '1.4.0', queue, at: Date.now() });
const gauge = async (name: string) => (await metrics.registry.getSingleMetric(name)?.get())?.values[0]?.value;

beforeEach(() => {
  jest.useFakeTimers();
  last = undefined;
  startWatch();
});
afterEach(() => {
  watch.stop();
  jest.useRealTimers();
});

async function minutes(count: number, each?: () => void): Promise<void> {
  for (let minute = 0; minute < count; minute++) {
    each?.();
    await jest.advanceTimersByTimeAsync(MINUTE);
  }
}

it('logs once that the plugin is alive, and shows it', async () => {
  await minutes(30, beat);
  expect(lines).toEqual([['info', 'The InvenTree plugin is alive: version 0.1.0, InvenTree 1.4.0']]);
  expect(await watch.state()).toMatchObject({ state: 'alive', plugin: '0.1.0', inventree: '1.4.0' });
  expect(await gauge('stock_sync_bridge_up')).toBe(1);
});

it('logs once, and not before three minutes, that no heartbeat came', async () => {
  await minutes(3);
  expect(lines).toEqual([]);
  await minutes(30);
  expect(lines).toEqual([['error', expect.stringContaining('No heartbeat from the InvenTree plugin since')]]);
  expect(await watch.state()).toEqual({ state: 'no heartbeat yet' });
  expect([await gauge('stock_sync_bridge_up'), await gauge('stock_sync_bridge_last_heartbeat_seconds')]).toEqual([
    0, 0,
  ]);
});

it('logs once that the plugin is silent, and once that it is back', async () => {
  await minutes(5, beat);
  const silentSince = new Date(last?.at ?? 0).toISOString();
  await minutes(10);
  expect(await watch.state()).toMatchObject({ state: 'silent', lastHeartbeat: silentSince });
  expect(await gauge('stock_sync_bridge_up')).toBe(0);
  await minutes(5, beat);
  expect(lines.slice(1)).toEqual([
    ['error', expect.stringContaining(`The InvenTree plugin is silent since ${silentSince}`)],
    ['info', 'The InvenTree plugin is back: version 0.1.0, InvenTree 1.4.0'],
  ]);
});

it('tolerates one or two missing heartbeats', async () => {
  await minutes(5, beat);
  await minutes(2);
  await minutes(5, beat);
  expect(lines).toHaveLength(1);
});

it('gives a plugin that was silent before ingest started its three minutes', async () => {
  beat();
  await minutes(60);
  watch.stop();
  startWatch();
  await minutes(2);
  expect(lines).toEqual([]);
  await minutes(2);
  expect(lines).toHaveLength(1);
});

it("logs once that InvenTree's event queue is off, and once that it is on again", async () => {
  await minutes(5, () => beat(false));
  await minutes(5, () => beat(true));
  expect(lines.slice(1)).toEqual([
    ['warn', expect.stringContaining('ENABLE_PLUGINS_EVENTS is off in InvenTree')],
    ['info', 'InvenTree queues events for its plugins again'],
  ]);
});
