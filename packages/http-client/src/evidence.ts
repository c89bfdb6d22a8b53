import { CallError, TryLaterError, WrongItemError, type System } from './errors';

/** How long a system that answered is believed to be there, in milliseconds: the halves of one batch ask once. */
const BELIEVED_MS = 1_000;

/** Tells an outage from one bad item, by a call that is known to be good. */
export interface Evidence {
  /** What to make of an error that may be the system's or the item's: a TryLaterError where nothing works now, else itself. */
  weigh(error: WrongItemError): Promise<CallError>;
  /** What a call comes to; where it is answered 500, the error is weighed. */
  weighed<T>(call: Promise<T>): Promise<T>;
}

/** Evidence by a call that depends on no item. */
export function createEvidence(system: System, goodCall: () => Promise<unknown>): Evidence {
  let wellAt = 0;
  let asking: Promise<CallError | undefined> | undefined;

  async function ask(): Promise<CallError | undefined> {
    try {
      await goodCall();
      wellAt = Date.now();
      return undefined;
    } catch (error) {
      if (!(error instanceof WrongItemError)) return error as CallError;
      return new TryLaterError(system, error.message, { ...detailsOf(error), cause: error });
    }
  }

  async function weigh(error: WrongItemError): Promise<CallError> {
    if (Date.now() - wellAt < BELIEVED_MS) return error;
    asking ??= ask().finally(() => (asking = undefined));
    const outage = await asking;
    if (!outage) return error;
    if (!(outage instanceof TryLaterError)) return outage;
    // What both failed with is told; the call that began it knows whether it would have written.
    const { message, retryAfterMs } = outage;
    return new TryLaterError(system, message, { ...detailsOf(error), retryAfterMs, cause: error });
  }

  return {
    weigh,
    async weighed(call) {
      try {
        return await call;
      } catch (error) {
        throw error instanceof WrongItemError && error.status === 500 ? await weigh(error) : error;
      }
    },
  };
}

/**
 * Asks for many items in one call. Where it is refused, it is halved until the guilty ones stand alone: those are answered
 * with their error, all others as if nothing had been. Rejects where it is not an item's fault, as when several items
 * were asked for and every one is refused.
 */
export async function askedTogether<K, V>(
  keys: readonly K[],
  ask: (some: readonly K[]) => Promise<V[]>,
): Promise<(V | WrongItemError)[]> {
  const answers = await halved(keys, ask);
  const [first] = answers;
  if (keys.length > 1 && first instanceof WrongItemError && answers.every(one => one instanceof WrongItemError)) {
    throw new TryLaterError(first.system, `${first.message} (for each of ${keys.length} items)`, {
      ...detailsOf(first),
      cause: first,
    });
  }
  return answers;
}

/**
 * What a call that many items share comes to, where the system may only seem to be away: as long as `isWell` finds that it
 * answers for what is known to be good, the items are to blame. Then it rejects with a WrongItemError, so that the call can be halved.
 */
export async function blamingItems<T>(call: Promise<T>, isWell: () => Promise<boolean>): Promise<T> {
  try {
    return await call;
  } catch (error) {
    if (!(error instanceof TryLaterError) || !(await isWell())) throw error;
    throw new WrongItemError(error.system, error.message, { ...detailsOf(error), cause: error });
  }
}

async function halved<K, V>(
  keys: readonly K[],
  ask: (some: readonly K[]) => Promise<V[]>,
): Promise<(V | WrongItemError)[]> {
  try {
    return await ask(keys);
  } catch (error) {
    if (!(error instanceof WrongItemError)) throw error;
    if (keys.length === 1) return [error];
    const middle = Math.ceil(keys.length / 2);
    return [...(await halved(keys.slice(0, middle), ask)), ...(await halved(keys.slice(middle), ask))];
  }
}

function detailsOf({ status, duringWrite }: CallError) {
  return { ...(status !== undefined && { status }), duringWrite };
}
