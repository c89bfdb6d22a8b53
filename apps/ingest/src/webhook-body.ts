import { HEARTBEAT, interpretEvent, type Change, type EventTargets } from '@stock-sync/domain';
import { heartbeatSchema, type Heartbeat, type Instance } from '@stock-sync/state';
import { z } from 'zod';

/** The most events in one webhook. */
const MAX_EVENTS = 1_000;

const NAME_EXPECTED = { error: 'expected the name of an event' };
const eventSchema = z.looseObject(
  { event: z.string(NAME_EXPECTED).min(1, NAME_EXPECTED).max(200, NAME_EXPECTED) },
  { error: 'expected an event' },
);
/** A single event is a batch of one. */
const oneSchema = eventSchema.transform(event => ({ events: [event], counters: {}, instance: undefined }));
/** Which InvenTree our plugin sends from. */
const instanceSchema = z.object(
  {
    id: z.string({ error: 'expected a text' }).min(1, { error: 'expected a text' }).max(64, {
      error: 'expected at most 64 characters',
    }),
    url: z.string({ error: 'expected an address' }).max(300, { error: 'expected at most 300 characters' }),
  },
  { error: 'expected the id and the address of an InvenTree' },
);
const COUNTERS_EXPECTED = { error: 'expected at most 50 whole numbers by name' };
const batchSchema = z.object({
  events: z
    .array(eventSchema, { error: 'expected a list of events' })
    .min(1, { error: 'expected at least one event' })
    .max(MAX_EVENTS, { error: `expected at most ${MAX_EVENTS.toLocaleString('en')} events` }),
  counters: z
    .record(
      z.string().regex(/^[a-z_]{1,50}$/, COUNTERS_EXPECTED),
      z.number(COUNTERS_EXPECTED).int(COUNTERS_EXPECTED).nonnegative(COUNTERS_EXPECTED),
      COUNTERS_EXPECTED,
    )
    .refine(counters => Object.keys(counters).length <= 50, COUNTERS_EXPECTED)
    .default({}),
  instance: instanceSchema.optional(),
});

/** What a webhook contains. */
export interface WebhookContents {
  /** The events that lead to jobs. */
  accepted: { event: string; targets: EventTargets }[];
  /** The number of other events, by the reason why they are ignored. */
  ignored: Map<string, number>;
  /** Heartbeats of our plugin. */
  heartbeats: Heartbeat[];
  /** The counters of our plugin since its last webhook. */
  counters: Record<string, number>;
  /** The InvenTree that sent it, where the sender says so. */
  instance: Instance | undefined;
}

/** A field of the body that is wrong. */
export interface BadField {
  field: string;
  expected: string;
}

/** Parses the body; where a field is wrong, none of its events counts. */
export function parseWebhook(body: Buffer, isEnabled: (change: Change) => boolean): WebhookContents | BadField {
  let json: unknown;
  try {
    json = JSON.parse(body.toString('utf8'));
  } catch {
    return { field: 'body', expected: 'JSON' };
  }
  if (typeof json !== 'object' || json === null || Array.isArray(json)) {
    return { field: 'body', expected: 'an event or {"events": [...]}' };
  }
  const isBatch = 'events' in json;
  const parsed = (isBatch ? batchSchema : oneSchema).safeParse(json);
  if (!parsed.success) return badField(parsed.error, field => field || 'body');

  const contents: WebhookContents = {
    accepted: [],
    ignored: new Map(),
    heartbeats: [],
    counters: parsed.data.counters,
    instance: parsed.data.instance,
  };
  const ignore = (reason: string) => contents.ignored.set(reason, (contents.ignored.get(reason) ?? 0) + 1);
  for (const [index, event] of parsed.data.events.entries()) {
    const fieldOf = (field: string) => [isBatch ? `events[${index}]` : '', field].filter(Boolean).join('.');
    if (event.event === HEARTBEAT) {
      const heartbeat = heartbeatSchema.safeParse(event);
      if (!heartbeat.success) return badField(heartbeat.error, fieldOf);
      contents.heartbeats.push(heartbeat.data);
      continue;
    }
    const targets = interpretEvent(event);
    if ('expected' in targets) return { field: fieldOf(targets.field), expected: targets.expected };
    if ('ignored' in targets) ignore(targets.ignored);
    else if (!isEnabled(targets.change)) ignore(`SYNC_ON_* off for ${targets.change}`);
    else contents.accepted.push({ event: event.event, targets });
  }
  return contents;
}

function badField(error: z.ZodError, fieldOf: (field: string) => string): BadField {
  const [issue] = error.issues;
  return { field: fieldOf(fieldName(issue?.path ?? [])), expected: (issue?.message ?? '').replace(/^expected /, '') };
}

function fieldName(path: readonly PropertyKey[]): string {
  return path
    .map(step => (typeof step === 'number' ? `[${step}]` : `.${String(step)}`))
    .join('')
    .replace(/^\./, '');
}
