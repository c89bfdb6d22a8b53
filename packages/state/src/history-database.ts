import { skuKey } from '@stock-sync/domain';
import { Pool } from 'pg';
import { z } from 'zod';
import {
  HISTORY_OUTCOMES,
  type HistoryEntry,
  type HistoryFilter,
  type HistoryPage,
  type HistoryReader,
} from './history';

/** The history of one shop in PostgreSQL, for longer than Redis keeps it. */
export interface HistoryDatabase extends HistoryReader {
  /** Creates the table where it is missing. */
  prepare(): Promise<void>;
  /** Rejects where `prepare` would; leaves everything as it is. */
  tryToPrepare(): Promise<void>;
  /** The id of the latest entry; "0-0" where there is none. */
  latestId(): Promise<string>;
  /** Stores entries; one that is there already stays as it is. */
  store(entries: readonly HistoryEntry[]): Promise<void>;
  /** Deletes what ended before this time, in milliseconds since 1970; resolves with the number of entries. */
  deleteBefore(at: number): Promise<number>;
  close(): Promise<void>;
}

/**
 * An entry's id in Redis, "1764144000000-0", is its time and a number that tells entries of one millisecond apart.
 * Several shops may share the table.
 */
const CREATE = `
CREATE TABLE IF NOT EXISTS stock_sync_history (
  shop text NOT NULL,
  at timestamptz NOT NULL,
  number integer NOT NULL,
  sku text,
  sku_key text,
  part integer,
  outcome text NOT NULL,
  cause text NOT NULL,
  "from" text,
  "to" text,
  note text,
  waited_ms integer,
  took_ms integer,
  worker text NOT NULL,
  webhook text,
  PRIMARY KEY (shop, at, number)
);
CREATE INDEX IF NOT EXISTS stock_sync_history_sku ON stock_sync_history (shop, sku_key, at, number);
CREATE INDEX IF NOT EXISTS stock_sync_history_part ON stock_sync_history (shop, part, at, number);`;

/** Two processes that create one table at once would both fail. */
const CREATE_LOCK = 7_264_501;

const STORE = `
INSERT INTO stock_sync_history
  (shop, at, number, sku, sku_key, part, outcome, cause, "from", "to", note, waited_ms, took_ms, worker, webhook)
SELECT $1, * FROM unnest($2::timestamptz[], $3::int[], $4::text[], $5::text[], $6::int[], $7::text[], $8::text[],
  $9::text[], $10::text[], $11::text[], $12::int[], $13::int[], $14::text[], $15::text[])
ON CONFLICT DO NOTHING`;

/** How long a connection, and then an answer, may take, in milliseconds. */
const CONNECT_MS = 5_000;
const QUERY_MS = 30_000;

/**
 * Opens the history in PostgreSQL; connects at the first call, and again after an outage.
 * @param shop REDIS_PREFIX
 */
export function openHistoryDatabase(url: string, shop: string): HistoryDatabase {
  const pool = new Pool({
    connectionString: url,
    max: 4,
    connectionTimeoutMillis: CONNECT_MS,
    query_timeout: QUERY_MS,
    application_name: 'stock-sync',
  });
  // A connection that waits in the pool may break; the next call opens another one, or fails with the reason.
  pool.on('error', () => undefined);

  async function createTable(end: 'COMMIT' | 'ROLLBACK'): Promise<void> {
    const client = await pool.connect();
    try {
      await client.query('BEGIN');
      await client.query('SELECT pg_advisory_xact_lock($1)', [CREATE_LOCK]);
      await client.query(CREATE);
      await client.query(end);
      client.release();
    } catch (error) {
      client.release(true);
      throw error;
    }
  }

  return {
    prepare: () => createTable('COMMIT'),
    tryToPrepare: () => createTable('ROLLBACK'),
    async latestId() {
      const { rows } = await pool.query(
        'SELECT at, number FROM stock_sync_history WHERE shop = $1 ORDER BY at DESC, number DESC LIMIT 1',
        [shop],
      );
      return rows.length === 0 ? '0-0' : idOf(keySchema.parse(rows[0]));
    },
    async store(entries) {
      const keys = entries.map(({ id }) => keyOf(id));
      const column = <T>(valueOf: (entry: HistoryEntry) => T) => entries.map(valueOf);
      await pool.query(STORE, [
        shop,
        keys.map(({ at }) => at),
        keys.map(({ number }) => number),
        column(({ sku }) => sku),
        column(({ sku }) => sku && skuKey(sku)),
        column(({ part }) => part),
        column(({ outcome }) => outcome),
        column(({ cause }) => cause),
        column(({ from }) => from),
        column(({ to }) => to),
        column(({ note }) => note),
        column(({ waitedMs }) => waitedMs),
        column(({ tookMs }) => tookMs),
        column(({ worker }) => worker),
        column(({ webhook }) => webhook),
      ]);
    },
    async page(filter, limit, before) {
      const { conditions, values } = conditionsOf(filter, before);
      const { rows } = await pool.query(
        `SELECT * FROM stock_sync_history WHERE shop = $1${conditions.map(one => ` AND ${one}`).join('')}
         ORDER BY at DESC, number DESC LIMIT ${limit}`,
        [shop, ...values],
      );
      const entries = rows.map(row => entryFrom(rowSchema.parse(row)));
      return { entries, next: entries.length < limit ? undefined : entries.at(-1)?.id };
    },
    async deleteBefore(at) {
      const { rowCount } = await pool.query('DELETE FROM stock_sync_history WHERE shop = $1 AND at < $2', [
        shop,
        new Date(at),
      ]);
      return rowCount ?? 0;
    },
    close: () => pool.end(),
  };
}

