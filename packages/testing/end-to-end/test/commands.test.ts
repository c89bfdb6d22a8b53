import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { startSystem, type System } from '../src';
import { jsonError, redisServer, shown, until, widget, isWrite } from './support';

/** The commands `status` and `sync`. */

const command = join(__dirname, '../../../../apps/cli/dist/main.js');

let system: System | undefined;
afterEach(async () => {
  await system?.stop();
  system = undefined;
});

const start = async (environment: Record<string, string> = {}) => {
  system = await startSystem({
    redisServer: redisServer(),
    sends: 'none',
    environment: { SYNC_DELAY_MS: '10', ...environment },
  });
  return system;
};

function run(running: System, ...args: string[]): Promise<{ code: number | null; out: string }> {
  const env = { PATH: process.env.PATH, NODE_ENV: 'production', REDIS_URL: running.database.url };
  return new Promise(resolve => {
    const child = execFile(process.execPath, [command, ...args], { env }, (_, out, errors) =>
      resolve({ code: child.exitCode, out: out + errors }),
    );
  });
}

describe('status', () => {
  it('says first whether the store is right', async () => {
    const running = await start({ RECONCILE_INTERVAL_MINUTES: '30' });
    widget(running);
    expect((await run(running, 'status')).code).toBe(0);
    await until('the store is right', () => shown(running) === 50);
    await run(running, 'reconcile');
    await running.quiet();
    const { code, out } = await run(running, 'status');
    expect(out).toMatch(/^All 1 SKUs were in sync \d s ago, and no part waits\.\n/);
    expect(out).toContain('Dead letters    0');
    expect(out).toMatch(/Last reconcile {2}\d s ago: 1 equal\n/);
    expect(out).toContain('Plugin          no heartbeat yet');
    expect(code).toBe(0);
    const json = JSON.parse((await run(running, 'status', '--json')).out) as object;
    expect(json).toMatchObject({ waitsFor: [], deadLetters: 0, lastReconcile: { counts: { equal: 1 }, heldBack: 0 } });
  });

  it('says what work waits for, and since when', async () => {
    const running = await start();
    const item = widget(running);
    running.magento.setMaintenance(true);
    await run(running, 'sync', String(item.part));
    await until('work waits', async () => (await run(running, 'status')).out.startsWith('Waiting for Magento for '));
    expect((await run(running, 'status')).code).toBe(1);
    running.magento.setMaintenance(false);
  });

  it('says that parts cannot be synced, and what to do', async () => {
    const running = await start({ MAX_ATTEMPTS: '1' });
    widget(running, 'GOOD');
    const item = widget(running);
    running.magento.setFault(call =>
      isWrite(call) && JSON.stringify(call.body).includes('WIDGET') ? jsonError(400, 'no') : undefined,
    );
    await run(running, 'sync', '1', String(item.part));
    await until('there is a dead letter', async () => {
      const { code, out } = await run(running, 'status');
      return code === 1 && out.startsWith('1 part cannot be synced.\n') && out.includes('dead-letters -- list');
    });
  });
});

describe('sync', () => {
  it('syncs parts by SKU or id, and queues nothing where one of them is unknown', async () => {
    const running = await start();
    const item = widget(running);
    expect(await run(running, 'sync', String(item.part))).toEqual({
      code: 0,
      out: `${item.part}: part ${item.part} is queued\n`,
    });
    await until('the store is right', () => shown(running) === 50);
    item.quantity = 30;
    expect((await run(running, 'sync', 'WIDGET-123', 'NOBODY')).out).toBe(
      "No part that was ever synced has SKU 'NOBODY'. Nothing was queued. Use the id of the part.\n",
    );
    expect((await run(running, 'sync', 'widget-123')).out).toBe(`widget-123: part ${item.part} is queued\n`);
    await until('the store is right', () => shown(running) === 30);
  });
});
