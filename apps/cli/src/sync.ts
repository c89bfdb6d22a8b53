import { openJobQueues, openParts, type RedisConnection } from '@stock-sync/state';
import { CommandError } from './command';

/** `stock-sync sync`: queues these parts, by SKU or id, as an event would. Throws a CommandError for an unknown one. */
export async function syncCommand(
  connection: RedisConnection,
  subjects: readonly string[],
  { json = false }: { json?: boolean },
): Promise<string> {
  const parts = openParts(connection);
  const queues = openJobQueues(connection);
  try {
    const withSkus = await parts.withSkus(subjects);
    const found = subjects.map((subject, index) => ({ subject, ids: idsOf(subject, withSkus[index] ?? []) }));
    const unknown = found.filter(({ ids }) => ids.length === 0).map(({ subject }) => `'${subject}'`);
    if (unknown.length > 0) {
      throw new CommandError(
        `No part that was ever synced has SKU ${unknown.join(', ')}. Nothing was queued. Use the id of the part.`,
      );
    }
    const ids = [...new Set(found.flatMap(one => one.ids))];
    await queues.enqueue(ids.map(part => ({ kind: 'part', part, event: 'command' })));
    if (json) {
      return JSON.stringify(
        found.map(({ subject, ids: of }) => ({ subject, parts: of })),
        undefined,
        2,
      );
    }
    return found.map(({ subject, ids: of }) => `${subject}: part ${of.join(', ')} is queued`).join('\n');
  } finally {
    await queues.close();
  }
}

/** The parts with this SKU; where none is known, a number is the id of a part. */
function idsOf(subject: string, withSku: readonly number[]): readonly number[] {
  const id = Number(subject);
  return withSku.length === 0 && Number.isSafeInteger(id) && id > 0 ? [id] : withSku;
}
