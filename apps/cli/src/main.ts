import { runMain, type Environment } from '@stock-sync/service';
import {
  openDeadLetters,
  openHistory,
  openHistoryDatabase,
  openJobQueues,
  withOlderHistory,
  type HistoryReader,
  type RedisConnection,
} from '@stock-sync/state';
import { Argument, Command } from 'commander';
import { EXIT, runCommand, runWithRedis } from './command';
import { completionScript, SHELLS, type Shell } from './completion';
import { discard, listLines, replay, type OpenedDeadLetters, type Selection } from './dead-letters';
import { doctorCommand } from './doctor';
import { explainCommand } from './explain';
import { historyCommand, type HistoryCommandOptions } from './history';
import { initCommand } from './init';
import { ordersExplainCommand, ordersListCommand, ordersReplayCommand, type OrdersListOptions } from './orders';
import { passwordCommand } from './password';
import { reconcileCommand, type ReconcileCommandOptions } from './reconcile';
import { createSecret } from './secret';
import { sendEventCommand, type SendEventOptions } from './send-event';
import type { CliSettings } from './settings';
import { statusCommand } from './status';
import { syncCommand } from './sync';
import { testNotificationCommand } from './test-notification';

interface Json {
  json?: boolean;
}

const EXIT_CODES = `
Exit codes:
  ${EXIT.done}  done, and nobody must act
  ${EXIT.failed}  it failed, or it found something that somebody must act on
  ${EXIT.usage}  the command was wrong`;

