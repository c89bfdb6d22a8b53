import type { Redis } from 'ioredis';
import { z } from 'zod';
import { openStoredValue, type StoredValue } from './stored-value';

const cursorSchema = z.object({
  /** The highest id so far. */
  latest: z.number().int(),
  /** Ids so near below it that a lower one may still come. */
  seen: z.array(z.number().int()),
});

/** How far a list of rows with rising ids was read. */
export type Cursor = z.infer<typeof cursorSchema>;
export type StoredCursor = Pick<StoredValue<Cursor>, 'get' | 'set'>;

/** The cursor of that name, in this Redis. */
export function openCursor(redis: Redis, name: string): StoredCursor {
  return openStoredValue(redis, `stock-sync:cursor:${name}`, cursorSchema);
}

const newestSchema = z.object({
  /** The last page, and the rows of a full one. */
  page: z.number().int(),
  pageSize: z.number().int(),
  /** SKUs of about a page of the last rows. */
  skus: z.array(z.string()),
});

/** The end of Magento's source items as it was last seen. */
export type NewestSourceItems = Pick<StoredValue<z.infer<typeof newestSchema>>, 'get' | 'set'>;

/** That end, in this Redis. */
export function openNewestSourceItems(redis: Redis): NewestSourceItems {
  return openStoredValue(redis, 'stock-sync:cursor:source-items', newestSchema);
}

/** Ids are given out before a row is committed: one may become visible after so many higher ones. */
const OVERLAP = 20;

/** Rows with a higher id than this are to be read. */
export function readAfter({ latest }: Cursor): number {
  return Math.max(0, latest - OVERLAP);
}

/** The rows that were not there before, and the cursor behind them. */
export function freshRows<Row extends { id: number }>(
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

/** A cursor that begins behind this id: what came before is not asked for. */
export function cursorAt(latest: number): Cursor {
  return {
    latest,
    seen: Array.from({ length: Math.min(OVERLAP, latest) }, (_, n) => latest - n).sort((a, b) => a - b),
  };
}
