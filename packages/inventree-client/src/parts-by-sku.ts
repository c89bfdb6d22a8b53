import { z } from 'zod';
import type { InvenTreeConnection } from './connection';
import type { PartIdentity } from './part-stock';

/** InvenTree refuses a URL of more than 4,094 bytes (docs/facts/inventree.md); this leaves room for a path prefix. */
const MAX_URL_LENGTH = 3_600;

const identitySchema = z
  .object({ pk: z.number().int(), name: z.string(), IPN: z.string().nullish() })
  .transform((part): PartIdentity => ({ pk: part.pk, name: part.name, IPN: part.IPN ?? '' }));

/**
 * All parts whose name (or IPN) is one of these values, ignoring case. InvenTree has no filter for a list of values,
 * but it has one by regular expression (docs/facts/inventree.md, fact 8).
 */
export async function partsNamed(
  connection: InvenTreeConnection,
  field: 'name' | 'IPN',
  values: readonly string[],
): Promise<PartIdentity[]> {
  const found = new Map<number, PartIdentity>();
  for (const path of paths(field, values)) {
    for (const part of await connection.list(path, 'parts', identitySchema)) found.set(part.pk, part);
  }
  return [...found.values()];
}

function paths(field: 'name' | 'IPN', values: readonly string[]): string[] {
  if (values.length === 0) return [];
  const expression = `^(${values.map(escapeRegex).join('|')}) *$`;
  const path = `/api/part/?${field}_regex=${encodeURIComponent(expression)}&pricing=false`;
  if (values.length === 1 || path.length <= MAX_URL_LENGTH) return [path];
  const middle = Math.ceil(values.length / 2);
  return [...paths(field, values.slice(0, middle)), ...paths(field, values.slice(middle))];
}

/**
 * In every dialect letters and digits stand for themselves, and so does any other ASCII character after a backslash.
 */
function escapeRegex(value: string): string {
  return value.replace(/[\x20-\x2f\x3a-\x40\x5b-\x60\x7b-\x7e]/g, '\\$&');
}
