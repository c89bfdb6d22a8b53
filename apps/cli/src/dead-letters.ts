import { replayOf, type DeadLetter, type DeadLetters, type SyncQueue } from '@stock-sync/queue';
import { CommandError } from './with-redis';

/** Which letters a command is about: all, or those of these parts, by id or SKU. */
export type Chosen = { all: true } | { parts: readonly string[] };

/** The letters as people read them, the newest failure last. */
export function listInWords(letters: readonly DeadLetter[]): string {
  if (letters.length === 0) return 'There are no dead letters.';
  const blocks = [...letters]
    .sort((a, b) => a.lastFailedAt.localeCompare(b.lastFailedAt))
    .map(letter => {
      const facts = [
        letter.sku !== null && `SKU '${letter.sku}'`,
        letter.wanted !== null && `wanted ${letter.wanted}`,
        letter.errorKind,
      ];
      const attempts = letter.attempts === 1 ? '1 attempt' : `${letter.attempts} attempts`;
      return [
        `${nameOf(letter)}  ${facts.filter(Boolean).join(', ')}`,
        `  ${letter.reason}`,
        `  ${attempts}, first failed ${letter.firstFailedAt}, last ${letter.lastFailedAt}; asked by ${letter.event}`,
      ].join('\n');
    });
  return [...blocks, letters.length === 1 ? '1 dead letter.' : `${letters.length} dead letters.`].join('\n\n');
}

/** Has the jobs of these letters done once more. A letter stays until its job succeeds: so none is lost on the way. */
export async function replay(deadLetters: DeadLetters, queue: SyncQueue, chosen: Chosen): Promise<string> {
  const letters = choose(await deadLetters.list(), chosen);
  const jobs = letters.flatMap(letter => replayOf(letter) ?? []);
  await queue.enqueue(jobs);
  return [
    ...letters.map(letter =>
      letter.job
        ? `${subjectOf(letter)}: enqueued; its letter goes away when it succeeds`
        : `${subjectOf(letter)}: can't be replayed, the job is not readable; discard it`,
    ),
    letters.length === 0 ? 'There are no dead letters.' : `${jobs.length} replayed.`,
  ].join('\n');
}

/** Throws these letters away. The next event of a part looks at it all the same. */
export async function discard(deadLetters: DeadLetters, chosen: Chosen): Promise<string> {
  const letters = choose(await deadLetters.list(), chosen);
  for (const letter of letters) await deadLetters.withdraw(letter.id);
  return [
    ...letters.map(letter => `${subjectOf(letter)}: discarded`),
    letters.length === 0 ? 'There are no dead letters.' : `${letters.length} discarded.`,
  ].join('\n');
}

function choose(letters: readonly DeadLetter[], chosen: Chosen): DeadLetter[] {
  if ('all' in chosen) return [...letters];
  return chosen.parts.flatMap(asked => {
    const found = letters.filter(
      letter => letter.id === asked || String(letter.part) === asked || letter.sku === asked,
    );
    if (found.length === 0) throw new CommandError(`no dead letter is of part, SKU or id '${asked}': see "list"`);
    return found;
  });
}

function nameOf({ part, id }: DeadLetter): string {
  return part === null ? id : `part ${part}`;
}

function subjectOf(letter: DeadLetter): string {
  return letter.sku === null ? nameOf(letter) : `${nameOf(letter)} (SKU '${letter.sku}')`;
}
