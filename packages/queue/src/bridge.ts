import type { Redis } from 'ioredis';
import { z } from 'zod';
import { openStoredValue } from './stored-value';

/** What our InvenTree plugin says of itself once a minute. */
export const heartbeatSchema = z.object(
  {
    plugin: z.string({ error: "expected the plugin's version" }).max(100, { error: 'expected at most 100 characters' }),
    inventree: z
      .string({ error: "expected InvenTree's version" })
      .max(100, { error: 'expected at most 100 characters' }),
    /** Whether InvenTree's own queue takes events, so that what can't be sent at once is sent later. */
    queue: z.boolean({ error: 'expected true or false' }),
  },
  { error: 'expected a heartbeat' },
);
export type Heartbeat = z.infer<typeof heartbeatSchema>;

const lastSchema = heartbeatSchema.extend({ at: z.number() });
/** A heartbeat and when it came, in milliseconds since 1970. */
export type LastHeartbeat = z.infer<typeof lastSchema>;

/** The bridge to InvenTree: our plugin, as far as it was heard of. */
export interface Bridge {
  beat(heartbeat: Heartbeat): Promise<void>;
  /** The last heartbeat that any ingest had; undefined before the first. */
  last(): Promise<LastHeartbeat | undefined>;
}

/** The bridge, in this Redis. */
export function openBridge(redis: Redis): Bridge {
  const last = openStoredValue(redis, 'stock-sync:bridge', lastSchema);
  return { beat: heartbeat => last.set({ ...heartbeat, at: Date.now() }), last: last.get };
}
