import { skuKey } from '@stock-sync/domain';
import { bucketOfSku, openBucketedHash } from './bucketed-hash';
import type { RedisConnection } from './connection';
import { inOneTurn } from './one-turn';

/** The parts that are known to have a SKU. */
export interface KnownParts {
  parts: number[];
  /** Whether InvenTree was asked within the last day, so that no others have it. */
  areAll: boolean;
}

/** The parts of each SKU, as far as they are known. */
export interface PartsOfSkus {
  known(skus: readonly string[]): Promise<KnownParts[]>;
  /** For each SKU the parts that are known to have it. */
  withSkus(skus: readonly string[]): Promise<number[][]>;
  /** InvenTree was asked: these parts have the SKU, and no others. */
  setPartsWithSkus(found: readonly { sku: string; parts: readonly number[] }[]): Promise<void>;
  /** These parts have these SKUs; others may have them, too. */
  addSkus(found: readonly { sku: string; part: number }[]): Promise<void>;
  /** All parts with these SKUs are known. */
  markSkusChecked(skus: readonly string[]): Promise<void>;
  /** The part has this SKU no longer. */
  forgetSku(part: number, sku: string): Promise<void>;
}

const DAY_SECONDS = 24 * 60 * 60;

/*
 * A SKU is one field, its value `<part>,<part>@<checked>`: the ids of its parts, and when InvenTree was asked for all
 * of them, in seconds since 1970 to the base of 36. Where it was not asked, the `@` is left out too.
 */

/** For scripts: a function that adds a part to those of a SKU. */
export const ADD_PART = `
local function addPart(bucket, sku, part)
  local value = redis.call('HGET', bucket, sku)
  if not value then return redis.call('HSET', bucket, sku, part) end
  local parts, checked = string.match(value, '^([^@]*)(.*)$')
  if not string.find(',' .. parts .. ',', ',' .. part .. ',', 1, true) then
    if parts ~= '' then parts = parts .. ',' end
    redis.call('HSET', bucket, sku, parts .. part .. checked)
  end
end`;

/** KEYS: the bucket of each SKU. ARGV: each SKU and the part that is added to it. */
const ADD = `
${ADD_PART}
for i = 1, #KEYS do addPart(KEYS[i], ARGV[2 * i - 1], ARGV[2 * i]) end`;

/** KEYS: the bucket of each SKU. ARGV: each SKU and the part that is removed. A SKU without parts is forgotten. */
const REMOVE = `
for i = 1, #KEYS do
  local sku, part = ARGV[2 * i - 1], ARGV[2 * i]
  local parts, checked = string.match(redis.call('HGET', KEYS[i], sku) or '', '^([^@]*)(.*)$')
  local left = {}
  for other in string.gmatch(parts, '%d+') do
    if other ~= part then left[#left + 1] = other end
  end
  if #left > 0 then redis.call('HSET', KEYS[i], sku, table.concat(left, ',') .. checked)
  else redis.call('HDEL', KEYS[i], sku) end
end`;

/** KEYS: the bucket of each SKU. ARGV: each SKU and when InvenTree was asked. */
const MARK = `
for i = 1, #KEYS do
  local sku = ARGV[2 * i - 1]
  local parts = string.match(redis.call('HGET', KEYS[i], sku) or '', '^[^@]*')
  redis.call('HSET', KEYS[i], sku, parts .. '@' .. ARGV[2 * i])
end`;

/** Opens what is remembered of SKUs. */
export function openPartsOfSkus({ redis, keys, now }: RedisConnection): PartsOfSkus {
  const keyOf = (field: string) => keys.skus(bucketOfSku(field));
  const hash = openBucketedHash({ redis }, keyOf);
  /** Runs a script for what is requested in one turn of the event loop. */
  const eachBy = (script: string) =>
    inOneTurn<{ sku: string; value: string | number }, undefined>(async entries => {
      const fields = entries.map(({ sku }) => skuKey(sku));
      const values = fields.flatMap((field, index) => [field, entries[index]?.value ?? '']);
      await redis.eval(script, fields.length, ...fields.map(keyOf), ...values);
      return [];
    });
  const [add, remove, mark] = [eachBy(ADD), eachBy(REMOVE), eachBy(MARK)];
  const known = async (skus: readonly string[]): Promise<KnownParts[]> => {
    const since = now() / 1000 - DAY_SECONDS;
    return (await hash.get(skus.map(skuKey))).map(text => knownFrom(text ?? '', since));
  };
  const checkedNow = () => Math.floor(now() / 1000).toString(36);

  return {
    known,
    withSkus: async skus => (await known(skus)).map(({ parts }) => parts),
    async setPartsWithSkus(found) {
      const checked = checkedNow();
      await Promise.all(found.map(({ sku, parts }) => hash.set(skuKey(sku), `${parts.join(',')}@${checked}`)));
    },
    async addSkus(found) {
      await Promise.all(found.map(({ sku, part }) => add({ sku, value: part })));
    },
    async markSkusChecked(skus) {
      const value = checkedNow();
      await Promise.all(skus.map(sku => mark({ sku, value })));
    },
    async forgetSku(part, sku) {
      await remove({ sku, value: part });
    },
  };
}

/** @param since seconds since 1970: an older answer of InvenTree does not count */
function knownFrom(text: string, since: number): KnownParts {
  const end = text.includes('@') ? text.indexOf('@') : text.length;
  const ids = text.slice(0, end);
  const parts = ids === '' ? [] : ids.split(',').map(Number);
  return { parts: parts.sort((a, b) => a - b), areAll: Number.parseInt(text.slice(end + 1), 36) > since };
}
