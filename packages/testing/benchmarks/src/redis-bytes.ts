import type { RedisDatabase } from '@stock-sync/servers';

/** Bytes of Redis per part under the keys of this pattern, from a sample of a thousand. */
export async function bytesOf(redis: RedisDatabase['redis'], pattern: string, parts: number): Promise<number> {
  const keys = await redis.keys(pattern);
  const some = keys.slice(0, 1_000);
  if (some.length === 0) return 0;
  const sizes = await Promise.all(
    some.map(async key => Number(await redis.call('MEMORY', 'USAGE', key, 'SAMPLES', 0))),
  );
  return Math.round((sizes.reduce((total, size) => total + size, 0) / some.length) * (keys.length / parts));
}
