import { z } from 'zod';
import type { RedisConnection } from './connection';
import { parseStored } from './stored-value';

const instanceSchema = z.object({ id: z.string(), url: z.string() });

/** One InvenTree: an id that our plugin computes, and its address, for people. */
export type Instance = z.infer<typeof instanceSchema>;

/** The InvenTree whose webhooks are accepted. */
export interface KnownInstance {
  /** The first InvenTree that was ever named here; the given one, if it is the first. */
  firstOr(instance: Instance): Promise<Instance>;
}

/** Opens that; what Redis answered once is not asked again. */
export function openKnownInstance({ redis, keys }: RedisConnection): KnownInstance {
  let known: Instance | undefined;
  return {
    async firstOr(instance) {
      if (known) return known;
      await redis.set(keys.instance, JSON.stringify(instance), 'NX');
      known = parseStored(instanceSchema, await redis.get(keys.instance)) ?? instance;
      return known;
    },
  };
}
