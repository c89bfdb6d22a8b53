import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { formatTarget } from '@stock-sync/domain';
import { openExplanations, openJobQueues, type Explanation, type RedisConnection } from '@stock-sync/state';
import { CommandError } from './command';

const POLL_MS = 50;
/** How long a worker may take to answer, in milliseconds. */
const TIMEOUT_MS = 30_000;

/** Has a worker explain what the store shows for a SKU or a part. Throws a CommandError where it cannot. */
export async function explainCommand(
  connection: RedisConnection,
  subject: string,
  { json = false }: { json?: boolean },
): Promise<string> {
  const report = randomUUID();
  const answers = openExplanations(connection, report);
  const queues = openJobQueues(connection);
  try {
    await queues.enqueue([{ kind: 'explain', subject, report, event: 'command' }]);
    const deadline = Date.now() + TIMEOUT_MS;
    for (;;) {
      const answer = await answers.receive();
      if (answer && 'failure' in answer) throw new CommandError(`${answer.failure}.`);
      if (answer) {
        return json ? JSON.stringify(answer.explanations, undefined, 2) : answer.explanations.map(lines).join('\n\n');
      }
      if (Date.now() > deadline) {
        throw new CommandError(
          `No worker answered within ${TIMEOUT_MS / 1000} s. Is one running, with the same REDIS_URL and REDIS_PREFIX?`,
        );
      }
      await sleep(POLL_MS);
    }
  } finally {
    await queues.close();
  }
}

function lines({ part, name, quantity, target, store, lastSync }: Explanation): string {
  const all = [`Part ${part} '${name}'`, `  InvenTree:     ${quantity}`];
  for (const { sku, shows, parts } of store) {
    all.push(`  SKU:           ${sku}`);
    const others = parts.filter(other => other !== part);
    if (others.length > 0) all.push(`  Also has it:   part ${others.join(', ')}`);
    const should =
      target === undefined || formatTarget(target) === shows ? '' : `, should show ${formatTarget(target)}`;
    all.push(`  Magento shows: ${shows}${others.length > 0 ? '' : should}`);
  }
  const last = lastSync ? `${lastSync.outcome}, ${new Date(lastSync.at).toISOString()}` : 'never';
  return [...all, `  Last sync:     ${last}`].join('\n');
}
