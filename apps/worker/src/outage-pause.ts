import type { CredentialsError, TryLaterError } from '@stock-sync/http-client';
import type { Outage, Outages, SyncQueue } from '@stock-sync/queue';
import type { Log } from '@stock-sync/service';

/** The first pause and the longest one, in milliseconds. */
const AWAY = { first: 1_000, longest: 60_000 };
const REFUSED = { first: 15_000, longest: 5 * 60_000 };
/** The longest that a system may ask us to wait (Retry-After), in milliseconds. */
const LONGEST_ASKED_MS = 10 * 60_000;
/** An outage of writes is over without one, too, if none failed for so long after the last pause, in milliseconds. */
const WRITES_QUIET_MS = 60_000;
/** How often a worker looks whether others are in an outage. */
const LOOK_MS = 1_000;

/** Makes all workers wait while a system is away, and lets them go on when it is back. */
export interface OutagePause {
  /** A call failed for a reason that is not its job's: everything waits, longer each time. */
  enter(error: TryLaterError | CredentialsError): Promise<void>;
  /** Both systems answered; with a write, or to reads alone. */
  leave(answered: 'reads' | 'write'): Promise<void>;
  /** Why everything waits now; undefined where nothing does. */
  current(): Outage | undefined;
  stop(): void;
}

/** The pause, over the queue and what Redis says about an outage. */
export function createOutagePause(given: { queue: SyncQueue; outages: Outages; log: Log }): OutagePause {
  const { queue, outages, log } = given;
  let known: Outage | undefined;
  let entering: Promise<void> | undefined;
  const look = () => {
    outages.current().then(
      outage => (known = outage),
      () => undefined,
    );
  };
  look();
  const looking = setInterval(look, LOOK_MS);

  async function enter(error: TryLaterError | CredentialsError): Promise<void> {
    const before = await outages.current();
    const now = Date.now();
    // The many jobs of one batch fail together: that is one failed attempt, not a hundred.
    if (before && before.nextAttemptAt > now) return;
    const pauses = (before?.pauses ?? 0) + 1;
    const { first, longest } = error.kind === 'credentials' ? REFUSED : AWAY;
    const asked = error.kind === 'try-later' ? (error.retryAfterMs ?? 0) : 0;
    const grown = Math.min(longest, first * 2 ** Math.min(pauses - 1, 20));
    const pauseMs = Math.max(grown, Math.min(asked, LONGEST_ASKED_MS));
    const { system, message: reason, duringWrite } = error;
    known = { system, reason, duringWrite, since: before?.since ?? now, pauses, nextAttemptAt: now + pauseMs };
    await outages.record(known);
    await queue.pauseFor(pauseMs);
    const line = `${reason}. Everything waits, nothing is lost; next attempt in ${pauseMs / 1000} s`;
    if (error.kind === 'credentials') log.error(line, { system });
    else log.warn(line, { system });
  }

  return {
    enter(error) {
      entering ??= enter(error).finally(() => (entering = undefined));
      return entering;
    },
    async leave(answered) {
      if (!known) return;
      if (known.duringWrite && answered === 'reads' && Date.now() < known.nextAttemptAt + WRITES_QUIET_MS) return;
      known = undefined;
      const ended = await outages.clear();
      if (!ended) return;
      await queue.resume();
      log.info(
        `${ended.system} is back after ${Math.round((Date.now() - ended.since) / 1000)} s: the work that waited goes on`,
      );
    },
    current: () => known,
    stop: () => clearInterval(looking),
  };
}
