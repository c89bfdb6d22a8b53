import {
  age,
  headline,
  needsAttention,
  openDeadLetters,
  openJobQueues,
  readStatus,
  type RedisConnection,
  type SyncStatus,
} from '@stock-sync/state';

/** `stock-sync status`: one sentence first, and then what it is made of. Exit code 1 where somebody must act. */
export async function statusCommand(
  connection: RedisConnection,
  { json = false }: { json?: boolean },
): Promise<string> {
  const queues = openJobQueues(connection);
  const deadLetters = openDeadLetters(connection);
  const status = await readStatus(connection, { queues, deadLetters }).finally(() =>
    Promise.all([queues.close(), deadLetters.close()]),
  );
  if (needsAttention(status)) process.exitCode = 1;
  return json ? JSON.stringify(status, undefined, 2) : [headline(status), '', ...details(status)].join('\n');
}

function details({ now, parts, deadLetters, problems, lastReconcile, lastHeartbeat }: SyncStatus): string[] {
  const found = Object.entries(lastReconcile?.counts ?? {}).filter(([, count]) => count > 0);
  const reconcile = lastReconcile
    ? `${age(now - lastReconcile.at)} ago: ${found.map(([kind, count]) => `${count} ${kind}`).join(', ') || 'no SKU'}`
    : 'none yet';
  const heartbeat = lastHeartbeat === undefined ? 'no heartbeat yet' : `heartbeat ${age(now - lastHeartbeat.at)} ago`;
  return [
    `Parts to sync   ${parts}`,
    `Dead letters    ${deadLetters}${deadLetters > 0 ? ' (stock-sync dead-letters list)' : ''}`,
    `Last reconcile  ${reconcile}`,
    `Plugin          ${heartbeat}`,
    ...problems.map(problem => `Problem         ${problem}`),
  ];
}
