import type { LastHeartbeat } from '@stock-sync/queue';
import type { Log } from '@stock-sync/service';
import { watchBridge, type BridgeWatch } from '../src/bridge-watch';
import { createIngestMetrics } from '../src/metrics';

const MINUTE = 60_000;
let last: LastHeartbeat | undefined;
let lines: [level: string, line: string][];
let watch: BridgeWatch;
let metrics: ReturnType<typeof createIngestMetrics>;

function startWatch(): void {
  lines = [];
  const write = (level: string) => (line: string) => lines.push([level, line]);
  const log = { info: write('info'), warn: write('warn'), error: write('error') } as unknown as Log;
  metrics = createIngestMetrics();
  watch = watchBridge({ beat: () => Promise.resolve(), last: () => Promise.resolve(last) }, log, metrics);
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

it('alive: said once, and shown', async () => {
  await minutes(30, beat);
  expect(lines).toEqual([['info', 'the InvenTree plugin is there: version 0.1.0, InvenTree 1.4.0']]);
  expect(await watch.state()).toMatchObject({ state: 'alive', plugin: '0.1.0', inventree: '1.4.0' });
  expect(await gauge('stock_sync_bridge_up')).toBe(1);
});

it('never heard: said once, after three minutes and not before', async () => {
  await minutes(3);
  expect(lines).toEqual([]);
  await minutes(30);
  expect(lines).toEqual([['error', expect.stringContaining('no heartbeat of the InvenTree plugin since')]]);
  expect(await watch.state()).toEqual({ state: 'not heard yet' });
  expect([await gauge('stock_sync_bridge_up'), await gauge('stock_sync_bridge_last_heartbeat_seconds')]).toEqual([
    0, 0,
  ]);
});

it('falls silent and comes back: each is said once', async () => {
  await minutes(5, beat);
  const silentSince = new Date(last?.at ?? 0).toISOString();
  await minutes(10);
  expect(await watch.state()).toMatchObject({ state: 'silent', lastHeartbeat: silentSince });
  expect(await gauge('stock_sync_bridge_up')).toBe(0);
  await minutes(5, beat);
  expect(lines.slice(1)).toEqual([
    ['error', expect.stringContaining(`the InvenTree plugin is silent since ${silentSince}`)],
    ['info', 'the InvenTree plugin is back: version 0.1.0, InvenTree 1.4.0'],
  ]);
});

it('one or two heartbeats that are missing are no silence', async () => {
  await minutes(5, beat);
  await minutes(2);
  await minutes(5, beat);
  expect(lines).toHaveLength(1);
});

it('was silent before this ingest started: it gets its three minutes', async () => {
  beat();
  await minutes(60);
  watch.stop();
  startWatch();
  await minutes(2);
  expect(lines).toEqual([]);
  await minutes(2);
  expect(lines).toHaveLength(1);
});

it("InvenTree's queue of events is off: said once, and when it is on again", async () => {
  await minutes(5, () => beat(false));
  await minutes(5, () => beat(true));
  expect(lines.slice(1)).toEqual([
    ['warn', expect.stringContaining('ENABLE_PLUGINS_EVENTS is off in InvenTree')],
    ['info', 'InvenTree queues events for its plugins again'],
  ]);
});
