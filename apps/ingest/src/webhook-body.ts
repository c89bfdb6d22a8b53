import { targetsOf, type Change, type EventTargets } from '@stock-sync/sync-core';
import { z } from 'zod';

/** The most events in one webhook. */
const MOST_EVENTS = 1_000;

const NAME_EXPECTED = { error: 'expected the name of an event' };
const eventSchema = z.looseObject(
  { event: z.string(NAME_EXPECTED).min(1, NAME_EXPECTED).max(200, NAME_EXPECTED) },
  { error: 'expected an event' },
);
/** One event alone reads as a batch of one. */
const oneSchema = eventSchema.transform(event => ({ events: [event] }));
const batchSchema = z.object({
  events: z
    .array(eventSchema, { error: 'expected a list of events' })
    .min(1, { error: 'expected at least one event' })
    .max(MOST_EVENTS, { error: `expected at most ${MOST_EVENTS.toLocaleString('en')} events` }),
});

/** What a webhook asks for. */
export interface WebhookContents {
  /** One per event that leads to work. */
  accepted: { event: string; targets: EventTargets }[];
  /** How many events lead to none, by reason. */
  ignored: Map<string, number>;
}

/** A field of the body that is not as it should be. */
export interface BadField {
  field: string;
  expected: string;
}

/** The body's events, or the first field that is wrong: then none of them counts. */
export function contentsOf(body: Buffer, isSwitchedOn: (change: Change) => boolean): WebhookContents | BadField {
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
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    return {
      field: fieldName(issue?.path ?? []) || 'body',
      expected: (issue?.message ?? '').replace(/^expected /, ''),
    };
  }

  const contents: WebhookContents = { accepted: [], ignored: new Map() };
  const ignore = (reason: string) => contents.ignored.set(reason, (contents.ignored.get(reason) ?? 0) + 1);
  for (const [index, event] of parsed.data.events.entries()) {
    const targets = targetsOf(event);
    if ('expected' in targets) {
      return { field: isBatch ? `events[${index}].${targets.field}` : targets.field, expected: targets.expected };
    }
    if ('ignored' in targets) ignore(targets.ignored);
    else if (!isSwitchedOn(targets.change)) ignore(`SYNC_ON_* off for ${targets.change}`);
    else contents.accepted.push({ event: event.event, targets });
  }
  return contents;
}

function fieldName(path: readonly PropertyKey[]): string {
  return path
    .map(step => (typeof step === 'number' ? `[${step}]` : `.${String(step)}`))
    .join('')
    .replace(/^\./, '');
}
