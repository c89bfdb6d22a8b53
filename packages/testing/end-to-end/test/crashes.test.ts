import { setTimeout as sleep } from 'node:timers/promises';
import { stockActions } from '@stock-sync/fakes';
import { Queue } from 'bullmq';
import { startTcpProxy } from '@stock-sync/servers';
import { queueKey, startSystem, type System } from '../src';
import { deadLettersOf, enqueue, isWrite, redisServer, shown, until, widget } from './support';

let system: System | undefined;
afterEach(async () => {
  await system?.stop();
  system = undefined;
});

async function start(environment: Record<string, string> = {}) {
  system = await startSystem({ redisServer: redisServer(), environment: { SYNC_DELAY_MS: '30', ...environment } });
  return { running: system, item: widget(system) };
}

const isHanging = ({ magento }: System) => magento.calls.some(isWrite);

/** A change whose write the store does not answer. */
async function startHanging() {
  const { running, item } = await start({ TIMEOUT: '60' });
  running.magento.setFault(call => (isWrite(call) ? { hang: true } : undefined));
  stockActions.add(running.inventree.shop, item, 30);
  await until('the write hangs', () => isHanging(running));
  running.magento.setFault(undefined);
  const [worker] = running.workers;
  if (!worker) throw new Error('no worker');
  return { running, worker };
}

describe('a worker', () => {
  it('that is killed has its jobs taken over within 15 s', async () => {
    const { running, worker } = await startHanging();
    worker.kill('SIGKILL');
    const killedAt = Date.now();
    await running.startWorker();
    await until('the store is right', () => shown(running) === 80, 20_000);
    expect(Date.now() - killedAt).toBeLessThan(15_000);
    expect(await deadLettersOf(running)).toEqual([]);
  });

  it('that is stopped while the store does not answer exits with 0 within 10 s, and returns its jobs', async () => {
    const { running, worker } = await startHanging();
    const askedAt = Date.now();
    expect(await worker.stop()).toBe(0);
    expect(Date.now() - askedAt).toBeLessThan(10_000);
    expect(await running.database.redis.llen(queueKey('parts', 'active'))).toBe(0);
    await running.startWorker();
    await until('the store is right', () => shown(running) === 80, 15_000);
  });

  it('that is stopped while Redis is unreachable exits with 0 within 10 s', async () => {
    const server = new URL(redisServer());
    const proxy = await startTcpProxy(server.hostname, Number(server.port));
    const redisUrlFor = (url: string) => Object.assign(new URL(url), { port: String(proxy.port) }).toString();
    system = await startSystem({ redisServer: redisServer(), redisUrlFor });
    proxy.cut();
    const askedAt = Date.now();
    expect(await system.workers[0]?.stop()).toBe(0);
    expect(await system.ingest.stop()).toBe(0);
    expect(Date.now() - askedAt).toBeLessThan(20_000);
    await proxy.close();
  });

  it('continues by itself after Redis was unreachable, and loses nothing that was accepted', async () => {
    const server = new URL(redisServer());
    const proxy = await startTcpProxy(server.hostname, Number(server.port));
    const redisUrlFor = (url: string) => Object.assign(new URL(url), { port: String(proxy.port) }).toString();
    system = await startSystem({ redisServer: redisServer(), redisUrlFor, environment: { SYNC_DELAY_MS: '1000' } });
    const running = system;
    const { part } = widget(running);
    expect(await running.send({ event: 'stock_stockitem.saved', part })).toBe(202);
    proxy.cut();
    await sleep(6_000);
    expect(shown(running)).toBe(999);
    proxy.restore();
    await until('the store is right', () => shown(running) === 50, 15_000);
    await running.stop();
    system = undefined;
    await proxy.close();
  });
});

describe('a job', () => {
  it('that is not one of ours becomes a dead letter with its reason, and does not run again', async () => {
    const { running } = await start();
    const { host = '', port = 0, db = 0 } = running.database.redis.options;
    const queue = new Queue('parts', { connection: { host, port, db }, prefix: '{stock-sync}:queue' });
    await queue.add('part', { kind: 'part', part: 'forty-five' }, { attempts: 8, backoff: 100 });
    await queue.close();
    await until('it is a dead letter', async () => (await deadLettersOf(running)).length === 1);
    expect((await deadLettersOf(running))[0]).toMatchObject({
      part: null,
      job: null,
      reason: expect.stringContaining('part') as string,
    });
    expect(running.workerLog().filter(line => line.message.includes('not one of our jobs'))).toHaveLength(1);
  });

  it('that kills every worker becomes a dead letter, too', async () => {
    const { running, item } = await start();
    await running.workers[0]?.stop();
    const { redis } = running.database;
    await enqueue(running, [{ kind: 'part', part: item.part, event: 'test' }]);
    const [id = ''] = await redis.lrange(queueKey('parts', 'wait'), 0, -1);
    // BullMQ counts here how often a job lost its worker.
    await redis.hset(queueKey('parts', id), 'stc', 11);
    await running.startWorker();
    await until('it is a dead letter', async () => (await deadLettersOf(running)).length === 1);
    expect((await deadLettersOf(running))[0]).toMatchObject({
      part: item.part,
      reason: '11 workers died while they ran it',
    });
  });
});
