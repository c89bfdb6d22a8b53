import type { RedisConnection } from './connection';

/** One circuit breaker for each system and direction; InvenTree is never written. */
export const BREAKERS = ['inventree-read', 'magento-read', 'magento-write'] as const;
export type BreakerName = (typeof BREAKERS)[number];

/** A breaker that is not closed. */
export interface OpenBreaker {
  name: BreakerName;
  /** `half-open`: a worker is probing the system now. */
  state: 'open' | 'half-open';
  /** Why it opened, or why the last probe failed. */
  reason: string;
  /** Milliseconds since 1970, by the clock of Redis, like every time here. */
  since: number;
  probeAt: number;
  /** Milliseconds until the next probe. */
  probeInMs: number;
  failedProbes: number;
  /** A fingerprint of the settings of the worker that opened it. */
  settings: string;
}

/** How the pauses between probes grow, in milliseconds. */
export interface Pauses {
  first: number;
  longest: number;
}

/**
 * The circuit breakers that all workers share. Every transition is one atomic step in Redis, so two workers cannot
 * disagree, and a worker that dies leaves nothing half done: while it probes it holds a lease, which expires.
 *
 *     closed --open--> open --startProbe--> half-open --close--> closed
 *                       ^                       |
 *                       +------- reopen --------+   (or the lease expires)
 */
export interface CircuitBreakers {
  /** The breakers that are open or half-open. */
  current(): Promise<OpenBreaker[]>;
  /** Opens a closed breaker; whether it was closed. `atLeastMs`: how long the system asked us to wait. */
  open(name: BreakerName, reason: string, pauses: Pauses, settings: string, atLeastMs: number): Promise<boolean>;
  /** Half-opens a breaker whose probe is due, for one worker at a time; whether it is this worker. */
  startProbe(name: BreakerName, owner: string): Promise<boolean>;
  /** The probe of this worker is still under way. */
  extendProbe(name: BreakerName, owner: string): Promise<void>;
  /** The probe failed: opens the breaker again, for a longer pause. Resolves with that pause in milliseconds. */
  reopen(name: BreakerName, owner: string, reason: string, pauses: Pauses, atLeastMs: number): Promise<number>;
  /**
   * The probe passed: closes the breaker. Resolves with the milliseconds that it was open; undefined if it was not
   * ours.
   */
  close(name: BreakerName, owner: string): Promise<number | undefined>;
  /** Makes the next probe due now, for other settings than those it failed with; whether there was such a breaker. */
  probeNowFor(name: BreakerName, settings: string): Promise<boolean>;
}

/** How long a worker holds the lease of a probe without extending it, in milliseconds. */
const LEASE_MS = 10_000;

const NOW = `
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local function field(name) return redis.call('HGET', KEYS[1], name) end`;

/** ARGV: reason, first pause, at least, settings. */
const OPEN = `${NOW}
if redis.call('EXISTS', KEYS[1]) == 1 then return 0 end
local pause = math.max(tonumber(ARGV[2]), tonumber(ARGV[3]))
redis.call('HSET', KEYS[1], 'reason', ARGV[1], 'settings', ARGV[4])
redis.call('HSET', KEYS[1], 'since', now, 'probeAt', now + pause, 'failedProbes', 0)
return 1`;

/** ARGV: owner, lease. */
const START_PROBE = `${NOW}
local probeAt = field('probeAt')
if not probeAt or tonumber(probeAt) > now or tonumber(field('leaseUntil') or 0) > now then return 0 end
redis.call('HSET', KEYS[1], 'owner', ARGV[1], 'leaseUntil', now + ARGV[2])
return 1`;

/** ARGV: owner, lease. */
const EXTEND_PROBE = `${NOW}
if field('owner') == ARGV[1] then redis.call('HSET', KEYS[1], 'leaseUntil', now + ARGV[2]) end`;

/** ARGV: owner, reason, first pause, longest pause, at least. */
const REOPEN = `${NOW}
if field('owner') ~= ARGV[1] then return 0 end
local failed = redis.call('HINCRBY', KEYS[1], 'failedProbes', 1)
local pause = math.min(tonumber(ARGV[4]), tonumber(ARGV[3]) * 2 ^ math.min(failed, 20))
pause = math.max(pause, tonumber(ARGV[5]))
redis.call('HSET', KEYS[1], 'reason', ARGV[2], 'probeAt', now + pause)
redis.call('HDEL', KEYS[1], 'owner', 'leaseUntil')
return math.floor(pause)`;

/** ARGV: owner. */
const CLOSE = `${NOW}
if field('owner') ~= ARGV[1] then return -1 end
local since = field('since')
redis.call('DEL', KEYS[1])
return now - since`;

/** ARGV: settings. */
const PROBE_NOW = `${NOW}
local settings = field('settings')
if not settings or settings == ARGV[1] then return 0 end
redis.call('HSET', KEYS[1], 'probeAt', now, 'settings', ARGV[1], 'failedProbes', 0)
return 1`;

const CURRENT = `${NOW}
local answers = {}
for i, key in ipairs(KEYS) do
  local values = redis.call('HMGET', key, 'reason', 'since', 'probeAt', 'failedProbes', 'settings', 'leaseUntil')
  values[7] = now
  answers[i] = values
end
return answers`;

/** Opens the state of the breakers. */
export function openCircuitBreakers({ redis, keys }: RedisConnection): CircuitBreakers {
  const run = (script: string, name: BreakerName, ...args: (string | number)[]) =>
    redis.eval(script, 1, keys.breaker(name), ...args);
  return {
    async current() {
      const all = BREAKERS.map(name => keys.breaker(name));
      const answers = (await redis.eval(CURRENT, all.length, ...all)) as (string | number | null)[][];
      return BREAKERS.flatMap((name, index) => openBreakerFrom(name, answers[index] ?? []));
    },
    open: async (name, reason, { first }, settings, atLeastMs) =>
      (await run(OPEN, name, reason, first, atLeastMs, settings)) === 1,
    startProbe: async (name, owner) => (await run(START_PROBE, name, owner, LEASE_MS)) === 1,
    async extendProbe(name, owner) {
      await run(EXTEND_PROBE, name, owner, LEASE_MS);
    },
    reopen: async (name, owner, reason, { first, longest }, atLeastMs) =>
      Number(await run(REOPEN, name, owner, reason, first, longest, atLeastMs)),
    async close(name, owner) {
      const openMs = Number(await run(CLOSE, name, owner));
      return openMs < 0 ? undefined : openMs;
    },
    probeNowFor: async (name, settings) => (await run(PROBE_NOW, name, settings)) === 1,
  };
}

function openBreakerFrom(name: BreakerName, answer: readonly (string | number | null)[]): OpenBreaker[] {
  const [reason, since, probeAt, failedProbes, settings, leaseUntil, now] = answer;
  if (reason === null || reason === undefined) return [];
  return [
    {
      name,
      state: Number(leaseUntil) > Number(now) ? 'half-open' : 'open',
      reason: String(reason),
      since: Number(since),
      probeAt: Number(probeAt),
      probeInMs: Math.max(0, Number(probeAt) - Number(now)),
      failedProbes: Number(failedProbes),
      settings: String(settings),
    },
  ];
}
