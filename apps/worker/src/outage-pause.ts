import type { CredentialsError, TryLaterError } from '@stock-sync/http-client';
import {
  LOOKUP_QUEUE,
  SYNC_QUEUE,
  type Outage,
  type Outages,
  type QueueName,
  type SyncQueue,
  type SystemName,
} from '@stock-sync/queue';
import type { Log } from '@stock-sync/service';

/** The first pause and the longest one, in milliseconds, where a system is away and where it refuses who we are. */
export const PAUSES = { away: { first: 1_000, longest: 60_000 }, refused: { first: 15_000, longest: 5 * 60_000 } };
/** The longest that a system may ask us to wait (Retry-After), in milliseconds. */
const LONGEST_ASKED_MS = 10 * 60_000;
/** An outage of writes is over without one, too, if none failed for so long after the last pause, in milliseconds. */
const WRITES_QUIET_MS = 60_000;
/** How often a worker looks whether others are in an outage. */
const LOOK_MS = 1_000;
/** A job that met so many outages, each of which was over as soon as other jobs were done, makes them itself. */
const MOST_OUTAGES_MET = 3;
/** After so many pauses in vain it is asked whether the system is away for what is known to be good, too. */
const WEIGHED_AFTER = 2;

/** What each queue's jobs can't do without. */
const NEEDED: Record<QueueName, readonly SystemName[]> = {
  [SYNC_QUEUE]: ['InvenTree', 'Magento'],
  [LOOKUP_QUEUE]: ['InvenTree'],
};
const QUEUES = Object.keys(NEEDED) as QueueName[];

/** Makes all workers wait while a system is away, and lets them go on when it is back. */
export interface OutagePause {
  /**
   * A job's call failed for a reason that is not the job's: everything that needs the system waits, longer each time.
   * When the job is to be tried again, in milliseconds since 1970; or `to blame`, where it is the job's fault after all:
   * it keeps meeting outages, and did so by calls that it shared with no other.
   */
  enter(error: TryLaterError | CredentialsError, job: string, wentAlone: boolean): Promise<number | 'to blame'>;
  /** Whether a job is to share its calls with no other: it tries for all of them, or is suspected. */
  goesAlone(job: string): Promise<boolean>;
  /** A system answered a job; with a write, or to reads alone. */
  leave(system: SystemName, answered: 'reads' | 'write'): Promise<void>;
  /** A job went well. */
  wentWell(job: string): Promise<void>;
  /** Why work waits now. */
  current(): readonly Outage[];
  stop(): void;
}

