import { createInterface } from 'node:readline';
import { Writable } from 'node:stream';
import { CommandError } from './command';

/** Asks the person at the terminal. */
export interface Questions {
  /** The answer, or the default where it is empty. What is typed for a secret is not shown. */
  ask(question: string, options?: { fallback?: string | undefined; isSecret?: boolean }): Promise<string>;
  /** Whether the answer is yes. */
  confirm(question: string): Promise<boolean>;
  close(): void;
}

/** Opens the terminal for questions. Questions reject with a CommandError where its input has ended. */
export function openQuestions(): Questions {
  let isHidden = false;
  const output = new Writable({
    write(chunk: Buffer, _encoding, done) {
      if (!isHidden) process.stderr.write(chunk);
      done();
    },
  });
  const lines = createInterface({ input: process.stdin, output, terminal: process.stdin.isTTY });
  const answers = lines[Symbol.asyncIterator]();

  async function next(question: string, isSecret: boolean): Promise<string> {
    process.stderr.write(question);
    isHidden = isSecret;
    const answer: IteratorResult<string, unknown> = await answers.next();
    isHidden = false;
    if (isSecret && process.stdin.isTTY) process.stderr.write('\n');
    if (answer.done) throw new CommandError('The input ended before every question was answered. Nothing was written.');
    return answer.value.trim();
  }

  return {
    async ask(question, { fallback, isSecret = false } = {}) {
      const shown = fallback === undefined ? '' : ` [${isSecret ? 'as before' : fallback}]`;
      for (;;) {
        const answer = (await next(`${question}${shown}: `, isSecret)) || fallback;
        if (answer) return answer;
      }
    },
    async confirm(question) {
      return /^y(es)?$/i.test(await next(`${question} [y/N] `, false));
    },
    close: () => lines.close(),
  };
}
