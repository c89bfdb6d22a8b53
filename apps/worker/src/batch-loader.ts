import { setTimeout as sleep } from 'node:timers/promises';
import type { CallLimit } from '@stock-sync/queue';
import DataLoader from 'dataloader';

export interface BatchOptions<K, V> {
  /** The most keys in one batch. */
  most: number;
  /** Answers all keys in their order, an Error where one fails alone; rejects where all fail. */
  run: (keys: readonly K[]) => Promise<(V | Error)[]>;
  /** How many batches may be under way at once; without it, any number. */
  limit?: CallLimit | undefined;
  /** After how many milliseconds without a new key a batch leaves. */
  quietMs?: number;
}

/** Loads one key; its call is shared with the other keys that are asked for about now, or with none where it is to go alone. */
export type BatchLoader<K, V> = (key: K, alone?: boolean) => Promise<V>;

/** A batch leaves when no key came for so long, unless told otherwise ... */
const QUIET_MS = 2;
/** ... or when it waited so long, in milliseconds. */
const LONGEST_WAIT_MS = 80;

/** A limit of so many batches at once in this process. */
export function batchesAtOnce(places: number): CallLimit {
  let free = places;
  const waiting: (() => void)[] = [];
  return async call => {
    if (free > 0) free--;
    else await new Promise<void>(resolve => waiting.push(resolve));
    try {
      return await call();
    } finally {
      const next = waiting.shift();
      if (next) next();
      else free++;
    }
  };
}

/**
 * Collects what many jobs ask for into few calls. When a batch leaves is the one hard thing: too early, and a thousand
 * jobs make a hundred calls; too late, and a single change waits for company that does not come. Jobs start one after
 * the other within some milliseconds, so a batch leaves as soon as no key came for a moment. And while every place
 * for a call is taken, what comes meanwhile still joins, so that under load batches grow by themselves to what the
 * slowest system needs.
 */
export function createBatchLoader<K, V>({
  most,
  run,
  limit,
  quietMs = QUIET_MS,
}: BatchOptions<K, V>): BatchLoader<K, V> {
  let lastKeyAt = 0;
  let running: Promise<unknown> = Promise.resolve();

  const loader = new DataLoader<K, V>(
    keys => {
      const answers = run(keys);
      running = answers.catch(() => undefined);
      return answers;
    },
    { cache: false, maxBatchSize: most, batchScheduleFn: leave => void schedule(leave) },
  );

  async function schedule(leave: () => void): Promise<void> {
    const latest = Date.now() + LONGEST_WAIT_MS;
    // Never at once: DataLoader asks for the schedule before it puts the first key into the batch, and a batch that left
    // without its key would leave whoever asked waiting for ever.
    do await sleep(quietMs / 2);
    while (Date.now() < latest && Date.now() - lastKeyAt < quietMs);
    if (!limit) return leave();
    let left = false;
    const leaveAndWait = () => {
      left = true;
      leave();
      return running;
    };
    // The keys must not wait for ever because the limit itself failed.
    await limit(leaveAndWait).catch(() => left || leave());
  }

  async function loadAlone(key: K): Promise<V> {
    const [answer] = await (limit ? limit(() => run([key])) : run([key]));
    if (answer instanceof Error) throw answer;
    return answer as V;
  }

  return (key, alone = false) => {
    if (alone) return loadAlone(key);
    lastKeyAt = Date.now();
    return loader.load(key);
  };
}
