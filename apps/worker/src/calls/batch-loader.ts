import type { CallLimit } from '@stock-sync/state';
import { createGathering } from './gathering';

export interface BatchLoaderOptions<Key, Result> {
  /** The most keys in one batch; asked anew for each. Without it there is no limit. */
  maxBatchSize?: (() => number) | undefined;
  /**
   * Answers all keys in their order, with an Error for a key that fails alone; rejects where all fail.
   * @param others how many further keys wait
   */
  run: (keys: readonly Key[], others: number) => Promise<(Result | Error)[]>;
  /** Limits the batches at once; without it there is no limit. */
  limit?: CallLimit | undefined;
  /** After how many milliseconds without a new key a batch is sent; asked anew for each key. */
  quietMs?: (() => number) | undefined;
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

/** A key, and the caller who waits for its result. */
interface Waiting<Key, Result> {
  key: Key;
  resolve: (result: Result) => void;
  reject: (error: unknown) => void;
}

/**
 * Collects what many jobs request into few calls. When a batch is sent is the one hard thing: too early, and a thousand
 * jobs make a hundred calls; too late, and a single change waits for others that do not come. Jobs start one after
 * another within some milliseconds, so a batch is sent as soon as it is full or no key came for a moment. It takes its
 * keys only when it has a slot, so that under load batches grow by themselves to what the slower system needs.
 */
export function createBatchLoader<Key, Result>({
  maxBatchSize = () => Number.MAX_SAFE_INTEGER,
  run,
  limit = call => call(),
  quietMs = () => QUIET_MS,
}: BatchLoaderOptions<Key, Result>): BatchLoader<Key, Result> {
  let waiting: Waiting<Key, Result>[] = [];
  let isGathering = false;
  const gathering = createGathering(MAX_WAIT_MS);
  /** Batches that wait for a slot. */
  let sending = 0;

  /** Whether the keys that wait fill one more batch than those that already wait for a slot. */
  const isOneMoreFull = () => waiting.length >= (sending + 1) * maxBatchSize();

  /** Sends as many batches as all keys need that wait. */
  function sendAll(): void {
    while (waiting.length > sending * maxBatchSize()) void send();
  }

  async function gather(): Promise<void> {
    const gathered = gathering.join(quietMs());
    if (isGathering) return;
    isGathering = true;
    await gathered;
    isGathering = false;
    sendAll();
  }

  /** Sends one batch. Its slot is free again before any of its callers goes on. */
  async function send(): Promise<void> {
    let batch: Waiting<Key, Result>[] | undefined;
    const answer = async () => {
      sending--;
      batch = waiting.slice(0, maxBatchSize());
      waiting = waiting.slice(batch.length);
      // Batches may have become smaller since it was sent.
      if (!isGathering) sendAll();
      return batch.length === 0
        ? []
        : run(
            batch.map(({ key }) => key),
            waiting.length,
          );
    };
    sending++;
    try {
      // The keys must not wait for ever because the limit itself failed.
      const results = await limit(answer).catch((error: unknown) => {
        if (batch) throw error;
        return answer();
      });
      batch?.forEach(({ resolve, reject }, index) => {
        const result = results[index];
        if (result instanceof Error) reject(result);
        else resolve(result as Result);
      });
    } catch (error) {
      for (const { reject } of batch ?? []) reject(error);
    }
  }

  async function loadAlone(key: Key): Promise<Result> {
    const [result] = await limit(() => run([key], 0));
    if (result instanceof Error) throw result;
    return result as Result;
  }

  return {
    load(key, alone = false) {
      if (alone) return loadAlone(key);
      return new Promise((resolve, reject) => {
        waiting.push({ key, resolve, reject });
        if (isOneMoreFull()) void send();
        else void gather();
      });
    },
  };
}
