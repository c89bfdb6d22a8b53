import type { RedisConnection } from './connection';

/** The oldest Redis that has every command that we and BullMQ use. */
const OLDEST = [6, 2] as const;
/** Clocks that differ by more than this delay jobs, because BullMQ compares them, in milliseconds. */
const MAX_CLOCK_DIFFERENCE_MS = 2_000;

/** What is wrong with Redis for our work, for people; what a managed Redis does not tell is not checked. */
export async function findRedisProblems({ redis }: RedisConnection): Promise<string[]> {
  const [info, [seconds, microseconds], policy, appendOnly] = await Promise.all([
    redis.info('server'),
    redis.time(),
    setting('maxmemory-policy'),
    setting('appendonly'),
  ]);
  return redisProblems({
    version: /^redis_version:(\S+)/m.exec(info)?.[1],
    policy,
    appendOnly,
    clockDifferenceMs: Date.now() - (Number(seconds) * 1000 + Number(microseconds) / 1000),
  });

  async function setting(name: string): Promise<string | undefined> {
    // Many a managed Redis refuses CONFIG.
    const answer = await redis.config('GET', name).catch(() => []);
    return (answer as string[])[1];
  }
}

/** The same, of known values; undefined where a value is unknown. */
export function redisProblems(found: {
  version: string | undefined;
  policy: string | undefined;
  appendOnly: string | undefined;
  clockDifferenceMs: number;
}): string[] {
  const problems: string[] = [];
  const [major = 0, minor = 0] = (found.version ?? '').split('.').map(Number);
  if (found.version !== undefined && (major < OLDEST[0] || (major === OLDEST[0] && minor < OLDEST[1]))) {
    problems.push(`Redis ${found.version} is too old: version ${OLDEST.join('.')} or newer is needed`);
  }
  if (found.policy !== undefined && found.policy !== 'noeviction') {
    problems.push(
      `Redis evicts keys when its memory is full (maxmemory-policy ${found.policy}), and accepted work with them: ` +
        'set maxmemory-policy noeviction',
    );
  }
  if (found.appendOnly === 'no') {
    problems.push('Redis loses accepted work when it restarts: set appendonly yes');
  }
  if (Math.abs(found.clockDifferenceMs) > MAX_CLOCK_DIFFERENCE_MS) {
    const seconds = Math.round(Math.abs(found.clockDifferenceMs) / 1000);
    const direction = found.clockDifferenceMs < 0 ? 'behind' : 'ahead of';
    problems.push(`the clock of this machine is ${seconds} s ${direction} that of Redis, which delays jobs: set it`);
  }
  return problems;
}
