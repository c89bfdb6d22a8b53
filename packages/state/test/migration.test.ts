import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { connectToRedis, migrate, openDeadLetters, openJobQueues, openParts, QUEUES } from '../src';
import { connection, database } from './own-database';

/** All keys of a version 0.1 that was stopped in the middle of an outage, with waiting jobs and a dead letter. */
type Dump = Record<string, { type: string; value: unknown }>;
const dump = JSON.parse(readFileSync(join(__dirname, 'fixtures', 'redis-0.1.json'), 'utf8')) as Dump;

async function restore(): Promise<void> {
  const { redis } = database;
  for (const [key, { type, value }] of Object.entries(dump)) {
    if (type === 'string') await redis.set(key, value as string);
    if (type === 'hash') await redis.hset(key, value as Record<string, string>);
    if (type === 'set') await redis.sadd(key, ...(value as string[]));
    if (type === 'list') await redis.rpush(key, ...(value as string[]));
    if (type === 'zset') {
      const pairs = value as string[];
      for (let n = 0; n < pairs.length; n += 2) await redis.zadd(key, pairs[n + 1] ?? 0, pairs[n] ?? '');
    }
  }
}

async function jobs(queue: string): Promise<object[]> {
  const { redis, keys } = connection;
  const at = (name: string) => `${keys.queuePrefix}:${queue}:${name}`;
  const ids = [...(await redis.lrange(at('wait'), 0, -1)), ...(await redis.zrange(at('delayed'), '0', '-1'))];
  const data = await Promise.all(ids.map(id => redis.hget(at(id), 'data')));
  return data.map(text => JSON.parse(text ?? '{}') as object);
}

it('moves jobs, dead letters and what is remembered of parts, and deletes the old keys', async () => {
  await restore();
  expect(await migrate(connection)).toEqual({ jobs: 6, deadLetters: 1, parts: 4 });

  expect(await jobs(QUEUES.parts)).toEqual(
    expect.arrayContaining([
      expect.objectContaining({ kind: 'part', part: 1 }),
      expect.objectContaining({ kind: 'part', part: 2 }),
    ]),
  );
  expect(await jobs(QUEUES.lookups)).toEqual(
    expect.arrayContaining([
      expect.objectContaining({ kind: 'stock-item', stockItem: 3 }),
      expect.objectContaining({ kind: 'resync', part: 1, afterMs: 15_000 }),
      expect.objectContaining({ kind: 'resync', part: 1, afterMs: 60_000 }),
      expect.objectContaining({ kind: 'resync', part: 1, afterMs: 300_000 }),
    ]),
  );
  const deadLetters = openDeadLetters(connection);
  expect(await deadLetters.list()).toMatchObject([
    {
      id: 'part-4',
      part: 4,
      sku: 'REFUSED',
      target: { default: '5', west: '0' },
      errorKind: 'refused',
      reason: 'Magento answered 400: Could not save Source Item',
      job: { kind: 'part', part: 4 },
    },
  ]);
  await deadLetters.close();
  const parts = openParts(connection);
  expect(await parts.get([1, 2, 3, 4])).toMatchObject([
    { sku: 'UPDATED', outcome: 'unchanged', target: { default: '50', west: '30' } },
    { sku: 'EMPTY', outcome: 'unchanged', target: { default: '0', west: '0' } },
    { sku: 'NOT-SOLD', outcome: 'skipped', target: { default: '7', west: '0' } },
    { sku: 'REFUSED', outcome: 'failed', target: { default: '5', west: '0' } },
  ]);
  expect(await parts.withSkus(['updated'])).toEqual([[1]]);
  const left = await database.redis.keys('*');
  expect(left.filter(key => !key.startsWith('{stock-sync}:'))).toEqual(['test:reserved']);
});

it('does nothing in an empty Redis, and nothing the second time', async () => {
  expect(await migrate(connection)).toBeUndefined();
  await restore();
  expect(await migrate(connection)).toBeDefined();
  expect(await migrate(connection)).toBeUndefined();
});

it('is done by one of two workers that start together', async () => {
  await restore();
  const both = await Promise.all([migrate(connection), migrate(connection)]);
  expect(both.filter(moved => moved !== undefined)).toHaveLength(1);
});

it('leaves the state of version 0.1 alone where another prefix is set', async () => {
  await restore();
  const other = connectToRedis(database.url, { prefix: 'other-shop', whileUnreachable: { wait: true } });
  expect(await migrate(other)).toBeUndefined();
  other.redis.disconnect();
  expect(await database.redis.exists('stock-sync:parts')).toBe(1);
});

it('keeps the rest of the queue usable', async () => {
  await restore();
  await migrate(connection);
  const queues = openJobQueues(connection);
  await queues.enqueue([{ kind: 'part', part: 1, event: 'test' }]);
  expect(await jobs(QUEUES.parts)).toHaveLength(2);
  await queues.close();
});
