import type { RedisConnection } from './connection';

/** The rules by which the parts of this shop were compared with the store last. */
export interface RulesInForce {
  /** Whether those of this worker are others; not where there were none before. */
  areOthers(): Promise<boolean>;
  /** Whether those of this worker are, or once were, in force: Redis is asked no more as soon as that is so. */
  wereOurs(): Promise<boolean>;
  /** From now on those of this worker are in force. */
  set(): Promise<void>;
}

/** @param fingerprint that of the rules of this worker */
export function openRulesInForce({ redis, keys }: RedisConnection, fingerprint: string): RulesInForce {
  let wereOurs = false;

  async function areOthers(): Promise<boolean> {
    await redis.set(keys.rules, fingerprint, 'NX');
    const areOurs = (await redis.get(keys.rules)) === fingerprint;
    wereOurs ||= areOurs;
    return !areOurs;
  }

  return {
    areOthers,
    wereOurs: async () => wereOurs || !(await areOthers()),
    async set() {
      await redis.set(keys.rules, fingerprint);
      wereOurs = true;
    },
  };
}
