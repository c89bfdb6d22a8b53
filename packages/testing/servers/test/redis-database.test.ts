import { reserveDatabase } from '../src';

it('stays reserved for its test when that test empties it', async () => {
  const server = process.env.TEST_REDIS_URL ?? '';
  const first = await reserveDatabase(server);
  await first.redis.set('key', 'value');
  await first.empty();
  expect(await first.redis.get('key')).toBeNull();
  const second = await reserveDatabase(server);
  expect(second.url).not.toBe(first.url);
  await first.release();
  await second.release();
});
