import { randomBytes } from 'node:crypto';
import { skuKey } from '@stock-sync/domain';
import type { RedisConnection } from './connection';
import { inOneTurn } from './one-turn';

/** A part whose stock was read, and is about to be written. */
export interface FencedRead {
  part: number;
  sku: string;
  /** From `startRead`. */
  token: string;
}

/**
 * `granted`: no other job writes this SKU, and none read the part later. `overtaken`: a later read of the part has
 * begun, so this one may be old. `locked`: another worker is writing the SKU.
 */
export type WritePermission = 'granted' | 'overtaken' | 'locked';

/**
 * Lets one writer at a time write a SKU, and only with the latest read. BullMQ alone runs one job per part, but a
 * worker that was suspended for longer than its lock comes back with an old quantity.
 */
export interface Fencing {
  /** Call it before a part is read: the token is valid until the next read of the part begins. */
  startRead(part: number): Promise<string>;
  /** Requests permission to write, once or again; locks each SKU that is granted for `lockMs`. */
  requestWrites(reads: readonly FencedRead[], owner: string, lockMs: number): Promise<WritePermission[]>;
  /** Extends the locks that are still ours to another `lockMs`. */
  extendLocks(reads: readonly FencedRead[], owner: string, lockMs: number): Promise<void>;
  /** Releases the locks; for each SKU, whether it was ours all the time and no later read began meanwhile. */
  releaseWrites(reads: readonly FencedRead[], owner: string): Promise<boolean[]>;
  /** Locks a SKU, whatever was read of its part; whether it was free. */
  lockSku(sku: string, owner: string, lockMs: number): Promise<boolean>;
  unlockSku(sku: string, owner: string): Promise<void>;
}

/** How long a token is kept, in seconds: no sync takes longer, and a sync without a token is repeated. */
const TOKEN_SECONDS = 60 * 60;

/** KEYS: a token for each read. ARGV: seconds that they are kept, then the tokens. */
const START = `
for i = 1, #KEYS do redis.call('SET', KEYS[i], ARGV[i + 1], 'EX', ARGV[1]) end`;

/** KEYS: a token and a lock for each read. ARGV: owner, lockMs, then the token of each read. */
const REQUEST = `
local answers = {}
for i = 1, #KEYS / 2 do
  if redis.call('GET', KEYS[2 * i - 1]) ~= ARGV[i + 2] then answers[i] = 'overtaken'
  elseif redis.call('GET', KEYS[2 * i]) == ARGV[1] then
    redis.call('PEXPIRE', KEYS[2 * i], ARGV[2])
    answers[i] = 'granted'
  elseif redis.call('SET', KEYS[2 * i], ARGV[1], 'NX', 'PX', ARGV[2]) then answers[i] = 'granted'
  else answers[i] = 'locked' end
end
return answers`;

const EXTEND = `
for i = 1, #KEYS do
  if redis.call('GET', KEYS[i]) == ARGV[1] then redis.call('PEXPIRE', KEYS[i], ARGV[2]) end
end`;

/** KEYS: as in REQUEST. ARGV: owner, then the token of each read. */
const RELEASE = `
local answers = {}
for i = 1, #KEYS / 2 do
  local isOurs = redis.call('GET', KEYS[2 * i]) == ARGV[1]
  if isOurs then redis.call('DEL', KEYS[2 * i]) end
  answers[i] = (isOurs and redis.call('GET', KEYS[2 * i - 1]) == ARGV[i + 1]) and 1 or 0
end
return answers`;

const UNLOCK = `if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('DEL', KEYS[1]) end`;

/** Opens the tokens and locks. */
export function openFencing({ redis, keys }: RedisConnection): Fencing {
  const lockOf = (sku: string) => keys.skuLock(skuKey(sku));
  const keysOf = (reads: readonly FencedRead[]) =>
    reads.flatMap(({ part, sku }) => [keys.fencingToken(part), lockOf(sku)]);
  const tokensOf = (reads: readonly FencedRead[]) => reads.map(({ token }) => token);
  const startRead = inOneTurn<number, string>(async parts => {
    // Random, not a counter: in a Redis that was emptied a counter would start again, and old tokens would be valid.
    const random = randomBytes(6).toString('base64url');
    const tokens = parts.map((_, index) => `${random}${index}`);
    await redis.eval(START, parts.length, ...parts.map(keys.fencingToken), TOKEN_SECONDS, ...tokens);
    return tokens;
  });
  return {
    startRead,
    async requestWrites(reads, owner, lockMs) {
      if (reads.length === 0) return [];
      const all = keysOf(reads);
      return (await redis.eval(REQUEST, all.length, ...all, owner, lockMs, ...tokensOf(reads))) as WritePermission[];
    },
    async extendLocks(reads, owner, lockMs) {
      const locks = reads.map(({ sku }) => lockOf(sku));
      await redis.eval(EXTEND, locks.length, ...locks, owner, lockMs);
    },
    async releaseWrites(reads, owner) {
      if (reads.length === 0) return [];
      const all = keysOf(reads);
      const answers = (await redis.eval(RELEASE, all.length, ...all, owner, ...tokensOf(reads))) as number[];
      return answers.map(answer => answer === 1);
    },
    lockSku: async (sku, owner, lockMs) => (await redis.set(lockOf(sku), owner, 'PX', lockMs, 'NX')) === 'OK',
    async unlockSku(sku, owner) {
      await redis.eval(UNLOCK, 1, lockOf(sku), owner);
    },
  };
}
