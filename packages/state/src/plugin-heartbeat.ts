import { z } from 'zod';
import type { RedisConnection } from './connection';
import { openStoredValue } from './stored-value';

/** What our InvenTree plugin reports about itself once a minute. */
export const heartbeatSchema = z.object(
  {
    plugin: z.string({ error: "expected the plugin's version" }).max(100, { error: 'expected at most 100 characters' }),
    inventree: z
      .string({ error: "expected InvenTree's version" })
      .max(100, { error: 'expected at most 100 characters' }),
    /** Whether InvenTree's own queue takes events, so that what cannot be sent at once is sent later. */
    queue: z.boolean({ error: 'expected true or false' }),
  },
  { error: 'expected a heartbeat' },
);
export type Heartbeat = z.infer<typeof heartbeatSchema>;

const lastHeartbeatSchema = heartbeatSchema.extend({ at: z.number() });
/** A heartbeat and when it arrived, in milliseconds since 1970. */
export type LastHeartbeat = z.infer<typeof lastHeartbeatSchema>;

/** The last heartbeat that any ingest received. */
export interface PluginHeartbeat {
  received(heartbeat: Heartbeat): Promise<void>;
  last(): Promise<LastHeartbeat | undefined>;
}

/** Opens the last heartbeat. */
export function openPluginHeartbeat({ redis, keys, now }: RedisConnection): PluginHeartbeat {
  const stored = openStoredValue(redis, keys.pluginHeartbeat, lastHeartbeatSchema);
  return { received: heartbeat => stored.set({ ...heartbeat, at: now() }), last: stored.get };
}
