/** What the demo prints, line by line, for a person to read. */

const isTerminal = process.stdout.isTTY;
const styled = (code: number, text: string) => (isTerminal ? `\x1b[${code}m${text}\x1b[0m` : text);

export const bold = (text: string) => styled(1, text);
export const faint = (text: string) => styled(90, text);
const good = (text: string) => styled(32, text);
const bad = (text: string) => styled(31, text);

/** A step of the story, told after it was played. */
export interface ToldStep {
  title: string;
  /** What a user does, and where. */
  action: string;
  /** The worker's own words. */
  said: readonly string[];
  inventree: string;
  magento: string;
  agreed: boolean;
  seconds: number;
  calls: { inventree: number; reads: number; writes: number };
}

export function print(line = ''): void {
  console.log(line);
}

/** Prints a step: both systems' numbers side by side, how long it took and what it cost. */
export function printStep(number: number, step: ToldStep): void {
  const { calls } = step;
  print();
  print(bold(`${number}. ${step.title}`));
  print(`   ${step.action}`);
  for (const line of step.said) print(faint(`   worker: ${line}`));
  const verdict = step.agreed ? good('equal') : bad('NOT EQUAL');
  print(
    `   InvenTree ${step.inventree}  |  Magento ${step.magento}  ->  ${verdict} after ${step.seconds.toFixed(2)} s`,
  );
  const magento = `${counted(calls.reads, 'read')}, ${counted(calls.writes, 'write')}`;
  print(faint(`   calls: InvenTree ${counted(calls.inventree, 'read')}; Magento ${magento}`));
}

const counted = (count: number, what: string) => `${count} ${what}${count === 1 ? '' : 's'}`;

/** Prints how it all ended. */
export function printEnd(steps: readonly ToldStep[]): void {
  const agreed = steps.filter(step => step.agreed).length;
  print();
  const line = `${agreed} of ${steps.length} steps ended with the store equal to the shelves.`;
  print(bold(agreed === steps.length ? good(line) : bad(line)));
}
