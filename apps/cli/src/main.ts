import { connectToRedis, openDeadLetters, openSyncQueue, type DeadLetters, type SyncQueue } from '@stock-sync/queue';
import { runMain, type Environment } from '@stock-sync/service';
import { Command } from 'commander';
import { cliConfiguration } from './configuration';
import { discard, listInWords, NotFoundError, replay, type Chosen } from './dead-letters';

/** How long a command waits for Redis, in milliseconds. */
const REDIS_PATIENCE_MS = 5_000;

interface Doors {
  deadLetters: DeadLetters;
  queue: SyncQueue;
}

async function main(environment: Environment): Promise<void> {
  /** Runs a command's work with Redis and prints what it says; ends with 1 and one line where it can't. */
  async function withRedis(work: (doors: Doors) => Promise<string>): Promise<void> {
    const configuration = cliConfiguration(environment);
    let reason = 'it does not answer';
    const redis = connectToRedis(configuration.REDIS_URL, {
      whileAway: { wait: true },
      onChange: (_, why) => (reason = why ?? reason),
    });
    const deadLetters = openDeadLetters(redis);
    const queue = openSyncQueue(redis, {
      delayMs: configuration.SYNC_DELAY_MS,
      attempts: configuration.MAX_ATTEMPTS,
      failFast: false,
    });
    const tooLong = setTimeout(() => {
      console.error(`Redis is away: ${reason}. REDIS_URL must be that of the services.`);
      process.exit(1);
    }, REDIS_PATIENCE_MS);
    await redis.ping();
    clearTimeout(tooLong);
    try {
      console.log(await work({ deadLetters, queue }));
    } catch (error) {
      if (!(error instanceof NotFoundError)) throw error;
      console.error(error.message);
      process.exitCode = 1;
    }
    await Promise.all([deadLetters.close(), queue.close()]);
    redis.disconnect();
  }

  const program = new Command('stock-sync').description('Commands for whoever runs the stock sync');
  const letters = program
    .command('dead-letters')
    .description('what could not be synced: see why, try again, throw away');
  letters
    .command('list')
    .description('every dead letter with its reason')
    .option('--json', 'as JSON, one list')
    .action(({ json }: { json?: boolean }) =>
      withRedis(async ({ deadLetters }) => {
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
      return withRedis(({ deadLetters, queue }) => replay(deadLetters, queue, chosen));
    });
  letters
    .command('discard')
    .description('throw away; the next event of a part looks at it all the same')
    .argument('[parts...]', "parts by id (45), SKU ('WIDGET-123') or letter (part-45)")
    .option('--all', 'all of them')
    .action((parts: string[], { all }: { all?: boolean }, command: Command) => {
      const chosen = chosenBy(command, parts, all);
      return withRedis(({ deadLetters }) => discard(deadLetters, chosen));
    });
  await program.parseAsync(process.argv);
}

function chosenBy(command: Command, parts: readonly string[], all: boolean | undefined): Chosen {
  if (all && parts.length === 0) return { all: true };
  if (!all && parts.length > 0) return { parts };
  return command.error('expected parts, or --all: one of the two');
}

runMain(main);