/**
 * The history in Redis, and behind its end the older one in PostgreSQL. While PostgreSQL is unreachable, a page has
 * what Redis has, and says so.
 */
export function withOlderHistory(recent: HistoryReader, older: HistoryReader): HistoryReader {
  return {
    async page(filter, limit, before): Promise<HistoryPage> {
      const page = await recent.page(filter, limit, before);
      if (page.next !== undefined) return page;
      try {
        const last = page.entries.at(-1)?.id ?? before;
        const rest = await older.page(filter, limit - page.entries.length, last);
        return { entries: [...page.entries, ...rest.entries], next: rest.next };
      } catch (error) {
        return {
          ...page,
          missing: `PostgreSQL cannot be read (${(error as Error).message}): older entries are missing`,
        };
      }
    },
  };
}

/** The conditions of a query, and the values of $2, $3 and so on in them. */
function conditionsOf({ sku, part, outcome, cause, since, until }: HistoryFilter, before: string | undefined) {
  const conditions: string[] = [];
  const values: unknown[] = [];
  const where = (condition: (...names: string[]) => string, ...given: unknown[]) => {
    conditions.push(condition(...given.map((_, n) => `$${values.length + n + 2}`)));
    values.push(...given);
  };
  if (sku !== undefined) where(key => `sku_key = ${key}`, skuKey(sku));
  if (part !== undefined) where(id => `part = ${id}`, part);
  if (outcome !== undefined) where(one => `outcome = ${one}`, outcome);
  if (cause !== undefined) where(text => `position(lower(${text}) in lower(cause)) > 0`, cause);
  if (since !== undefined) where(time => `at >= ${time}`, new Date(since));
  if (until !== undefined) where(time => `at <= ${time}`, new Date(until));
  if (before !== undefined) {
    const { at, number } = keyOf(before);
    where((time, last) => `(at, number) < (${time}, ${last})`, at, number);
  }
  return { conditions, values };
}

function keyOf(id: string): { at: Date; number: number } {
  const [at, number] = id.split('-');
  return { at: new Date(Number(at)), number: Number(number) };
}

const keySchema = z.object({ at: z.date(), number: z.number() });

function idOf({ at, number }: z.infer<typeof keySchema>): string {
  return `${at.getTime()}-${number}`;
}

const rowSchema = keySchema.extend({
  sku: z.string().nullable(),
  part: z.number().nullable(),
  outcome: z.enum(HISTORY_OUTCOMES).catch('unchanged'),
  cause: z.string(),
  from: z.string().nullable(),
  to: z.string().nullable(),
  note: z.string().nullable(),
  waited_ms: z.number().nullable(),
  took_ms: z.number().nullable(),
  worker: z.string(),
  webhook: z.string().nullable(),
});

function entryFrom(row: z.infer<typeof rowSchema>): HistoryEntry {
  const { at, number, waited_ms: waitedMs, took_ms: tookMs, ...same } = row;
  return { ...same, id: idOf({ at, number }), at: at.getTime(), waitedMs, tookMs };
}
