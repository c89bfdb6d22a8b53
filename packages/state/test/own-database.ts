import { reserveDatabase, type RedisDatabase } from '@stock-sync/servers';
import { connectToRedis, type RedisConnection } from '../src';

/** The database that each test of the importing file has for itself. */
export let database: RedisDatabase;
/** A connection to it. */
export let connection: RedisConnection;

beforeEach(async () => {
  database = await reserveDatabase(process.env.TEST_REDIS_URL ?? '');
  connection = connectToRedis(database.url, { whileUnreachable: { wait: true } });
});
afterEach(async () => {
  connection.redis.disconnect();
  await database.release();
});
