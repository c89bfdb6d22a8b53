import { skuKey } from '@stock-sync/domain';
import { z } from 'zod';
import type { RedisConnection } from './connection';
import { inOneTurn } from './one-turn';

/** How something that was done about a SKU or a part ended. */
export const HISTORY_OUTCOMES = [
  'updated',
  'unchanged',
  'skipped',
  'dry run',
  'left',
  'overtaken',
  'tried again',
  'dead letter',
  'requested',
  'discarded',
] as const;
export type HistoryOutcome = (typeof HISTORY_OUTCOMES)[number];

/** What was done about a SKU, to be recorded. */
export interface NewHistoryEntry {
  /** null where the part has none. */
  sku: string | null;
  part: number | null;
  outcome: HistoryOutcome;
  /** The event that led to it, or who requested it. */
  cause: string;
  /** What the store showed before, for people; null where it was not read. */
  from: string | null;
  /** What it should show, for people; null where that is not known. */
  to: string | null;
  /** Why, where the outcome does not say it. */
  note: string | null;
  /** Milliseconds from the acceptance of the event to the read of the part; null where nothing was read. */
  waitedMs: number | null;
  /** Milliseconds from that read to the end. */
  tookMs: number | null;
  /** Host and process. */
  worker: string;
  /** The id of the webhook that brought the event; null where none did. */
  webhook: string | null;
}

/** An entry of the history. */
export interface HistoryEntry extends NewHistoryEntry {
  /** Rises with time: "1764144000000-0". */
  id: string;
  /** When it ended, in milliseconds since 1970 by the clock of Redis. */
  at: number;
}

/** The entries that a reader wants; all of them where nothing is named. */
export interface HistoryFilter {
  sku?: string | undefined;
  part?: number | undefined;
  outcome?: HistoryOutcome | undefined;
  /** A part of the cause, in any case of letters. */
  cause?: string | undefined;
  /** Milliseconds since 1970. */
  since?: number | undefined;
  until?: number | undefined;
}

/** Some entries, the latest first. */
export interface HistoryPage {
  entries: HistoryEntry[];
  /** Where the next page begins; undefined where there is none. */
  next: string | undefined;
  /** Why older entries are missing, where they are. */
  missing?: string;
}

/** Reads the history. */
export interface HistoryReader {
  /** The latest entries before the entry with this id. */
  page(filter: HistoryFilter, limit: number, before?: string): Promise<HistoryPage>;
}

/** What was done about each SKU, the latest last; bounded in time and number. */
export interface History extends HistoryReader {
  record(entries: readonly NewHistoryEntry[]): Promise<void>;
  /** The entries after the one with this id, the earliest first. */
  after(id: string, limit: number): Promise<HistoryEntry[]>;
  /** The number of entries. */
  count(): Promise<number>;
}

export interface HistoryBounds {
  /** HISTORY_DAYS. */
  days: number;
  /** HISTORY_ENTRIES; 0 records nothing. */
  entries: number;
}

/**
 * The order of the fields in Redis, which stores the names of equal entries once. `before` is the id of the SKU's
 * previous entry: the history of one SKU is read along this chain, without an index that would cost as much again.
 */
const FIELDS = [
  'sku',
  'part',
  'outcome',
  'cause',
  'from',
  'to',
  'note',
  'waited',
  'took',
  'worker',
  'webhook',
  'before',
] as const;

/**
 * KEYS: the stream, then for each entry the key of its SKU's latest entry. ARGV: most entries, milliseconds that they
 * are kept, then for each entry the values of FIELDS but for `before`.
 */
const RECORD = `
local fields = {${FIELDS.map(field => `'${field}'`).join(', ')}}
local perEntry = #fields - 1
local time = redis.call('TIME')
local oldest = time[1] * 1000 + math.floor(time[2] / 1000) - ARGV[2]
for entry = 1, #KEYS - 1 do
  local line = {}
  for field = 1, perEntry do
    line[2 * field - 1] = fields[field]
    line[2 * field] = ARGV[2 + (entry - 1) * perEntry + field]
  end
  line[2 * perEntry + 1] = fields[#fields]
  line[2 * perEntry + 2] = redis.call('GET', KEYS[entry + 1]) or ''
  local id = redis.call('XADD', KEYS[1], 'MAXLEN', '~', ARGV[1], '*', unpack(line))
  redis.call('SET', KEYS[entry + 1], id, 'PX', ARGV[2])
end
redis.call('XTRIM', KEYS[1], 'MINID', '~', string.format('%.0f', oldest))`;

/** KEYS: the stream. ARGV: the id of the latest entry, and how many. Follows the chain of one SKU. */
const CHAIN = `
local found = {}
local id = ARGV[1]
while id ~= '' and #found < tonumber(ARGV[2]) do
  local entry = redis.call('XRANGE', KEYS[1], id, id)[1]
  if not entry then break end
  found[#found + 1] = entry
  id = entry[2][#entry[2]]
end
return found`;

type RawEntry = [id: string, fields: string[]];

/** Entries that are read at once where most of them may not be wanted. */
const SCANNED_AT_ONCE = 1_000;
/** Entries that a page looks through at most, so that no page takes long; the next page goes on. */
const MAX_SCANNED = 50_000;
const DAY_MS = 24 * 60 * 60 * 1000;

