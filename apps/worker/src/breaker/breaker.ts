import { randomUUID } from 'node:crypto';
import { isHiccup, splitBatch, type CallError } from '@stock-sync/http-client';
import type { Log } from '@stock-sync/service';
import {
  BREAKERS,
  QUEUES,
  type BreakerName,
  type CircuitBreakers,
  type JobQueues,
  type OpenBreaker,
  type Pauses,
  type QueueName,
} from '@stock-sync/state';
import { WaitError } from '../jobs/job-errors';
import type { Probes } from './probes';
import { breakerFor, needsProbe, type Verdict } from './verdicts';

/** Pauses between probes while a system is unreachable, and while it refuses our credentials. */
export const PAUSES = {
  unreachable: { first: 1_000, longest: 60_000 },
  credentials: { first: 15_000, longest: 5 * 60_000 },
} satisfies Record<string, Pauses>;
/** The longest time that a system may ask us to wait, in milliseconds. */
const MAX_RETRY_AFTER_MS = 10 * 60_000;
/** How often a worker checks the breakers, in milliseconds. */
const CHECK_MS = 500;
/** How often the lease of a probe is extended, in milliseconds. */
const EXTEND_MS = 3_000;
/** How much longer than the pause a queue is paused, in milliseconds: a probe takes a moment. */
const PROBE_TIME_MS = 1_000;

/** The breakers that must be closed for the jobs of a queue. */
const NEEDED: Readonly<Record<QueueName, readonly BreakerName[]>> = {
  [QUEUES.parts]: BREAKERS,
  [QUEUES.lookups]: ['inventree-read'],
};
const QUEUE_NAMES = Object.keys(NEEDED) as QueueName[];

/** What the log says of a breaker. */
const SUBJECTS: Readonly<Record<BreakerName, { system: string; opened: string; closed: string }>> = {
  'inventree-read': {
    system: 'InvenTree',
    opened: 'InvenTree cannot be read',
    closed: 'InvenTree can be read again',
  },
  'magento-read': { system: 'Magento', opened: 'Magento cannot be read', closed: 'Magento can be read again' },
  'magento-write': { system: 'Magento', opened: 'Magento takes no writes', closed: 'Magento takes writes again' },
};

/** Decides whether a system or an item is at fault, and makes all work wait while it is a system. */
export interface Breaker {
  /**
   * Makes one call for many items. An item that is at fault gets its error, and all others get their result. Rejects
   * with a WaitError where the system is at fault.
   * @param skusOf the SKUs that the items write, for the probe of writes
   */
  guard<Item, Result>(
    name: BreakerName,
    items: readonly Item[],
    call: (some: readonly Item[]) => Promise<Result[]>,
    skusOf?: (some: readonly Item[]) => string[],
  ): Promise<(Result | CallError)[]>;
  /** What a failed call means; a `wait` has opened the breaker. */
  judge(error: CallError, skus?: readonly string[]): Promise<Verdict>;
  /** Throws a WaitError where the jobs of this queue have to wait. */
  requireForQueue(name: QueueName): void;
  /** Throws a WaitError where this breaker is open, as of a moment ago. */
  require(name: BreakerName): void;
  /** The same, as of now. */
  requireNow(name: BreakerName): Promise<void>;
  /** The breakers that are open, as of a moment ago. */
  open(): readonly OpenBreaker[];
  stop(): void;
}

