/** What the demo prints. */

const isTerminal = process.stdout.isTTY;
const styled = (code: number, text: string) => (isTerminal ? `\x1b[${code}m${text}\x1b[0m` : text);

export const bold = (text: string) => styled(1, text);
export const faint = (text: string) => styled(90, text);
const good = (text: string) => styled(32, text);
const bad = (text: string) => styled(31, text);

/** A step of the story, after it was played. */
export interface PlayedStep {
  title: string;
  /** What a user does, and where. */
  action: string;
  /** Lines from the log of the workers. */
  log: readonly string[];
  inventree: string;
  magento: string;
  /** Whether it is about an order, so that the quantities need not be equal. */
  isOrder: boolean;
  agreed: boolean;
  seconds: number;
  calls: { inventree: number; reads: number; writes: number };
}

export function print(line = ''): void {
  console.log(line);
}

/** Prints a step: the quantities of both systems side by side, the time and the calls that it took. */
export function printStep(number: number, step: PlayedStep): void {
  const { calls } = step;
  print();
  print(bold(`${number}. ${step.title}`));
  print(`   ${step.action}`);
  for (const line of step.log) print(faint(`   worker: ${line}`));
  const [yes, no] = step.isOrder ? ['right', 'WRONG'] : ['equal', 'NOT EQUAL'];
  const verdict = step.agreed ? good(yes) : bad(no);
  print(
    `   InvenTree ${step.inventree}  |  Magento ${step.magento}  ->  ${verdict} after ${step.seconds.toFixed(2)} s`,
  );
  const magento = `${counted(calls.reads, 'read')}, ${counted(calls.writes, 'write')}`;
  print(faint(`   calls: InvenTree ${counted(calls.inventree, 'read')}; Magento ${magento}`));
}

const counted = (count: number, what: string) => `${count} ${what}${count === 1 ? '' : 's'}`;

/** Prints the result. */
export function printEnd(steps: readonly PlayedStep[]): void {
  const agreed = steps.filter(step => step.agreed).length;
  print();
  const line = `${agreed} of ${steps.length} steps ended with the right quantity in the store.`;
  print(bold(agreed === steps.length ? good(line) : bad(line)));
}