/** Opens the history in Redis; a service that only reads it needs no bounds. */
export function openHistory(
  { redis, keys }: RedisConnection,
  bounds: HistoryBounds = { days: 1, entries: 0 },
): History {
  const latestOf = ({ sku, part }: Pick<NewHistoryEntry, 'sku' | 'part'>) =>
    keys.latestHistory(sku === null ? `part:${part ?? ''}` : skuKey(sku));

  /** The entries of one SKU, or of a part without one, the latest first. */
  async function chain(subject: Pick<NewHistoryEntry, 'sku' | 'part'>, limit: number, before: string | undefined) {
    const latest = before === undefined ? await redis.get(latestOf(subject)) : await previous(before);
    if (!latest) return [];
    return ((await redis.eval(CHAIN, 1, keys.history, latest, limit)) as RawEntry[]).map(entryFrom);
  }

  async function previous(id: string): Promise<string | undefined> {
    const [entry] = await redis.xrange(keys.history, id, id);
    return entry?.[1].at(-1);
  }

  async function chainPage(filter: HistoryFilter, limit: number, before: string | undefined): Promise<HistoryPage> {
    const subject = { sku: filter.sku ?? null, part: filter.part ?? null };
    const entries: HistoryEntry[] = [];
    let from = before;
    for (let scanned = 0; scanned < MAX_SCANNED; scanned += SCANNED_AT_ONCE) {
      const some = await chain(subject, SCANNED_AT_ONCE, from);
      for (const entry of some) {
        if (entry.at < (filter.since ?? 0)) return { entries, next: undefined };
        from = entry.id;
        if (!matches(entry, filter)) continue;
        entries.push(entry);
        if (entries.length === limit) return { entries, next: entry.id };
      }
      if (some.length < SCANNED_AT_ONCE) return { entries, next: undefined };
    }
    return { entries, next: from };
  }

  async function scannedPage(filter: HistoryFilter, limit: number, before: string | undefined): Promise<HistoryPage> {
    const entries: HistoryEntry[] = [];
    const oldest = String(filter.since ?? '-');
    let end = before === undefined ? String(filter.until ?? '+') : `(${before}`;
    for (let scanned = 0; scanned < MAX_SCANNED; scanned += SCANNED_AT_ONCE) {
      const some = await redis.xrevrange(keys.history, end, oldest, 'COUNT', SCANNED_AT_ONCE);
      for (const raw of some) {
        const entry = entryFrom(raw);
        if (!matches(entry, filter)) continue;
        entries.push(entry);
        if (entries.length === limit) return { entries, next: entry.id };
      }
      const last = some.at(-1);
      if (!last || some.length < SCANNED_AT_ONCE) return { entries, next: undefined };
      end = `(${last[0]}`;
    }
    return { entries, next: end.slice(1) };
  }

  const recordOne = inOneTurn<NewHistoryEntry, undefined>(async entries => {
    const all = [keys.history, ...entries.map(latestOf)];
    await redis.eval(RECORD, all.length, ...all, bounds.entries, bounds.days * DAY_MS, ...entries.flatMap(valuesOf));
    return [];
  });

  return {
    async record(entries) {
      if (bounds.entries > 0) await Promise.all(entries.map(recordOne));
    },
    page(filter, limit, before) {
      const isChain = filter.sku !== undefined;
      return isChain ? chainPage(filter, limit, before) : scannedPage(filter, limit, before);
    },
    async after(id, limit) {
      return (await redis.xrange(keys.history, `(${id}`, '+', 'COUNT', limit)).map(entryFrom);
    },
    count: () => redis.xlen(keys.history),
  };
}

/** Whether an entry is one that a reader wants. */
function matches(entry: HistoryEntry, { part, outcome, cause, since, until }: HistoryFilter): boolean {
  return (
    (part === undefined || entry.part === part) &&
    (outcome === undefined || entry.outcome === outcome) &&
    (cause === undefined || entry.cause.toLowerCase().includes(cause.toLowerCase())) &&
    (since === undefined || entry.at >= since) &&
    (until === undefined || entry.at <= until)
  );
}

const text = (value: string | number | null) => (value === null ? '' : String(value));

function valuesOf(entry: NewHistoryEntry): string[] {
  const { sku, part, outcome, cause, from, to, note, waitedMs, tookMs, worker, webhook } = entry;
  return [sku, part, outcome, cause, from, to, note, waitedMs, tookMs, worker, webhook].map(text);
}

const outcomeSchema = z.enum(HISTORY_OUTCOMES).catch('unchanged');

function entryFrom([id, values]: RawEntry): HistoryEntry {
  const fields = new Map(FIELDS.map((field, index) => [field, values[2 * index + 1] ?? '']));
  const textOf = (field: (typeof FIELDS)[number]) => fields.get(field) ?? '';
  const orNull = (field: (typeof FIELDS)[number]) => textOf(field) || null;
  const numberOrNull = (field: (typeof FIELDS)[number]) => (textOf(field) === '' ? null : Number(textOf(field)));
  return {
    id,
    at: Number(id.split('-')[0]),
    sku: orNull('sku'),
    part: numberOrNull('part'),
    outcome: outcomeSchema.parse(textOf('outcome')),
    cause: textOf('cause'),
    from: orNull('from'),
    to: orNull('to'),
    note: orNull('note'),
    waitedMs: numberOrNull('waited'),
    tookMs: numberOrNull('took'),
    worker: textOf('worker'),
    webhook: orNull('webhook'),
  };
}
