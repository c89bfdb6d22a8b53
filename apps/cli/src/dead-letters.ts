import { formatTarget } from '@stock-sync/domain';
import { remedyOf, replayOf, type DeadLetter, type DeadLetters, type JobQueues } from '@stock-sync/state';
import { CommandError } from './command';

/** The dead letters that a command concerns: all, or those of these parts, by id or SKU. */
export type Selection = { all: true } | { parts: readonly string[] };

/** What the commands about dead letters need. */
export interface OpenedDeadLetters {
  deadLetters: DeadLetters;
  queues: JobQueues;
}

/** The dead letters for people, the latest failure last. */
export function listLines(deadLetters: readonly DeadLetter[]): string {
  if (deadLetters.length === 0) return 'There are no dead letters.';
  const blocks = [...deadLetters]
    .sort((a, b) => a.lastFailedAt.localeCompare(b.lastFailedAt))
    .map(deadLetter => {
      const { sku, target, errorKind, reason, firstFailedAt, lastFailedAt, event } = deadLetter;
      const facts = [sku !== null && `SKU '${sku}'`, target !== null && `target ${formatTarget(target)}`, errorKind];
      const attempts = deadLetter.attempts === 1 ? '1 attempt' : `${deadLetter.attempts} attempts`;
      return [
        `${nameOf(deadLetter)}  ${facts.filter(Boolean).join(', ')}`,
        `  ${reason}`,
        `  ${remedyOf(deadLetter)}`,
        `  ${attempts}, first failed ${firstFailedAt}, last ${lastFailedAt}; event ${event}`,
      ].join('\n');
    });
  return [...blocks, deadLetters.length === 1 ? '1 dead letter.' : `${deadLetters.length} dead letters.`].join('\n\n');
}

/**
 * Runs the jobs of these dead letters again. A dead letter stays until its job succeeds, so that none is lost
 * meanwhile.
 */
export async function replay(
  { deadLetters, queues }: OpenedDeadLetters,
  selection: Selection,
  { json = false }: { json?: boolean },
): Promise<string> {
  const selected = select(await deadLetters.list(), selection);
  const jobs = selected.flatMap(deadLetter => replayOf(deadLetter) ?? []);
  await queues.enqueue(jobs);
  if (json) return idsOf(selected);
  return [
    ...selected.map(deadLetter =>
      deadLetter.job
        ? `${subjectOf(deadLetter)}: queued; the dead letter is removed when the part is in sync`
        : `${subjectOf(deadLetter)}: cannot be replayed, because its job is unreadable; discard it`,
    ),
    selected.length === 0 ? 'There are no dead letters.' : `${jobs.length} replayed.`,
  ].join('\n');
}

/** Removes these dead letters. The next event of a part syncs it all the same. */
export async function discard(
  { deadLetters }: OpenedDeadLetters,
  selection: Selection,
  { json = false }: { json?: boolean },
): Promise<string> {
  const selected = select(await deadLetters.list(), selection);
  for (const { id } of selected) await deadLetters.remove(id);
  if (json) return idsOf(selected);
  return [
    ...selected.map(deadLetter => `${subjectOf(deadLetter)}: discarded`),
    selected.length === 0 ? 'There are no dead letters.' : `${selected.length} discarded.`,
  ].join('\n');
}

function idsOf(selected: readonly DeadLetter[]): string {
  return JSON.stringify(
    selected.map(({ id, part, sku }) => ({ id, part, sku })),
    undefined,
    2,
  );
}

function select(deadLetters: readonly DeadLetter[], selection: Selection): DeadLetter[] {
  if ('all' in selection) return [...deadLetters];
  return selection.parts.flatMap(text => {
    const found = deadLetters.filter(({ id, part, sku }) => id === text || String(part) === text || sku === text);
    if (found.length === 0)
      throw new CommandError(`no dead letter has the part, SKU or id '${text}' (see: stock-sync dead-letters list)`);
    return found;
  });
}

function nameOf({ part, id }: DeadLetter): string {
  return part === null ? id : `part ${part}`;
}

function subjectOf(deadLetter: DeadLetter): string {
  return deadLetter.sku === null ? nameOf(deadLetter) : `${nameOf(deadLetter)} (SKU '${deadLetter.sku}')`;
}
