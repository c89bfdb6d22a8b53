import { connectToRedis, findRedisProblems, redisProblems } from '../src';

const good = { version: '7.2.4', policy: 'noeviction', appendOnly: 'yes', clockDifferenceMs: 40 };

it.each([
  ['nothing of a good one', {}, []],
  ['nothing that it does not tell', { version: undefined, policy: undefined, appendOnly: undefined }, []],
  ['an old version', { version: '6.0.16' }, ['Redis 6.0.16 is too old: version 6.2 or newer is needed']],
  ['nothing of the oldest one that works', { version: '6.2.0' }, []],
  [
    'evictions',
    { policy: 'allkeys-lru' },
    [
      'Redis evicts keys when its memory is full (maxmemory-policy allkeys-lru), and accepted work with them: ' +
        'set maxmemory-policy noeviction',
    ],
  ],
  ['no append-only file', { appendOnly: 'no' }, ['Redis loses accepted work when it restarts: set appendonly yes']],
  [
    'a clock that is wrong',
    { clockDifferenceMs: -90_000 },
    ['the clock of this machine is 90 s behind that of Redis, which delays jobs: set it'],
  ],
])('names %s', (_, found, expected) => {
  expect(redisProblems({ ...good, ...found })).toEqual(expected);
});

it('finds nothing wrong with the Redis of the tests', async () => {
  const connection = connectToRedis(process.env.TEST_REDIS_URL ?? '', { whileUnreachable: { wait: true } });
  expect(await findRedisProblems(connection)).toEqual([]);
  connection.redis.disconnect();
});

it('has the time of Redis, whatever the clock of this machine says', async () => {
  const real = Date.now;
  const hour = 3_600_000;
  const ahead = jest.spyOn(Date, 'now').mockImplementation(() => real() + hour);
  const connection = connectToRedis(process.env.TEST_REDIS_URL ?? '', { whileUnreachable: { wait: true } });
  try {
    await connection.redis.ping();
    await new Promise(resolve => setTimeout(resolve, 50));
    expect(Math.abs(connection.now() - real())).toBeLessThan(100);
    const problems = await findRedisProblems(connection);
    expect(problems[0]).toMatch(/^the clock of this machine is 3600 s ahead of that of Redis/);
  } finally {
    ahead.mockRestore();
    connection.redis.disconnect();
  }
});
