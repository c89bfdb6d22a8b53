import type { RedisConnection } from './connection';

/** Remembers a fingerprint of the workers' settings; resolves with whether it was another one before. */
export async function areSettingsNew({ redis, keys }: RedisConnection, fingerprint: string): Promise<boolean> {
  const before = await redis.getset(keys.settings, fingerprint);
  return before !== null && before !== fingerprint;
}
