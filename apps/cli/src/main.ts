import { runMain, type Environment } from '@stock-sync/service';
import { openDeadLetters, openHistory, openJobQueues, type DeadLetters, type JobQueues } from '@stock-sync/state';
import { Command } from 'commander';
import { runCommand } from './command';
import { discard, listLines, replay, type Selection } from './dead-letters';
import { doctorCommand } from './doctor';
import { explainCommand } from './explain';
import { historyCommand, type HistoryCommandOptions } from './history';
import { reconcileCommand, type ReconcileCommandOptions } from './reconcile';
import { statusCommand } from './status';
import { syncCommand } from './sync';

async function main(environment: Environment): Promise<void> {
  const program = new Command('stock-sync').description('Commands for operators of the stock sync');

  program
    .command('reconcile')
    .description('compare both systems now, print what is not equal, and queue it for sync')
    .option('--dry-run', 'only print, change nothing')
    .option('--csv <file>', 'write everything that is not equal to a file')
    .option('--force', 'even if much of the shop would fall to zero at once')
    .action((options: ReconcileCommandOptions) =>
      runCommand(environment, connection => reconcileCommand(connection, options)),
    );

  program
    .command('explain')
    .description('how the quantity of a SKU is made up in InvenTree, and what the store shows now')
    .argument('<sku>', "a SKU ('WIDGET-123') or the id of a part (45)")
    .option('--json', 'as JSON')
    .action((subject: string, options: { json?: boolean }) =>
      runCommand(environment, connection => explainCommand(connection, subject, options)),
    );

  program
    .command('status')
    .description('whether the store is right now, and what waits; exit code 1 where somebody must act')
    .option('--json', 'as JSON')
    .action((options: { json?: boolean }) => runCommand(environment, connection => statusCommand(connection, options)));

  program
    .command('sync')
    .description('sync these parts now')
    .argument('<parts...>', "SKUs ('WIDGET-123') or ids of parts (45)")
    .action((subjects: string[]) => runCommand(environment, connection => syncCommand(connection, subjects)));

  program
    .command('history')
    .description('what was done about a SKU, or about all of them: cause, old and new quantity, reason')
    .argument('[sku]', "a SKU ('WIDGET-123')")
    .option('--limit <number>', 'the most entries', '50')
    .option('--outcome <outcome>', 'only entries with this outcome')
    .option('--cause <text>', 'only entries whose cause contains this text')
    .option('--since <time>', 'only entries since then, e.g. 2026-11-24T08:00')
    .option('--json', 'as JSON')
    .action((sku: string | undefined, options: HistoryCommandOptions) =>
      runCommand(environment, connection => historyCommand(openHistory(connection), sku, options)),
    );

  program
    .command('doctor')
    .description('check settings, Redis, InvenTree, the plugin and Magento, and say what to do; changes nothing')
    .option('--json', 'as JSON')
    .action(doctorCommand);

  const deadLetters = program
    .command('dead-letters')
    .description('the parts that cannot be synced: list, replay or discard them');
  deadLetters
    .command('list')
    .description('every dead letter with its reason')
    .option('--json', 'as a JSON list')
    .action(({ json }: { json?: boolean }) =>
      withDeadLetters(environment, async opened => {
        const found = await opened.deadLetters.list();
        return json ? JSON.stringify(found, undefined, 2) : listLines(found);
      }),
    );
  addSelectionCommand('replay', 'try again; a dead letter is removed when its part is in sync', replay);
  addSelectionCommand('discard', 'remove; the next event of a part syncs it all the same', discard);
  await program.parseAsync(process.argv);

  function addSelectionCommand(
    name: string,
    description: string,
    run: (opened: OpenedDeadLetters, selection: Selection) => Promise<string>,
  ): void {
    deadLetters
      .command(name)
      .description(description)
      .argument('[parts...]', "parts by id (45), SKU ('WIDGET-123') or dead letter (part-45)")
      .option('--all', 'all of them')
      .action((parts: string[], { all }: { all?: boolean }, command: Command) => {
        const selection = selectionFrom(command, parts, all);
        return withDeadLetters(environment, opened => run(opened, selection));
      });
  }
}

interface OpenedDeadLetters {
  deadLetters: DeadLetters;
  queues: JobQueues;
}

/** Runs a command with the dead letters and the queues. */
function withDeadLetters(
  environment: Environment,
  command: (opened: OpenedDeadLetters) => Promise<string>,
): Promise<void> {
  return runCommand(environment, async connection => {
    const opened = { deadLetters: openDeadLetters(connection), queues: openJobQueues(connection) };
    try {
      return await command(opened);
    } finally {
      await Promise.all([opened.deadLetters.close(), opened.queues.close()]);
    }
  });
}

function selectionFrom(command: Command, parts: readonly string[], all: boolean | undefined): Selection {
  if (all && parts.length === 0) return { all: true };
  if (!all && parts.length > 0) return { parts };
  return command.error('expected parts, or --all: one of the two');
}

runMain(main);
