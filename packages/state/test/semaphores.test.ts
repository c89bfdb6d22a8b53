import { setTimeout as sleep } from 'node:timers/promises';
import { reserveDatabase, type RedisDatabase } from '@stock-sync/servers';
import { connectToRedis, openSemaphore, type RedisConnection } from '../src';

let database: RedisDatabase;
let connection: RedisConnection;
const releases: (() => Promise<void>)[] = [];
beforeEach(async () => {
  database = await reserveDatabase(process.env.TEST_REDIS_URL ?? '');
  connection = connectToRedis(database.url, { whileUnreachable: { wait: true } });
});
afterEach(async () => {
  jest.restoreAllMocks();
  for (const release of releases.splice(0)) await release();
  connection.redis.disconnect();
  await database.release();
});

const HOUR_MS = 60 * 60_000;

/** A worker requests a slot; whether it got one. */
async function acquires(slots: number): Promise<boolean> {
  const release = await openSemaphore(connection, 'magento', slots).tryAcquire();
  if (release) releases.push(release);
  return release !== undefined;
}

/** From now on this worker's clock is wrong by this much. */
function setClockWrongBy(milliseconds: number) {
  const now = Date.now.bind(Date);
  jest.spyOn(Date, 'now').mockImplementation(() => now() + milliseconds);
}

it('no more slots are taken than there are', async () => {
  expect([await acquires(2), await acquires(2), await acquires(2)]).toEqual([true, true, false]);
  await releases.shift()?.();
  expect(await acquires(2)).toBe(true);
});

it.each([HOUR_MS, -HOUR_MS])('a worker whose clock is wrong by %i ms takes no slot of another', async wrong => {
  await acquires(1);
  setClockWrongBy(wrong);
  expect(await acquires(1)).toBe(false);
});

it.each([HOUR_MS, -HOUR_MS])('a worker whose clock is wrong by %i ms holds its slot for a lease', async wrong => {
  setClockWrongBy(wrong);
  await acquires(1);
  jest.restoreAllMocks();
  expect(await acquires(1)).toBe(false);
  const [, until] = await database.redis.zrange('{stock-sync}:semaphore:magento', '0', '-1', 'WITHSCORES');
  expect(Number(until) - Date.now()).toBeLessThanOrEqual(11_000);
});

it('while a process holds all slots, it does not ask Redis for another one', async () => {
  const semaphore = openSemaphore(connection, 'magento', 2);
  for (let slot = 0; slot < 2; slot++) releases.push((await semaphore.tryAcquire()) ?? (() => Promise.resolve()));
  const asked = jest.spyOn(connection.redis, 'eval');
  expect(await semaphore.tryAcquire()).toBeUndefined();
  const waiting = semaphore.within(() => Promise.resolve('called'));
  await sleep(100);
  expect(asked).not.toHaveBeenCalled();
  await releases.shift()?.();
  expect(await waiting).toBe('called');
});
