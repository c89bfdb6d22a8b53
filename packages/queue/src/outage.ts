import type { Redis } from 'ioredis';
import { z } from 'zod';
import { openStoredValue } from './stored-value';

/** The systems that work may have to wait for. */
export const SYSTEMS = ['InvenTree', 'Magento'] as const;
export type SystemName = (typeof SYSTEMS)[number];

const outageSchema = z.object({
  system: z.enum(SYSTEMS),
  reason: z.string(),
  /** Whether it showed at a write: then that reads work does not end it. */
  duringWrite: z.boolean(),
  /** Milliseconds since 1970. */
  since: z.number(),
  /** Pauses so far. */
  pauses: z.number().int(),
  /** When the next attempt is due, in milliseconds since 1970. */
  nextAttemptAt: z.number(),
  /** The settings of the worker that met it, as a fingerprint. Earlier versions had none. */
  settings: z.string().default(''),
});

/** Why everything that needs a system waits. */
export type Outage = z.infer<typeof outageSchema>;

/** The outages that all workers are in. */
export interface Outages {
  current(): Promise<Outage[]>;
  record(outage: Outage): Promise<void>;
  /** The outage of a system is over; the one that ended, if there was one. */
  clear(system: SystemName): Promise<Outage | undefined>;
  /** A job met this outage. */
  meet(job: string, outage: Outage): Promise<void>;
  /** How many outages a job met since it last went well: each was over because other jobs went well. */
  metCount(job: string): Promise<number>;
  forgetMet(job: string): Promise<void>;
}

/** Per job the outages it met: how many, and when the last of them began. */
const SUSPECTS = 'stock-sync:outage-suspects';

/** Counts an outage once per job, however often the job meets it. */
const MEET = `
local count, since = string.match(redis.call('HGET', KEYS[1], ARGV[1]) or '0 0', '(%d+) (%d+)')
if since ~= ARGV[2] then
  count = count + 1
  redis.call('HSET', KEYS[1], ARGV[1], string.format('%d %s', count, ARGV[2]))
end`;

/** The outages, in this Redis. */
export function openOutages(redis: Redis): Outages {
  const of = (system: SystemName) => openStoredValue(redis, `stock-sync:outage:${system}`, outageSchema);
  return {
    current: async () => (await Promise.all(SYSTEMS.map(system => of(system).get()))).flatMap(found => found ?? []),
    record: outage => of(outage.system).set(outage),
    clear: system => of(system).take(),
    meet: async (job, { since }) => {
      await redis.eval(MEET, 1, SUSPECTS, job, since);
    },
    metCount: async job => Number.parseInt((await redis.hget(SUSPECTS, job)) ?? '0', 10),
    forgetMet: async job => {
      await redis.hdel(SUSPECTS, job);
    },
  };
}
