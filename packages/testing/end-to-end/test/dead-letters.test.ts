import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { stockActions } from '@stock-sync/fakes';
import { startSystem, type System } from '../src';
import { isWrite, redisServer, until } from './support';

const command = join(__dirname, '..', '..', '..', '..', 'apps', 'cli', 'dist', 'main.js');

interface Printed {
  code: number;
  out: string;
  errors: string;
}

/** Runs `stock-sync dead-letters ...` without npm. */
function deadLetters(args: string[], environment: Record<string, string>): Promise<Printed> {
  const env = { PATH: process.env.PATH, NODE_ENV: 'production', ...environment };
  return new Promise(resolve => {
    const child = execFile(process.execPath, [command, 'dead-letters', ...args], { env }, (_, out, errors) =>
      resolve({ code: child.exitCode ?? -1, out, errors }),
    );
  });
}

describe('the dead-letters command', () => {
  let system: System;
  let parts: number[];
  const run = (...args: string[]) => deadLetters(args, { REDIS_URL: system.database.url, SYNC_DELAY_MS: '30' });
  const shown = (sku: string) => system.magento.store.shown(sku)?.quantity;

  beforeEach(async () => {
    system = await startSystem({
      redisServer: redisServer(),
      environment: { MAX_ATTEMPTS: '1', SYNC_DELAY_MS: '30' },
    });
    const { inventree, magento } = system;
    // The store takes writes of this one, so the other ones are at fault.
    magento.store.addProduct('GOOD', { quantity: 1 });
    magento.setFault(call =>
      isWrite(call) && !JSON.stringify(call.body).includes('"GOOD"')
        ? { answer: { status: 400, headers: { 'content-type': 'application/json' }, body: { message: 'no' } } }
        : undefined,
    );
    parts = ['ONE', 'TWO', 'A "quoted" SKU'].map(name => {
      const part = inventree.shop.addPart({ name }).pk;
      magento.store.addProduct(name, { quantity: 999 });
      stockActions.create(inventree.shop, { part, quantity: 5 });
      return part;
    });
    await system.quiet();
    magento.setFault(undefined);
  });
  afterEach(() => system.stop());

  it('lists dead letters with their reasons, for people and as JSON', async () => {
    const { code, out } = await run('list');
    expect(code).toBe(0);
    expect(out).toContain(`part ${parts[0]}  SKU 'ONE', target 5, refused\n  Magento answered 400: no\n`);
    expect(out).toContain('Correct what the reason names in Magento, and replay it.\n  1 attempt, ');
    expect(out).toContain('event stock_stockitem.created\n');
    expect(out).toMatch(/3 dead letters\.\n$/);
    const json = JSON.parse((await run('list', '--json')).out) as { part: number }[];
    expect(json.map(deadLetter => deadLetter.part).sort()).toEqual(parts);
  });

  it('replays dead letters by part, SKU or id, which are removed once the part is in sync', async () => {
    const byPart = await run('replay', String(parts[0]), 'A "quoted" SKU');
    expect([byPart.code, byPart.out]).toEqual([
      0,
      `part ${parts[0]} (SKU 'ONE'): queued; the dead letter is removed when the part is in sync\n` +
        `part ${parts[2]} (SKU 'A "quoted" SKU'): queued; the dead letter is removed when the part is in sync\n` +
        '2 replayed.\n',
    ]);
    await until('both are synced', () => shown('ONE') === 5 && shown('A "quoted" SKU') === 5);
    await system.quiet();
    expect((await run('list')).out).toMatch(/1 dead letter\.\n$/);
    expect((await run('replay', `part-${parts[1]}`)).code).toBe(0);
    await until('the last is synced', () => shown('TWO') === 5);
    await system.quiet();
    expect((await run('list')).out).toBe('There are no dead letters.\n');
    expect((await run('replay', '--all')).out).toBe('There are no dead letters.\n');
  });

  it('keeps dead letters that fail again, with the newer failure', async () => {
    system.magento.setFault(call =>
      isWrite(call) && !JSON.stringify(call.body).includes('"GOOD"')
        ? { answer: { status: 400, headers: { 'content-type': 'application/json' }, body: { message: 'still no' } } }
        : undefined,
    );
    expect((await run('replay', '--all')).out).toMatch(/3 replayed\.\n$/);
    await system.quiet();
    const { out } = await run('list');
    expect(out.match(/Magento answered 400: still no/g)).toHaveLength(3);
    expect(out).toContain('event replay of stock_stockitem.created');
  });

  it('discards one or all dead letters, and syncs nothing', async () => {
    expect((await run('discard', 'TWO')).out).toBe(`part ${parts[1]} (SKU 'TWO'): discarded\n1 discarded.\n`);
    expect((await run('discard', '--all')).out).toMatch(/2 discarded\.\n$/);
    await system.quiet();
    expect((await run('list')).out).toBe('There are no dead letters.\n');
    expect(shown('TWO')).toBe(999);
  });

  it('exits with one line for a dead letter that does not exist, and for wrong arguments', async () => {
    expect(await run('replay', '4711')).toEqual({
      code: 1,
      out: '',
      errors: "no dead letter has the part, SKU or id '4711' (see: stock-sync dead-letters list)\n",
    });
    for (const args of [['replay'], ['discard', '--all', '45']]) {
      const { code, errors } = await run(...args);
      expect([code, errors]).toEqual([2, 'expected parts, or --all: one of the two\n']);
    }
    expect((await run('nonsense')).code).toBe(2);
  });
});

describe('without Redis', () => {
  it('the command says so, and does not wait for ever', async () => {
    const away = await deadLetters(['list'], { REDIS_URL: 'redis://127.0.0.1:1' });
    expect([away.code, away.out]).toEqual([1, '']);
    expect(away.errors).toMatch(
      /^Redis is unreachable: .*ECONNREFUSED.*REDIS_URL must be the one that the services use\.\n$/,
    );
    const unset = await deadLetters(['list'], {});
    expect(unset.code).toBe(1);
    expect(unset.errors).toContain('REDIS_URL');
  });
});
