import { z } from 'zod';
import type { RedisConnection } from './connection';
import { openStoredValue, type StoredValue } from './stored-value';

const cursorSchema = z.object({
  /** The highest id so far. */
  latest: z.number().int(),
  /** Ids so close below it that a lower one may still appear. */
  seen: z.array(z.number().int()),
});

/** How far a list of rows with rising ids was read. */
export type Cursor = z.infer<typeof cursorSchema>;
export type StoredCursor = StoredValue<Cursor>;

/** The lists that are read with a cursor. */
export type CursorName = 'shipments' | 'creditmemos' | 'tracking';

/** The cursor of a list. */
export function openCursor({ redis, keys }: RedisConnection, name: CursorName): StoredCursor {
  return openStoredValue(redis, keys.cursor(name), cursorSchema);
}

const sourceItemsEndSchema = z.object({
  /** The last page, and the rows of a full one. */
  page: z.number().int(),
  pageSize: z.number().int(),
  /** SKUs of about one page of the last rows. */
  skus: z.array(z.string()),
});

/** The end of Magento's source items when it was last read. */
export type SourceItemsEnd = StoredValue<z.infer<typeof sourceItemsEndSchema>>;

/** Opens that end. */
export function openSourceItemsEnd({ redis, keys }: RedisConnection): SourceItemsEnd {
  return openStoredValue(redis, keys.cursor('source-items'), sourceItemsEndSchema);
}

const ordersCursorSchema = z.object({
  /** The latest change that was seen, in UTC: `2026-11-25 14:42:17`. */
  since: z.string(),
});

/** How far the changes of Magento's orders were read. */
export type OrdersCursor = StoredValue<z.infer<typeof ordersCursorSchema>>;

/** Opens that cursor. */
export function openOrdersCursor({ redis, keys }: RedisConnection): OrdersCursor {
  return openStoredValue(redis, keys.cursor('orders'), ordersCursorSchema);
}

/** Ids are assigned before a row is committed: a row may become visible after this many higher ones. */
const OVERLAP = 20;

/** Rows with a higher id than this one must be read. */
export function readAfter({ latest }: Cursor): number {
  return Math.max(0, latest - OVERLAP);
}

/** The rows that are new, and the cursor behind them. */
export function newRows<Row extends { id: number }>(
  rows: readonly Row[],
  cursor: Cursor,
): { fresh: Row[]; next: Cursor } {
  const seen = new Set(cursor.seen);
  const from = readAfter(cursor);
  const fresh = rows.filter(({ id }) => id > from && !seen.has(id));
  const latest = Math.max(cursor.latest, ...fresh.map(({ id }) => id));
  const near = [...new Set([...cursor.seen, ...fresh.map(({ id }) => id)])].filter(id => id > latest - OVERLAP);
  return { fresh, next: { latest, seen: near.sort((a, b) => a - b) } };
}

/** A cursor that starts behind this id: earlier rows are not read. */
export function cursorAt(latest: number): Cursor {
  return {
    latest,
    seen: Array.from({ length: Math.min(OVERLAP, latest) }, (_, n) => latest - n).sort((a, b) => a - b),
  };
}