/** Creates the breaker of this worker, over the state that all workers share. */
export function createBreaker(deps: {
  state: CircuitBreakers;
  probes: Probes;
  queues: JobQueues;
  /** A fingerprint of this worker's settings. */
  settings: string;
  /** Called once when a breaker closes. */
  onClosed: (name: BreakerName) => Promise<void>;
  log: Log;
  pauses?: typeof PAUSES;
  checkMs?: number;
}): Breaker {
  const { state, probes, queues, settings, log, pauses = PAUSES } = deps;
  const owner = randomUUID();
  let known: readonly OpenBreaker[] = [];
  let probing: Promise<unknown> | undefined;

  const check = () => {
    probing ??= probeWhatIsDue()
      .catch(() => undefined)
      .finally(() => (probing = undefined));
  };
  probeWithNewSettings()
    .catch(() => undefined)
    .finally(check);
  const checking = setInterval(check, deps.checkMs ?? CHECK_MS);

  /** An operator who fixes the settings and restarts the worker wants to see at once whether they are right. */
  async function probeWithNewSettings(): Promise<void> {
    for (const { name } of await state.current()) {
      if (!(await state.probeNowFor(name, settings))) continue;
      log.info(`The settings changed since ${SUBJECTS[name].system} failed: checking it now`);
    }
  }

  async function refresh(): Promise<void> {
    known = await state.current();
  }

  async function probeWhatIsDue(): Promise<void> {
    await refresh();
    const due = known.filter(({ state: now, probeInMs }) => now === 'open' && probeInMs === 0);
    await Promise.all(due.map(({ name }) => probe(name)));
  }

  /** One worker at a time probes; no job ever does, so an item that is at fault cannot keep the breaker open. */
  async function probe(name: BreakerName): Promise<void> {
    if (!(await state.startProbe(name, owner))) return;
    const extending = setInterval(() => {
      state.extendProbe(name, owner).catch(() => undefined);
    }, EXTEND_MS);
    const failure = await probes.run(name).finally(() => clearInterval(extending));
    if (failure) await reopen(name, failure);
    else await close(name);
  }

  async function reopen(name: BreakerName, failure: CallError): Promise<void> {
    const pauseMs = await state.reopen(name, owner, failure.message, pausesFor(failure), askedFor(failure));
    await pauseQueues();
    if (pauseMs === 0) return;
    log.info(`${SUBJECTS[name].opened}: ${failure.message}. ${nextCheck(pauseMs)}`, { breaker: name });
  }

  async function close(name: BreakerName): Promise<void> {
    const openMs = await state.close(name, owner);
    await pauseQueues();
    if (openMs === undefined) return;
    const seconds = Math.round(openMs / 1000);
    log.info(`${SUBJECTS[name].closed} after ${seconds} s. Work that waited resumes`, { breaker: name });
    await deps.onClosed(name);
  }

  async function openBreaker(name: BreakerName, error: CallError): Promise<void> {
    const firstPause = pausesFor(error);
    const isNew = await state.open(name, error.message, firstPause, settings, askedFor(error));
    await pauseQueues();
    if (!isNew) return;
    const pauseMs = Math.max(firstPause.first, askedFor(error));
    const line = `${SUBJECTS[name].opened}: ${error.message}. Work waits and resumes by itself. ${nextCheck(pauseMs)}`;
    log[error.kind === 'credentials' ? 'error' : 'warn'](line, { breaker: name });
  }

  /** Each queue waits until the last probe that it depends on is due, and is free where all its breakers are closed. */
  async function pauseQueues(): Promise<void> {
    await refresh();
    for (const queue of QUEUE_NAMES) {
      const open = known.filter(({ name }) => NEEDED[queue].includes(name));
      if (open.length === 0) await queues.resume(queue);
      else await queues.pause(queue, Math.max(...open.map(({ probeInMs }) => probeInMs)) + PROBE_TIME_MS);
    }
  }

  function pausesFor({ kind }: CallError): Pauses {
    return kind === 'credentials' ? pauses.credentials : pauses.unreachable;
  }

  async function judge(error: CallError, skus: readonly string[] = []): Promise<Verdict> {
    const name = breakerFor(error);
    await refresh();
    if (known.some(open => open.name === name)) return 'wait';
    if (!needsProbe(error.kind)) {
      await openBreaker(name, error);
      return 'wait';
    }
    // A store that cannot be read takes no writes either.
    const names: readonly BreakerName[] = name === 'magento-write' ? ['magento-read', name] : [name];
    for (const probed of names) {
      const failure = await probes.runShared(probed, skus);
      if (!failure) continue;
      await openBreaker(probed, failure);
      return 'wait';
    }
    return 'item';
  }

  function requireClosed(names: readonly BreakerName[]): void {
    const open = known.find(({ name }) => names.includes(name));
    if (open) throw new WaitError(`${SUBJECTS[open.name].opened}: ${open.reason}`, open.probeInMs);
  }

  return {
    async guard(name, items, call, skusOf = () => []) {
      requireClosed([name]);
      const isItemsFault = async (error: CallError, some: typeof items) => {
        if ((await judge(error, skusOf(some))) === 'item') return true;
        throw new WaitError(error.message, 0, error);
      };
      const callTwice = async (some: typeof items) => {
        try {
          return await call(some);
        } catch (error) {
          if (!isHiccup(error) || some.length < items.length || !(await isItemsFault(error, some))) throw error;
          return call(some);
        }
      };
      return splitBatch(items, callTwice, isItemsFault);
    },
    judge,
    require: name => requireClosed([name]),
    async requireNow(name) {
      await refresh();
      requireClosed([name]);
    },
    requireForQueue: name => requireClosed(NEEDED[name]),
    open: () => known,
    stop: () => clearInterval(checking),
  };
}

function askedFor({ retryAfterMs = 0 }: CallError): number {
  return Math.min(retryAfterMs, MAX_RETRY_AFTER_MS);
}

function nextCheck(pauseMs: number): string {
  return `Next check in ${Math.round(pauseMs / 1000)} s`;
}
