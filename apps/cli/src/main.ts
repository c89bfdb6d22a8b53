import { openDeadLetters, openSyncQueue, type DeadLetters, type SyncQueue } from '@stock-sync/queue';
import { runMain, type Environment } from '@stock-sync/service';
import { systemsConfiguration } from '@stock-sync/systems';
import { Command } from 'commander';
import { cliConfiguration } from './configuration';
import { discard, listInWords, replay, type Chosen } from './dead-letters';
import { reconcileCommand, type ReconcileCommandOptions } from './reconcile';
import { withRedis } from './with-redis';

async function main(environment: Environment): Promise<void> {
  const program = new Command('stock-sync').description('Commands for whoever runs the stock sync');

  program
    .command('reconcile')
    .description('compare both sides now: prints what is not equal, and has the workers look at it')
    .option('--dry-run', 'only tell, change nothing')
    .option('--csv <file>', 'write all that is not equal to a file')
    .option('--force', 'even if much of the shop would fall to zero at once')
    .action((options: ReconcileCommandOptions) => {
      const configuration = systemsConfiguration(environment);
      return withRedis(configuration.REDIS_URL, async redis => {
        const { text, heldBack } = await reconcileCommand(redis, configuration, options);
        if (heldBack > 0) process.exitCode = 1;
        return text;
      });
    });

  const letters = program
    .command('dead-letters')
    .description('what could not be synced: see why, try again, throw away');
  letters
    .command('list')
    .description('every dead letter with its reason')
    .option('--json', 'as JSON, one list')
    .action(({ json }: { json?: boolean }) =>
      withLetters(environment, async ({ deadLetters }) => {
        const found = await deadLetters.list();
        return json ? JSON.stringify(found, undefined, 2) : listInWords(found);
      }),
    );
  letters
    .command('replay')
    .description('try again; a letter goes away when its part is synced')
    .argument('[parts...]', "parts by id (45), SKU ('WIDGET-123') or letter (part-45)")
    .option('--all', 'all of them')
    .action((parts: string[], { all }: { all?: boolean }, command: Command) => {
      const chosen = chosenBy(command, parts, all);
      return withLetters(environment, ({ deadLetters, queue }) => replay(deadLetters, queue, chosen));
    });
  letters
    .command('discard')
    .description('throw away; the next event of a part looks at it all the same')
    .argument('[parts...]', "parts by id (45), SKU ('WIDGET-123') or letter (part-45)")
    .option('--all', 'all of them')
    .action((parts: string[], { all }: { all?: boolean }, command: Command) => {
      const chosen = chosenBy(command, parts, all);
      return withLetters(environment, ({ deadLetters }) => discard(deadLetters, chosen));
    });
  await program.parseAsync(process.argv);
}

/** Does a command's work with the dead letters and the queue. */
async function withLetters(
  environment: Environment,
  work: (doors: { deadLetters: DeadLetters; queue: SyncQueue }) => Promise<string>,
): Promise<void> {
  const configuration = cliConfiguration(environment);
  await withRedis(configuration.REDIS_URL, async redis => {
    const deadLetters = openDeadLetters(redis);
    const queue = openSyncQueue(redis, {
      delayMs: configuration.SYNC_DELAY_MS,
      attempts: configuration.MAX_ATTEMPTS,
      failFast: false,
    });
    try {
      return await work({ deadLetters, queue });
    } finally {
      await Promise.all([deadLetters.close(), queue.close()]);
    }
  });
}

function chosenBy(command: Command, parts: readonly string[], all: boolean | undefined): Chosen {
  if (all && parts.length === 0) return { all: true };
  if (!all && parts.length > 0) return { parts };
  return command.error('expected parts, or --all: one of the two');
}

runMain(main);
