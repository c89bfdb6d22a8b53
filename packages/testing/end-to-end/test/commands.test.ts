import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runStockSync, startSystem, TEST_SECRET, type System } from '../src';
import { jsonError, redisServer, shown, until, widget, isWrite } from './support';

/** The commands that have no test file of their own. */

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

const run = (running: System, ...args: string[]) => runStockSync({ REDIS_URL: running.database.url }, args);

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
    expect(json).toMatchObject({ waitsFor: [], deadLetters: 0, heldBack: 0, lastReconcile: { counts: { equal: 1 } } });
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
      return code === 1 && out.startsWith('1 part cannot be synced.\n') && out.includes('stock-sync dead-letters list');
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

describe('init', () => {
  let folder: string;
  beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'stock-sync-init-'))));
  afterEach(() => rmSync(folder, { recursive: true }));

  const answersFor = ({ environment }: System, token = environment.INVENTREE_TOKEN ?? '') => [
    environment.REDIS_URL ?? '',
    environment.INVENTREE_URL ?? '',
    token,
    environment.MAGENTO_URL ?? '',
    environment.MAGENTO_CONSUMER_KEY ?? '',
    environment.MAGENTO_CONSUMER_SECRET ?? '',
    environment.MAGENTO_ACCESS_TOKEN ?? '',
    environment.MAGENTO_ACCESS_TOKEN_SECRET ?? '',
  ];

  it('asks, checks each system, and writes settings with which the doctor finds nothing wrong', async () => {
    const running = await start();
    const file = join(folder, '.env');
    const { code, out } = await runStockSync({}, ['init', '--file', file], answersFor(running));
    expect(out).toContain('is InvenTree 1.4.0');
    expect(out).toContain('ok       the integration writes stock');
    expect(out).toContain(`Wrote ${file}.`);
    expect(code).toBe(0);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    const written = Object.fromEntries(
      readFileSync(file, 'utf8')
        .trim()
        .split('\n')
        .map(line => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]),
    );
    expect(written).toMatchObject({ ENABLE_SYNC: 'false', REDIS_URL: running.database.url });
    expect(written.WEBHOOK_SECRET).toMatch(/^whsec_.{44}$/);
    expect(written.DASHBOARD_PASSWORD?.length).toBeGreaterThan(12);
    const doctor = await runStockSync(written, ['doctor']);
    expect(doctor.out).not.toContain('error  ');
    expect(doctor.code).toBe(0);
  });

  it('asks again after a wrong answer, and keeps those that were right', async () => {
    const running = await start();
    const file = join(folder, '.env');
    const wrong = answersFor(running, 'inv-wrong').slice(0, 3);
    const { code, out } = await runStockSync(
      {},
      ['init', '--file', file],
      [...wrong, 'n', '', ...answersFor(running).slice(2)],
    );
    expect(out).toContain('error    InvenTree refused the token');
    expect(out).toContain(`Wrote ${file}.`);
    expect(code).toBe(0);
    expect(readFileSync(file, 'utf8')).toContain(`INVENTREE_TOKEN=${running.environment.INVENTREE_TOKEN}`);
  });

  it('writes nothing where the input ends', async () => {
    const running = await start();
    const file = join(folder, '.env');
    const { code, out } = await runStockSync({}, ['init', '--file', file], answersFor(running).slice(0, 2));
    expect(out).toContain('The input ended before every question was answered. Nothing was written.');
    expect(code).toBe(1);
    expect(() => statSync(file)).toThrow();
  });
});

describe('send-event', () => {
  it('has ingest sync a part, and says what is wrong otherwise', async () => {
    const running = await start();
    const item = widget(running);
    const send = (secret: string, url: string) =>
      runStockSync({ WEBHOOK_SECRET: secret }, ['send-event', String(item.part), '--url', url]);
    expect(await send(TEST_SECRET, running.ingest.url)).toEqual({
      code: 0,
      out: expect.stringMatching(/^Ingest accepted stock_stockitem.saved of part 1 as webhook msg_/) as string,
    });
    await until('the store is right', () => shown(running) === 50);
    expect(await send('whsec_d3Jvbmctd3Jvbmctd3Jvbmctd3Jvbmc=', running.ingest.url)).toEqual({
      code: 1,
      out: expect.stringContaining('Ingest answered 401') as string,
    });
    expect((await send(TEST_SECRET, 'http://127.0.0.1:9')).out).toContain(
      'Ingest does not answer at http://127.0.0.1:9',
    );
    expect((await runStockSync({}, ['send-event', '1'])).out).toContain('WEBHOOK_SECRET: is not set');
  });
});

describe('every command', () => {
  it('has documented exit codes: 2 where the command itself is wrong', async () => {
    expect((await runStockSync({}, ['--help'])).out).toContain('2  the command was wrong');
    for (const args of [
      ['nonsense'],
      ['sync'],
      ['sync', '--nonsense', '1'],
      ['send-event', 'x'],
      ['completion', 'dos'],
    ]) {
      expect([args, (await runStockSync({}, args)).code]).toEqual([args, 2]);
    }
    const unreachable = await runStockSync({ REDIS_URL: 'redis://127.0.0.1:9' }, ['status']);
    expect(unreachable.code).toBe(1);
    expect(unreachable.out).toContain('Redis is unreachable: connect ECONNREFUSED 127.0.0.1:9');
    expect(await runStockSync({ REDIS_URL: 'nonsense' }, ['status'])).toEqual({
      code: 1,
      out: expect.stringContaining('REDIS_URL: expected an address like redis://localhost:6379') as string,
    });
  });

  it('answers in JSON, and without colours when piped', async () => {
    const running = await start();
    const item = widget(running);
    await run(running, 'sync', String(item.part));
    await until('the store is right', () => shown(running) === 50);
    const json = async (...args: string[]) => JSON.parse((await run(running, ...args, '--json')).out) as unknown;
    expect(await json('sync', 'WIDGET-123')).toEqual([{ subject: 'WIDGET-123', parts: [item.part] }]);
    expect(await json('reconcile', '--dry-run')).toMatchObject({ counts: { equal: 1 }, drifted: [] });
    expect(await json('dead-letters', 'list')).toEqual([]);
    expect(await json('explain', 'WIDGET-123')).toMatchObject([{ part: item.part }]);
    expect((await run(running, 'doctor')).out).not.toContain('\x1b');
  });

  it('is completed by the shell', async () => {
    const { out } = await runStockSync({}, ['completion', 'bash']);
    const complete = (...words: string[]) =>
      execFileSync(
        'bash',
        [
          '-c',
          `${out}\nCOMP_WORDS=(${words.join(' ')} ''); COMP_CWORD=${words.length}
        _stock_sync; echo "\${COMPREPLY[*]}"`,
        ],
        { encoding: 'utf8' },
      );
    expect(complete('stock-sync')).toContain('dead-letters');
    expect(complete('stock-sync', 'dead-letters')).toContain('replay');
    expect(complete('stock-sync', 'reconcile')).toContain('--dry-run');
  });

  it('makes secrets and hashes of passwords', async () => {
    expect((await runStockSync({}, ['secret'])).out).toMatch(/^whsec_[\w+/]{43}=\n$/);
    expect((await runStockSync({}, ['password'], ['correct horse'])).out).toContain('scrypt$');
  });
});
