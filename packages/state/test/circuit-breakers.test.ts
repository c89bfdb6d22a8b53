import { setTimeout as sleep } from 'node:timers/promises';
import { openCircuitBreakers, type CircuitBreakers } from '../src';
import { connection } from './own-database';

let breakers: CircuitBreakers;
beforeEach(() => {
  breakers = openCircuitBreakers(connection);
});

const NAME = 'magento-read';
const pauses = { first: 60, longest: 200 };
const open = () => breakers.open(NAME, 'down', pauses, 'settings A', 0);

it('is closed at first', async () => {
  expect(await breakers.current()).toEqual([]);
  expect(await breakers.startProbe(NAME, 'worker 1')).toBe(false);
});

it('opens once, however many workers open it at the same time', async () => {
  const opened = await Promise.all(Array.from({ length: 20 }, open));
  expect(opened.filter(Boolean)).toHaveLength(1);
  expect(await breakers.current()).toMatchObject([{ name: NAME, state: 'open', reason: 'down', failedProbes: 0 }]);
});

it('does not half-open before the pause is over', async () => {
  await breakers.open(NAME, 'down', { first: 60_000, longest: 60_000 }, 'settings A', 0);
  expect(await breakers.startProbe(NAME, 'worker 1')).toBe(false);
});

it('half-opens for one worker', async () => {
  await open();
  await sleep(80);
  const started = await Promise.all(Array.from({ length: 20 }, (_, n) => breakers.startProbe(NAME, `worker ${n}`)));
  expect(started.filter(Boolean)).toHaveLength(1);
  expect(await breakers.current()).toMatchObject([{ state: 'half-open' }]);
});

it('opens again after a failed probe, for a pause that grows up to the longest', async () => {
  await open();
  const reopened: number[] = [];
  for (let n = 0; n < 4; n++) {
    await sleep(pauses.longest + 20);
    expect(await breakers.startProbe(NAME, 'worker 1')).toBe(true);
    reopened.push(await breakers.reopen(NAME, 'worker 1', `still down ${n}`, pauses, 0));
  }
  expect(reopened).toEqual([120, 200, 200, 200]);
  expect(await breakers.current()).toMatchObject([{ state: 'open', reason: 'still down 3', failedProbes: 4 }]);
});

it('waits as long as the system asks', async () => {
  await breakers.open(NAME, 'busy', pauses, '', 5_000);
  const [breaker] = await breakers.current();
  expect(breaker?.probeInMs).toBeGreaterThan(4_500);
});

it('closes after a passed probe, once', async () => {
  await open();
  await sleep(80);
  await breakers.startProbe(NAME, 'worker 1');
  expect(await breakers.close(NAME, 'worker 2')).toBeUndefined();
  expect(await breakers.close(NAME, 'worker 1')).toBeGreaterThanOrEqual(80);
  expect(await breakers.close(NAME, 'worker 1')).toBeUndefined();
  expect(await breakers.current()).toEqual([]);
});

it('lets another worker probe when the one that probed has died, whose late result counts for nothing', async () => {
  await open();
  await sleep(80);
  await breakers.startProbe(NAME, 'dead worker');
  // As if the lease had run out.
  await connection.redis.hset(connection.keys.breaker(NAME), 'leaseUntil', 1);
  expect(await breakers.startProbe(NAME, 'worker 2')).toBe(true);
  expect(await breakers.close(NAME, 'dead worker')).toBeUndefined();
  expect(await breakers.reopen(NAME, 'dead worker', 'late', pauses, 0)).toBe(0);
  expect(await breakers.current()).toMatchObject([{ state: 'half-open', reason: 'down' }]);
});

it('is probed at once with other settings, and not with the same ones', async () => {
  await breakers.open(NAME, 'down', { first: 60_000, longest: 60_000 }, 'settings A', 0);
  expect(await breakers.probeNowFor(NAME, 'settings A')).toBe(false);
  expect(await breakers.startProbe(NAME, 'worker 1')).toBe(false);
  expect(await breakers.probeNowFor(NAME, 'settings B')).toBe(true);
  expect(await breakers.startProbe(NAME, 'worker 1')).toBe(true);
});

it('of one system and direction does not affect the others', async () => {
  await open();
  expect((await breakers.current()).map(({ name }) => name)).toEqual([NAME]);
  expect(await breakers.open('magento-write', 'read-only', pauses, '', 0)).toBe(true);
  expect((await breakers.current()).map(({ name }) => name)).toEqual([NAME, 'magento-write']);
});
