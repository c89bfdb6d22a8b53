import { randomBytes } from 'node:crypto';
import { skuKey } from '@stock-sync/sync-core';
import type { Redis } from 'ioredis';

/** A part whose stock was read and is about to be written. */
export interface ReadPart {
  part: number;
  sku: string;
  /** From `startRead`. */
  ticket: string;
}

/**
 * `free`: nobody else writes this SKU and nobody read the part later: go on. `overtaken`: a later read of the part has
 * begun elsewhere, so ours may be old. `busy`: another is writing the SKU just now.
 */
export type Permission = 'free' | 'overtaken' | 'busy';

/**
 * Lets one write at a time happen per SKU, and only with what was read last. BullMQ alone lets one job per part run,
 * but a worker that was paused past its lock comes back with an old quantity in its hands.
 */
export interface WriteGuard {
  /** To be called before a part is read: the ticket holds until the next read of the part begins. */
  startRead(part: number): Promise<string>;
  /** Asks to write; takes each SKU that is free for `holdMs`. */
  request(reads: readonly ReadPart[], owner: string, holdMs: number): Promise<Permission[]>;
  /** Keeps the SKUs that are ours for another `holdMs`. */
  renew(reads: readonly ReadPart[], owner: string, holdMs: number): Promise<void>;
  /** Takes a SKU, whatever was read of its part; whether it was free. */
  hold(sku: string, owner: string, holdMs: number): Promise<boolean>;
  /** Gives a SKU back that was held. */
  letGo(sku: string, owner: string): Promise<void>;
  /** Gives the SKUs back; for each, whether it was ours all the time and no later read had begun. */
  release(reads: readonly ReadPart[], owner: string): Promise<boolean[]>;
}

const TICKETS = 'stock-sync:read-tickets';
const lockKey = (sku: string) => `stock-sync:writing:${skuKey(sku)}`;

const REQUEST = `
local answers = {}
for i = 2, #KEYS do
  local part, ticket = ARGV[2 * i - 1], ARGV[2 * i]
  if redis.call('HGET', KEYS[1], part) ~= ticket then answers[i - 1] = 'overtaken'
  elseif redis.call('SET', KEYS[i], ARGV[1], 'NX', 'PX', ARGV[2]) then answers[i - 1] = 'free'
  else answers[i - 1] = 'busy' end
end
return answers`;

const RENEW = `
for i = 1, #KEYS do
  if redis.call('GET', KEYS[i]) == ARGV[1] then redis.call('PEXPIRE', KEYS[i], ARGV[2]) end
end`;

const RELEASE = `
local answers = {}
for i = 2, #KEYS do
  local part, ticket = ARGV[2 * i - 2], ARGV[2 * i - 1]
  local ours = redis.call('GET', KEYS[i]) == ARGV[1]
  if ours then redis.call('DEL', KEYS[i]) end
  answers[i - 1] = (ours and redis.call('HGET', KEYS[1], part) == ticket) and 1 or 0
end
return answers`;

const LET_GO = `if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('DEL', KEYS[1]) end`;

/** The guard, in this Redis. */
export function openWriteGuard(redis: Redis): WriteGuard {
  const keys = (reads: readonly ReadPart[]) => [TICKETS, ...reads.map(({ sku }) => lockKey(sku))];
  const tickets = (reads: readonly ReadPart[]) => reads.flatMap(({ part, ticket }) => [part, ticket]);
  return {
    async startRead(part) {
      // Not a number that counts: a Redis that was emptied would begin anew, and old tickets would hold once more.
      const ticket = randomBytes(6).toString('base64url');
      await redis.hset(TICKETS, String(part), ticket);
      return ticket;
    },
    async request(reads, owner, holdMs) {
      if (reads.length === 0) return [];
      const all = keys(reads);
      return (await redis.eval(REQUEST, all.length, ...all, owner, holdMs, ...tickets(reads))) as Permission[];
    },
    async renew(reads, owner, holdMs) {
      const locks = reads.map(({ sku }) => lockKey(sku));
      await redis.eval(RENEW, locks.length, ...locks, owner, holdMs);
    },
    hold: async (sku, owner, holdMs) => (await redis.set(lockKey(sku), owner, 'PX', holdMs, 'NX')) === 'OK',
    async letGo(sku, owner) {
      await redis.eval(LET_GO, 1, lockKey(sku), owner);
    },
    async release(reads, owner) {
      if (reads.length === 0) return [];
      const all = keys(reads);
      const answers = (await redis.eval(RELEASE, all.length, ...all, owner, ...tickets(reads))) as number[];
      return answers.map(answer => answer === 1);
    },
  };
}
