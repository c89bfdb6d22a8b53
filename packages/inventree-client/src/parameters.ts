import { z } from 'zod';
import { CallError } from '@stock-sync/http-client';
import type { InvenTreeConnection } from './connection';

const templateSchema = z.object({ pk: z.number().int(), name: z.string() });

/** The API version since which parameters have a path of their own (docs/facts/inventree.md, "Versions"). */
const NEW_PATH_SINCE = 430;

const newParameter = z
  .object({
    pk: z.number().int(),
    template: z.number().int(),
    model_type: z.string(),
    model_id: z.number().int(),
    data: z.string(),
  })
  .transform(row => ({
    pk: row.pk,
    template: row.template,
    ofPart: row.model_type === 'part.part',
    part: row.model_id,
    data: row.data,
  }));
const oldParameter = z
  .object({ pk: z.number().int(), template: z.number().int(), part: z.number().int(), data: z.string() })
  .transform(row => ({ ...row, ofPart: true }));

/** A parameter template, and which of the two sets of paths this InvenTree has. */
interface FoundTemplate {
  pk: number;
  isNew: boolean;
}

/** The values of one parameter by part: all of them, because InvenTree cannot filter them by several parts. */
export async function parameterValues(connection: InvenTreeConnection, name: string): Promise<Map<number, string>> {
  const { pk, isNew } = await findTemplate(connection, name);
  const rows = isNew
    ? await connection.list(`/api/parameter/?template=${pk}&model_type=part.part`, 'parameters', newParameter)
    : await connection.list(`/api/part/parameter/?template=${pk}`, 'parameters', oldParameter);
  return new Map(rows.filter(row => row.ofPart && row.template === pk).map(row => [row.part, row.data]));
}

/**
 * Finds a parameter template by its name; rejects with a CallError that names the existing ones where there is none.
 */
export async function findTemplate(connection: InvenTreeConnection, name: string): Promise<FoundTemplate> {
  const { apiVersion } = await connection.request(
    { method: 'GET', path: '/api/' },
    'its version',
    z.object({ apiVersion: z.number().int() }),
  );
  const isNew = apiVersion >= NEW_PATH_SINCE;
  const templates = await connection.list(
    isNew ? '/api/parameter/template/' : '/api/part/parameter/template/',
    'parameter templates',
    templateSchema,
  );
  const template = templates.find(found => found.name === name);
  if (!template) {
    const existing = templates.map(found => found.name).join(', ') || 'none';
    throw new CallError(
      'InvenTree',
      'credentials',
      `InvenTree has no parameter template named '${name}': check the settings that name it. ` +
        `Existing templates: ${existing}`,
    );
  }
  return { pk: template.pk, isNew };
}