/** The pause, over the queues and what Redis says about outages. */
export function createOutagePause(given: {
  queue: SyncQueue;
  outages: Outages;
  /** Called once when an outage is over. */
  onOver: (ended: Outage) => Promise<void>;
  /** Whether a system works for what is known to be good. */
  isWell: (error: TryLaterError) => Promise<boolean>;
  /** What this worker speaks to the systems with, as a fingerprint. */
  settings: string;
  log: Log;
  pauses?: typeof PAUSES;
}): OutagePause {
  const { queue, outages, settings, log, pauses: lengths = PAUSES } = given;
  let known: readonly Outage[] = [];
  const entering = new Map<SystemName, Promise<Outage>>();
  const look = () => {
    outages.current().then(
      found => (known = found),
      () => undefined,
    );
  };
  begin().catch(() => undefined);
  look();
  const looking = setInterval(look, LOOK_MS);

  async function begin(): Promise<void> {
    const current = await outages.current();
    // A pause that nobody remembers would leave the queues at one job at a time for ever.
    if (current.length === 0) await Promise.all(QUEUES.map(queue.resume));
    const mended = current.filter(outage => outage.settings !== settings);
    if (mended.length === 0) return;
    // Whoever mends the settings and starts the worker again wants to see at once whether they are right.
    for (const outage of mended) {
      log.info(`the settings are others than those that ${outage.system} was last asked with: it is asked now`);
      await outages.record({ ...outage, settings, pauses: 0, nextAttemptAt: Date.now() });
    }
    await pauseQueues();
    await Promise.all(QUEUES.map(queue.tryDelayedNow));
  }

  async function extended(error: TryLaterError | CredentialsError): Promise<Outage> {
    const { system, message: reason, duringWrite } = error;
    const before = (await outages.current()).find(outage => outage.system === system);
    const now = Date.now();
    // The many jobs of one batch fail together: that is one failed attempt, not a hundred.
    if (before && before.nextAttemptAt > now) return before;
    const pauses = (before?.pauses ?? 0) + 1;
    const { first, longest } = error.kind === 'credentials' ? lengths.refused : lengths.away;
    const asked = error.kind === 'try-later' ? (error.retryAfterMs ?? 0) : 0;
    const grown = Math.min(longest, first * 2 ** Math.min(pauses - 1, 20));
    const pauseMs = Math.max(grown, Math.min(asked, LONGEST_ASKED_MS));
    const nextAttemptAt = now + pauseMs;
    const outage = { system, reason, duringWrite, since: before?.since ?? now, pauses, nextAttemptAt, settings };
    // In this order: a worker that dies in between leaves an outage that the next job ends.
    await outages.record(outage);
    await pauseQueues();
    const line = `${reason}. What needs ${system} waits, nothing is lost; next attempt in ${Math.round(pauseMs / 1000)} s`;
    if (error.kind === 'credentials') log.error(line, { system });
    else log.warn(line, { system });
    return outage;
  }

  /** Each queue waits until the last system that it needs is due, and is free where none is away. */
  async function pauseQueues(): Promise<void> {
    known = await outages.current();
    for (const name of QUEUES) {
      const away = known.filter(({ system }) => NEEDED[name].includes(system));
      if (away.length === 0) await queue.resume(name);
      else await queue.pauseFor(Math.max(1, ...away.map(({ nextAttemptAt }) => nextAttemptAt - Date.now())), name);
    }
  }

  /** Whether the one job that tried after a pause, and found the system away, is the only one that does. */
  async function isAlone(error: TryLaterError | CredentialsError, outage: Outage | undefined): Promise<boolean> {
    if (!outage || outage.pauses < WEIGHED_AFTER || outage.nextAttemptAt > Date.now()) return false;
    return error.kind === 'try-later' && given.isWell(error);
  }

  return {
    async enter(error, job, wentAlone) {
      const { system } = error;
      const current = known.find(outage => outage.system === system);
      if (wentAlone && (await isAlone(error, current))) {
        await leave(system, 'write');
        return 'to blame';
      }
      if (
        wentAlone &&
        !current &&
        error.kind === 'try-later' &&
        (await isSuspect(job)) &&
        (await given.isWell(error))
      ) {
        return 'to blame';
      }
      const next = entering.get(system) ?? extended(error).finally(() => entering.delete(system));
      entering.set(system, next);
      const outage = await next;
      await outages.meet(job, outage);
      return outage.nextAttemptAt;
    },
    async goesAlone(job) {
      // What was known a second ago would send many alone when an outage is over.
      if (known.length > 0) known = await outages.current();
      return known.length > 0 || (await isSuspect(job));
    },
    leave,
    wentWell: outages.forgetMet,
    current: () => known,
    stop: () => clearInterval(looking),
  };

  async function isSuspect(job: string): Promise<boolean> {
    return (await outages.metCount(job)) >= MOST_OUTAGES_MET;
  }

  async function leave(system: SystemName, answered: 'reads' | 'write'): Promise<void> {
    const outage = known.find(one => one.system === system);
    if (!outage) return;
    if (outage.duringWrite && answered === 'reads' && Date.now() < outage.nextAttemptAt + WRITES_QUIET_MS) return;
    known = known.filter(one => one !== outage);
    const ended = await outages.clear(system);
    if (!ended) return;
    await pauseQueues();
    const seconds = Math.round((Date.now() - ended.since) / 1000);
    log.info(`${ended.system} is back after ${seconds} s: the work that waited goes on`, { system });
    await given.onOver(ended);
  }
}
