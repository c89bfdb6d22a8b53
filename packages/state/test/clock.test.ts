import { setTimeout as sleep } from 'node:timers/promises';
import { reserveDatabase, type RedisDatabase } from '@stock-sync/servers';
import { connectToRedis } from '../src';

let database: RedisDatabase;
beforeEach(async () => {
  database = await reserveDatabase(process.env.TEST_REDIS_URL ?? '');
});
afterEach(() => database.release());

/** Nothing else happens in this process meanwhile. */
function block(milliseconds: number): void {
  for (const end = performance.now() + milliseconds; performance.now() < end;);
}

it('the shared clock is that of Redis, although the process was busy when it was first measured', async () => {
  const connection = connectToRedis(database.url, { whileUnreachable: { wait: true } });
  // As while a service starts: the first answer is read 60 ms late.
  connection.redis.once('ready', () => setImmediate(() => block(60)));
  await sleep(400);
  const differences: number[] = [];
  for (let n = 0; n < 20; n++) {
    const before = connection.now();
    const [seconds, microseconds] = await connection.redis.time();
    const after = connection.now();
    differences.push(Math.abs((before + after) / 2 - Number(seconds) * 1000 - Number(microseconds) / 1000));
  }
  expect(Math.min(...differences)).toBeLessThan(5);
  connection.redis.disconnect();
});
