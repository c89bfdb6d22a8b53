import type { RedisConnection } from './connection';

/** The rules by which the parts of this shop were compared with the store last. */
export interface RulesInForce {
  /** Whether those of this worker are others; not where there were none before. */
  areOthers(): Promise<boolean>;
  /** From now on those of this worker are in force. */
  set(): Promise<void>;
}

/** @param fingerprint that of the rules of this worker */
export function openRulesInForce({ redis, keys }: RedisConnection, fingerprint: string): RulesInForce {
  return {
    async areOthers() {
      await redis.set(keys.rules, fingerprint, 'NX');
      return (await redis.get(keys.rules)) !== fingerprint;
    },
    async set() {
      await redis.set(keys.rules, fingerprint);
    },
  };
}