async function main(environment: Environment): Promise<void> {
  const program = new Command('stock-sync')
    .description('Commands for operators of the stock sync')
    .exitOverride(({ exitCode }) => process.exit(exitCode === 0 ? EXIT.done : EXIT.usage))
    .addHelpText('after', EXIT_CODES);

  program
    .command('init')
    .description('ask for the settings, check each answer, and write .env')
    .option('--file <file>', 'another file', '.env')
    .action(({ file }: { file: string }) => runCommand(() => initCommand(file)));

  program
    .command('doctor')
    .description('check settings, Redis, InvenTree, the plugin and Magento, and say what to do; changes nothing')
    .option('--json', 'as JSON')
    .action(doctorCommand);

  program
    .command('status')
    .description('whether the store is right now, and what waits')
    .option('--json', 'as JSON')
    .action((options: Json) => runWithRedis(environment, connection => statusCommand(connection, options)));

  program
    .command('explain')
    .description('how the quantity of a SKU is made up in InvenTree, and what the store shows now')
    .argument('<sku>', "a SKU ('WIDGET-123'), or id, name or IPN of a part")
    .option('--json', 'as JSON')
    .action((subject: string, options: Json) =>
      runWithRedis(environment, connection => explainCommand(connection, subject, options)),
    );

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
      runWithRedis(environment, (connection, settings) =>
        withHistory(connection, settings, history => historyCommand(history, sku, options)),
      ),
    );

  program
    .command('sync')
    .description('sync these parts now')
    .argument('<parts...>', "SKUs ('WIDGET-123') or ids of parts (45)")
    .option('--json', 'as JSON')
    .action((subjects: string[], options: Json) =>
      runWithRedis(environment, connection => syncCommand(connection, subjects, options)),
    );

  program
    .command('reconcile')
    .description('compare both systems now, print what is not equal, and queue it for sync')
    .option('--dry-run', 'only print, change nothing')
    .option('--csv <file>', 'write everything that is not equal to a file')
    .option('--force', 'even if much of the shop would fall to zero at once')
    .option('--json', 'as JSON')
    .action((options: ReconcileCommandOptions) =>
      runWithRedis(environment, connection => reconcileCommand(connection, options)),
    );

  const deadLetters = program
    .command('dead-letters')
    .description('the parts that cannot be synced: list, replay or discard them');
  deadLetters
    .command('list')
    .description('every dead letter with its reason')
    .option('--json', 'as JSON')
    .action(({ json }: Json) =>
      withDeadLetters(environment, async opened => {
        const found = await opened.deadLetters.list();
        return json ? JSON.stringify(found, undefined, 2) : listLines(found);
      }),
    );
  addSelectionCommand('replay', 'try again; a dead letter is removed when its part is in sync', replay);
  addSelectionCommand('discard', 'remove; the next event of a part syncs it all the same', discard);

  const orders = program.command('orders').description('the orders of the store that InvenTree has as sales orders');
  orders
    .command('list')
    .description('what was done about each order, the latest first, and what is next')
    .option('--limit <number>', 'the most orders', '50')
    .option('--unbooked', 'only those of which one system has shipped something and the other has not')
    .option('--json', 'as JSON')
    .action((options: OrdersListOptions) =>
      runWithRedis(environment, connection => ordersListCommand(connection, options)),
    );
  orders
    .command('explain')
    .description('all that is known of an order')
    .argument('<number>', 'the number that customers see')
    .option('--json', 'as JSON')
    .action((number: string, options: Json) =>
      runWithRedis(environment, connection => ordersExplainCommand(connection, number, options)),
    );
  orders
    .command('replay')
    .description('compare orders with their sales orders now, and do what is missing')
    .argument('<numbers...>', 'the numbers that customers see')
    .action((numbers: string[]) => runWithRedis(environment, connection => ordersReplayCommand(connection, numbers)));

  program
    .command('send-event')
    .description('send an event about a part to ingest, as the plugin would: tests address and WEBHOOK_SECRET')
    .argument('<part>', 'the id of a part')
    .option('--event <name>', 'the name of the event', 'stock_stockitem.saved')
    .option('--url <address>', 'the address of ingest', 'http://localhost:3000')
    .option('--json', 'as JSON')
    .action((part: string, options: SendEventOptions) =>
      runCommand(() => sendEventCommand(environment, part, options)),
    );

  program
    .command('test-notification')
    .description('have a worker send a test through every channel of the notifications')
    .action(() => runWithRedis(environment, testNotificationCommand));

  program
    .command('secret')
    .description('a new WEBHOOK_SECRET')
    .action(() => runCommand(() => Promise.resolve(createSecret())));

  program
    .command('password')
    .description('ask for a password, and print its hash for DASHBOARD_USERS')
    .action(() => runCommand(passwordCommand));

  program
    .command('completion')
    .description('a script that completes commands and options: source <(stock-sync completion bash)')
    .addArgument(new Argument('<shell>').choices(SHELLS))
    .action((shell: Shell) => runCommand(() => Promise.resolve(completionScript(program, shell))));

  await program.parseAsync(process.argv);

  function addSelectionCommand(
    name: string,
    description: string,
    run: (opened: OpenedDeadLetters, selection: Selection, options: Json) => Promise<string>,
  ): void {
    deadLetters
      .command(name)
      .description(description)
      .argument('[parts...]', "parts by id (45), SKU ('WIDGET-123') or dead letter (part-45)")
      .option('--all', 'all of them')
      .option('--json', 'as JSON')
      .action((parts: string[], options: Json & { all?: boolean }, command: Command) => {
        const selection = selectionFrom(command, parts, options.all);
        return withDeadLetters(environment, opened => run(opened, selection, options));
      });
  }
}

/** Runs a command with the dead letters and the queues. */
function withDeadLetters(
  environment: Environment,
  command: (opened: OpenedDeadLetters) => Promise<string>,
): Promise<void> {
  return runWithRedis(environment, async connection => {
    const opened = { deadLetters: openDeadLetters(connection), queues: openJobQueues(connection) };
    try {
      return await command(opened);
    } finally {
      await Promise.all([opened.deadLetters.close(), opened.queues.close()]);
    }
  });
}

/** Runs a command with the history in Redis, and the older one in PostgreSQL where a shop has it. */
async function withHistory(
  connection: RedisConnection,
  { HISTORY_DATABASE_URL: url, REDIS_PREFIX: shop }: CliSettings,
  command: (history: HistoryReader) => Promise<string>,
): Promise<string> {
  const recent = openHistory(connection);
  if (url === undefined) return command(recent);
  const database = openHistoryDatabase(url, shop);
  try {
    return await command(withOlderHistory(recent, database));
  } finally {
    await database.close();
  }
}

function selectionFrom(command: Command, parts: readonly string[], all: boolean | undefined): Selection {
  if (all && parts.length === 0) return { all: true };
  if (!all && parts.length > 0) return { parts };
  return command.error('expected parts, or --all: one of the two');
}

runMain(main);
