import { z } from 'zod';
import { CredentialsError } from '@stock-sync/http-client';
import type { InvenTreeConnection } from './inventree-client';

const templateSchema = z.object({ pk: z.number().int(), name: z.string() });

/** API version from which parameters have an address of their own (facts, Versions). */
const NEW_ADDRESS_SINCE = 430;

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

/** The values of one parameter, by part: all of them, for there is no filter for some parts [recording parameters-of-template]. */
export async function parameterValues(connection: InvenTreeConnection, name: string): Promise<Map<number, string>> {
  const { apiVersion } = await connection.request(
    { method: 'GET', path: '/api/' },
    'its version',
    z.object({ apiVersion: z.number().int() }),
  );
  const isNew = apiVersion >= NEW_ADDRESS_SINCE;
  const templates = await connection.list(
    isNew ? '/api/parameter/template/' : '/api/part/parameter/template/',
    'parameter templates',
    templateSchema,
  );
  const template = templates.find(found => found.name === name);
  if (!template) {
    throw new CredentialsError(
      'InvenTree',
      `InvenTree has no parameter template named '${name}': check SKU_FIELD (there are: ${templates.map(t => t.name).join(', ') || 'none'})`,
    );
  }
  const rows = isNew
    ? await connection.list(`/api/parameter/?template=${template.pk}&model_type=part.part`, 'parameters', newParameter)
    : await connection.list(`/api/part/parameter/?template=${template.pk}`, 'parameters', oldParameter);
  return new Map(rows.filter(row => row.ofPart && row.template === template.pk).map(row => [row.part, row.data]));
}
