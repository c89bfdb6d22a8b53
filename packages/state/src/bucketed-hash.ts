import type { RedisConnection } from './connection';
import { inOneTurn } from './one-turn';

/**
 * A large hash, kept as many small ones, its buckets: Redis stores a small hash in one piece, in which a field takes
 * some bytes more than its text. In a large hash it takes 60 to 80 more.
 */
export interface BucketedHash {
  get(fields: readonly string[]): Promise<(string | null)[]>;
  set(field: string, value: string): Promise<void>;
  delete(field: string): Promise<void>;
}

/** KEYS: the bucket of each field. ARGV: the fields. */
const GET = `
local values = {}
for i = 1, #KEYS do values[i] = redis.call('HGET', KEYS[i], ARGV[i]) end
return values`;

/** KEYS: the bucket of each field. ARGV: each field and its value. */
const SET = `
for i = 1, #KEYS do redis.call('HSET', KEYS[i], ARGV[2 * i - 1], ARGV[2 * i]) end`;

/**
 * Opens a hash.
 * @param keyOf the key of the bucket of a field
 */
export function openBucketedHash(
  { redis }: Pick<RedisConnection, 'redis'>,
  keyOf: (field: string) => string,
): BucketedHash {
  const getSome = inOneTurn<readonly string[], (string | null)[]>(async lists => {
    const fields = lists.flat();
    const values = (await redis.eval(GET, fields.length, ...fields.map(keyOf), ...fields)) as (string | null)[];
    let end = 0;
    return lists.map(list => values.slice(end, (end += list.length)));
  });
  const setOne = inOneTurn<readonly [field: string, value: string], undefined>(async entries => {
    await redis.eval(SET, entries.length, ...entries.map(([field]) => keyOf(field)), ...entries.flat());
    return [];
  });

  return {
    get: async fields => (fields.length === 0 ? [] : getSome(fields)),
    set: (field, value) => setOne([field, value]),
    async delete(field) {
      await redis.hdel(keyOf(field), field);
    },
  };
}

/** Neighbours in one bucket, where the fields are the ids of InvenTree. */
const IDS_PER_BUCKET = 100;

/** The bucket of an id. */
export const bucketOfId = (id: number) => Math.floor(id / IDS_PER_BUCKET);

/**
 * Buckets where the fields are SKUs. More of them take more memory in a small shop, fewer more time in a large one, and
 * Redis keeps no more than `hash-max-listpack-entries`, 512 by default, in one piece. Changing this number loses what
 * is remembered.
 */
const SKU_BUCKETS = 1_024;

/** The bucket of a SKU, by FNV-1a: SKUs that differ in their last digit only are spread evenly. */
export function bucketOfSku(sku: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < sku.length; index++) hash = Math.imul(hash ^ sku.charCodeAt(index), 0x01000193);
  return ((hash ^ (hash >>> 16)) >>> 0) % SKU_BUCKETS;
}
