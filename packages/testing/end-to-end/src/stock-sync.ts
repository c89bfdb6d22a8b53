import { execFile } from 'node:child_process';
import { join } from 'node:path';

const COMMAND = join(__dirname, '..', '..', '..', '..', 'apps', 'cli', 'bin', 'stock-sync.mjs');

/** How a command ended: its exit code, and what it printed. */
export interface RanCommand {
  code: number | null;
  out: string;
}

/** Runs `stock-sync` with this environment alone, and these lines as its input. */
export function runStockSync(
  environment: Record<string, string>,
  args: readonly string[],
  input: readonly string[] = [],
): Promise<RanCommand> {
  const env = { PATH: process.env.PATH, NODE_ENV: 'production', ...environment };
  return new Promise(resolve => {
    const child = execFile(process.execPath, [COMMAND, ...args], { env }, (_, out, errors) =>
      resolve({ code: child.exitCode, out: out + errors }),
    );
    child.stdin?.end(input.map(line => `${line}\n`).join(''));
  });
}
