import type { Redis } from 'ioredis';
import { z } from 'zod';
import { openStoredValue } from './stored-value';

const outageSchema = z.object({
  system: z.string(),
  reason: z.string(),
  /** Whether it showed at a write: then that reads work does not end it. */
  duringWrite: z.boolean(),
  /** Milliseconds since 1970. */
  since: z.number(),
  /** Pauses so far. */
  pauses: z.number().int(),
  /** When the next attempt is due, in milliseconds since 1970. */
  nextAttemptAt: z.number(),
});

/** Why everything waits. */
export type Outage = z.infer<typeof outageSchema>;

/** The outage that all workers are in, if any. */
export interface Outages {
  current(): Promise<Outage | undefined>;
  record(outage: Outage): Promise<void>;
  /** The outage is over; the one that ended, if there was one. */
  clear(): Promise<Outage | undefined>;
}

/** The outage, in this Redis. */
export function openOutages(redis: Redis): Outages {
  const outage = openStoredValue(redis, 'stock-sync:outage', outageSchema);
  return { current: outage.get, record: outage.set, clear: outage.take };
}
