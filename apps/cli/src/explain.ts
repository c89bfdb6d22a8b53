import { formatTarget, type UnitsBySource } from '@stock-sync/domain';
import { openJobQueues, requestExplanation, type Explanation, type RedisConnection } from '@stock-sync/state';
import { CommandError } from './command';

/** Has a worker explain what the store shows for a SKU or a part. Throws a CommandError where it cannot. */
export async function explainCommand(
  connection: RedisConnection,
  subject: string,
  { json = false }: { json?: boolean },
): Promise<string> {
  const queues = openJobQueues(connection);
  try {
    const answer = await requestExplanation(connection, queues, subject);
    if ('failure' in answer) throw new CommandError(`${answer.failure}.`);
    return json ? JSON.stringify(answer.explanations, undefined, 2) : answer.explanations.map(lines).join('\n\n');
  } finally {
    await queues.close();
  }
}

function lines({ part, name, quantity, target, store, lastSync }: Explanation): string {
  const all = [`Part ${part} '${name}'`, `  InvenTree:     ${quantity}`];
  for (const { sku, shows, parts, unbooked } of store) {
    all.push(`  SKU:           ${sku}`);
    const others = parts.filter(other => other !== part);
    if (others.length > 0) all.push(`  Also has it:   part ${others.join(', ')}`);
    if (unbooked !== undefined) all.push(`  Orders:        ${unbookedText(unbooked)}`);
    const isRight = target === undefined || unbooked !== undefined || formatTarget(target) === shows;
    const should = isRight ? '' : `, should show ${formatTarget(target)}`;
    all.push(`  Magento shows: ${shows}${others.length > 0 ? '' : should}`);
  }
  const last = lastSync ? `${lastSync.outcome}, ${new Date(lastSync.at).toISOString()}` : 'never';
  return [...all, `  Last sync:     ${last}`].join('\n');
}

/** One sentence for each source, which is named where it is known and not the only one. */
function unbookedText(bySource: UnitsBySource): string {
  return Object.entries(bySource)
    .map(([source, units]) => {
      const text =
        units < 0
          ? `${-units} shipped in Magento and not yet in InvenTree, so Magento shows ${-units} less`
          : `${units} shipped in InvenTree and not yet in Magento, so Magento shows ${units} more`;
      return source === '' ? text : `${text} at ${source}`;
    })
    .join('; ');
}
