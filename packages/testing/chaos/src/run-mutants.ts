import { spawn } from 'node:child_process';
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { parseArgs } from 'node:util';
import { MUTANTS, type Mutant } from './mutants';
import { RULE_MUTANTS, type RuleMutant } from './rule-mutants';

const STOP_AT_FAILURE = 'packages/testing/chaos/dist/stop-at-failure.js';

/** What a copy of the workspace does not need, or links to. */
const NOT_COPIED = ['.git', 'node_modules'];

/**
 * `npm run chaos:mutants` breaks a copy of the code in one way after another, and shows that the chaos suite, or the
 * test of the rule that is broken, catches each. `--seeds` is the most seeds for each mutant, `--only <text>` selects
 * mutants by name, `--rules` those of a test. Resolves with the exit code: 0 if all were caught.
 */
export async function mutantsCommand(root: string, args: string[]): Promise<number> {
  const { values } = parseArgs({
    args,
    options: {
      seeds: { type: 'string', default: '60' },
      from: { type: 'string', default: '1' },
      'at-once': { type: 'string', default: '3' },
      only: { type: 'string', default: '' },
      rules: { type: 'boolean', default: false },
    },
  });
  const chaos = ['chaos', '--stop-at-failure', '--seeds', values.seeds, '--from', values.from];
  // Wrong stays wrong, so there is no need to wait longer than a right seed takes.
  chaos.push('--at-once', values['at-once'], '--patience', '75');
  const all: readonly (Mutant | RuleMutant)[] = values.rules ? RULE_MUTANTS : [...MUTANTS, ...RULE_MUTANTS];
  const chosen = all.filter(({ name }) => name.includes(values.only));
  const survivors: string[] = [];
  for (const mutant of chosen) {
    const startedAt = Date.now();
    const folder = copied(root);
    // The copy shares the dependencies, and with them the note of what was built last.
    rmSync(join(root, 'node_modules/.stock-sync/built'), { force: true });
    try {
      mutate(folder, mutant);
      const command = 'test' in mutant ? testCommand(mutant.test) : chaos;
      const { code, output } = await ended(folder, command);
      const seconds = Math.round((Date.now() - startedAt) / 1000);
      const symptom = code === 1 ? symptomIn(output) : undefined;
      if (symptom) {
        console.log(`caught (${seconds} s): ${mutant.name}\n    ${symptom}`);
      } else {
        survivors.push(mutant.name);
        console.log(`NOT CAUGHT (${seconds} s, ended with ${code}): ${mutant.name}\n${output.slice(-5).join('\n')}`);
      }
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  }
  console.log(`${chosen.length - survivors.length} of ${chosen.length} mutants caught`);
  return survivors.length > 0 ? 1 : 0;
}

function testCommand(test: string): string[] {
  if (test === 'plugin') return ['test-plugin'];
  return ['test', test, '--reporters', 'default', '--reporters', `<rootDir>/${STOP_AT_FAILURE}`];
}

/** The line that shows what was caught: a seed that went wrong, or a test that failed, and not one that never began. */
function symptomIn(output: readonly string[]): string | undefined {
  const at = output.findIndex(line => /WRONG|^ {2}● (?!Test suite failed to run)|^(FAIL|ERROR): test/.test(line));
  if (at < 0) return undefined;
  const [first = '', next = ''] = output.slice(at);
  return first.includes('WRONG') ? `${first.replace(/ \(what.*/, '')}: ${next.trim()}` : first.trim();
}

/** The work tree is never changed; dependencies are only linked. */
function copied(root: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'stock-sync-mutant-'));
  for (const name of readdirSync(root).filter(name => !NOT_COPIED.includes(name))) {
    cpSync(join(root, name), join(folder, name), {
      recursive: true,
      verbatimSymlinks: true,
      filter: path => basename(path) !== 'recordings' || path.includes('src'),
    });
  }
  symlinkSync(join(root, 'packages/testing/fakes/recordings'), join(folder, 'packages/testing/fakes/recordings'));
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'));
  return folder;
}

function mutate(folder: string, { edits }: Mutant): void {
  for (const { file, find, replace } of edits) {
    const path = join(folder, file);
    const text = readFileSync(path, 'utf8');
    if (text.split(find).length !== 2) throw new Error(`${file} does not contain exactly once: ${find}`);
    writeFileSync(
      path,
      text.replace(find, () => replace),
    );
  }
}

/** How long the test of a rule may take, in milliseconds. */
const TEST_LIMIT_MS = 8 * 60_000;

function killGroup(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // Nothing of it is left.
  }
}

function ended(folder: string, args: string[]): Promise<{ code: number; output: string[] }> {
  return new Promise(resolve => {
    const script = join(folder, 'packages/tooling/run.mjs');
    // A process group of its own: where a mutant keeps a service from ending, its test never ends.
    const child = spawn(process.execPath, [script, ...args], { cwd: folder, detached: true });
    const limit = args[0] === 'test' ? setTimeout(() => killGroup(child.pid), TEST_LIMIT_MS) : undefined;
    let output = '';
    child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()));
    child.once('exit', code => {
      clearTimeout(limit);
      // A run that was cut short leaves services behind.
      killGroup(child.pid);
      child.once('close', () => resolve({ code: code ?? 1, output: output.trim().split('\n') }));
    });
  });
}
