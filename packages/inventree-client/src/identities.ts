import { z } from 'zod';
import type { InvenTreeConnection, PartIdentity } from './inventree-client';

/** A longer address is refused [recording error-long-url: 4,094 bytes]; some room is left for a path before ours. */
const LONGEST_ADDRESS = 3_600;

const identitySchema = z
  .object({ pk: z.number().int(), name: z.string(), IPN: z.string().nullish() })
  .transform((part): PartIdentity => ({ pk: part.pk, name: part.name, IPN: part.IPN ?? '' }));

/**
 * All parts whose name (or IPN) is one of these, without regard to case. There is no filter for a list of values, but
 * there is one by regular expression [recordings part-list-name-regex-two-matches, part-list-ipn-regex].
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
  const expression = `^(${values.map(escaped).join('|')}) *$`;
  const path = `/api/part/?${field}_regex=${encodeURIComponent(expression)}&pricing=false`;
  if (values.length === 1 || path.length <= LONGEST_ADDRESS) return [path];
  const middle = Math.ceil(values.length / 2);
  return [...paths(field, values.slice(0, middle)), ...paths(field, values.slice(middle))];
}

/** Letters and digits stand for themselves in every dialect, and so does anything else in ASCII behind a backslash. */
function escaped(value: string): string {
  return value.replace(/[\x20-\x2f\x3a-\x40\x5b-\x60\x7b-\x7e]/g, '\\$&');
}
