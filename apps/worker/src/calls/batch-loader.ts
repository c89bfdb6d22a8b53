import { setTimeout as sleep } from 'node:timers/promises';
import type { CallLimit } from '@stock-sync/state';
import DataLoader from 'dataloader';

export interface BatchLoaderOptions<Key, Result> {
  /** The most keys in one batch. */
  maxBatchSize: number;
  /** Answers all keys in their order, with an Error for a key that fails alone; rejects where all fail. */
  run: (keys: readonly Key[]) => Promise<(Result | Error)[]>;
  /** Limits the batches at once; without it there is no limit. */
  limit?: CallLimit | undefined;
  /** After how many milliseconds without a new key a batch is sent. */
  quietMs?: number;
}

/** Loads keys one by one, in calls that are shared. */
export interface BatchLoader<Key, Result> {
  /**
   * Loads a key together with the keys that others request at about the same time, or, where `alone`, in a call of its
   * own.
   */
  load(key: Key, alone?: boolean): Promise<Result>;
}

/** A batch is sent when it is full, after this many milliseconds without a new key, unless another time is given ... */
const QUIET_MS = 2;
/** ... and after this many milliseconds in any case. */
const MAX_WAIT_MS = 80;
/** BullMQ starts the jobs of a burst one by one, at most this many milliseconds apart. */
export const BETWEEN_JOBS_MS = 8;

/** Limits the calls at once in this process. */
export function limitCalls(slots: number): CallLimit {
  let free = slots;
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
 * Collects what many jobs request into few calls. When a batch is sent is the one hard thing: too early, and a thousand
 * jobs make a hundred calls; too late, and a single change waits for others that do not come. Jobs start one after
 * another within some milliseconds, so a batch is sent as soon as no key came for a moment. While every slot for a call
 * is taken, further keys still join, so that under load batches grow by themselves to what the slower system needs.
 */
export function createBatchLoader<Key, Result>({
  maxBatchSize,
  run,
  limit,
  quietMs = QUIET_MS,
}: BatchLoaderOptions<Key, Result>): BatchLoader<Key, Result> {
  let lastKeyAt = 0;
  let waiting: { isFull: boolean } | undefined;
  let running: Promise<unknown> = Promise.resolve();
  /** Whether the batch that is sent now is full. */
  let isFullNext = false;

  const loader = new DataLoader<Key, Result>(
    keys => {
      const results = isFullNext && limit ? limit(() => run(keys)) : run(keys);
      running = results.catch(() => undefined);
      return results;
    },
    { cache: false, maxBatchSize, batchScheduleFn: send => void schedule(send) },
  );

  async function schedule(send: () => void): Promise<void> {
    // DataLoader begins a batch while another one still waits only where that one is full.
    if (waiting) waiting.isFull = true;
    const batch = { isFull: false };
    waiting = batch;
    const latest = Date.now() + MAX_WAIT_MS;
    // Never at once: DataLoader schedules before it adds the first key, and a batch that was sent without its key would
    // leave the caller waiting for ever.
    do await sleep(quietMs / 2);
    while (!batch.isFull && Date.now() < latest && Date.now() - lastKeyAt < quietMs);
    if (waiting === batch) waiting = undefined;
    // DataLoader runs the batch while it is sent, so no other batch comes between.
    const sendNow = () => {
      isFullNext = batch.isFull;
      send();
    };
    // A full batch cannot grow while it waits. Its slot is free again before any of its callers goes on.
    if (!limit || batch.isFull) return sendNow();
    let isSent = false;
    const sendAndWait = () => {
      isSent = true;
      sendNow();
      return running;
    };
    // The keys must not wait for ever because the limit itself failed.
    await limit(sendAndWait).catch(() => isSent || sendNow());
  }

  async function loadAlone(key: Key): Promise<Result> {
    const [result] = await (limit ? limit(() => run([key])) : run([key]));
    if (result instanceof Error) throw result;
    return result as Result;
  }

  return {
    load(key, alone = false) {
      if (alone) return loadAlone(key);
      lastKeyAt = Date.now();
      return loader.load(key);
    },
  };
}
