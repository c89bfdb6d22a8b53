import { runMain, SettingsError } from '@stock-sync/service';
import { CHECKED_SYSTEMS, runChecks, type Check } from './doctor-checks';
import { readWorkerSettings } from './settings';

/** `stock-sync doctor`: checks the whole set-up with the settings of a worker. Exits with 1 after an error. */

const COLOURS: Readonly<Record<Check['level'], string>> = { ok: '\x1b[32m', warning: '\x1b[33m', error: '\x1b[31m' };
const PLAIN = '\x1b[0m';

function line({ subject, level, message }: { subject: string; level: Check['level']; message: string }): string {
  const shown = process.stdout.isTTY ? `${COLOURS[level]}${level.padEnd(7)}${PLAIN}` : level.padEnd(7);
  return `${subject.padEnd(9)}  ${shown}  ${message}`;
}

runMain(async environment => {
  const isJson = process.argv.includes('--json');
  const only = CHECKED_SYSTEMS.find(system => process.argv.includes(`--only=${system}`));
  const all: { subject: string; level: Check['level']; message: string }[] = [];
  const found = (check: (typeof all)[number]) => {
    all.push(check);
    if (!isJson) console.log(line(check));
  };
  try {
    const settings = readWorkerSettings(environment);
    found({ subject: 'Settings', level: 'ok', message: 'all of them can be read' });
    await runChecks(settings, found, only);
  } catch (error) {
    if (!(error instanceof SettingsError)) throw error;
    for (const message of error.problems) found({ subject: 'Settings', level: 'error', message });
  }
  const errors = all.filter(({ level }) => level === 'error').length;
  const warnings = all.filter(({ level }) => level === 'warning').length;
  if (isJson) console.log(JSON.stringify(all, undefined, 2));
  else if (errors + warnings === 0) console.log('\nEverything is right.');
  else console.log(`\n${counted(errors, 'error')}, ${counted(warnings, 'warning')}.`);
  process.exit(errors > 0 ? 1 : 0);
});

function counted(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? '' : 's'}`;
}
