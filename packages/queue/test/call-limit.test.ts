import { claimDatabase, type RedisDatabase } from '@stock-sync/end-to-end';
import { openCallPlaces } from '../src';

let database: RedisDatabase;
const leaves: (() => Promise<void>)[] = [];
beforeEach(async () => {
  database = await claimDatabase(process.env.TEST_REDIS_URL ?? '');
});
afterEach(async () => {
  jest.restoreAllMocks();
  for (const leave of leaves.splice(0)) await leave();
  await database.release();
});

const HOUR_MS = 60 * 60_000;

/** A worker asks for one of so many places; whether it got it. */
async function enters(places: number): Promise<boolean> {
  const leave = await openCallPlaces(database.redis, 'magento', places).tryEnter();
  if (leave) leaves.push(leave);
  return leave !== undefined;
}

/** What follows happens in a worker whose clock is wrong by so much. */
function clockIsWrongBy(milliseconds: number) {
  const now = Date.now.bind(Date);
  jest.spyOn(Date, 'now').mockImplementation(() => now() + milliseconds);
}

it('no more calls are under way than there are places', async () => {
  expect([await enters(2), await enters(2), await enters(2)]).toEqual([true, true, false]);
  await leaves.shift()?.();
  expect(await enters(2)).toBe(true);
});

it.each([HOUR_MS, -HOUR_MS])('a worker whose clock is wrong by %i ms takes no place of another', async wrong => {
  await enters(1);
  clockIsWrongBy(wrong);
  expect(await enters(1)).toBe(false);
});

it.each([HOUR_MS, -HOUR_MS])('a worker whose clock is wrong by %i ms has its place, and not for long', async wrong => {
  clockIsWrongBy(wrong);
  await enters(1);
  jest.restoreAllMocks();
  expect(await enters(1)).toBe(false);
  const [, until] = await database.redis.zrange('stock-sync:calls:magento', '0', '-1', 'WITHSCORES');
  expect(Number(until) - Date.now()).toBeLessThanOrEqual(11_000);
});
