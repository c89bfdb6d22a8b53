import { randomFrom, type Random } from './random';

/** How a call to a stand-in goes wrong. */
export type CallFault =
  | 'page 503'
  | 'JSON 500'
  | 'text 500'
  | '429'
  | 'reset before'
  | 'reset after'
  | 'hang'
  | 'slow'
  | 'told late'
  | 'done late';

/** What happens at one moment. */
export type Happening =
  /** `part`: the how manieth; without it, any. */
  | { kind: 'user action'; part?: number }
  | { kind: 'kill'; whom: 'ingest' | 'worker' | 'redis'; downMs: number }
  | { kind: 'stop a worker'; forMs: number }
  | { kind: 'faults'; system: 'magento' | 'inventree'; fault: CallFault; share: number; forMs: number }
  | { kind: 'maintenance'; system: 'magento' | 'inventree'; forMs: number }
  | { kind: 'by hand' }
  | { kind: 'empty redis' }
  /** From now on the store does not take the SKU that it never takes. */
  | { kind: 'refuse' };

/** How the store shows that it does not take a SKU. */
export type Refusal = 'message 400' | 'text 500' | 'page 502' | 'hang';

/** All that a seed does. */
export interface Schedule {
  seed: number;
  parts: number;
  workers: number;
  /** Whether InvenTree has our plugin's endpoint. */
  plugin: boolean;
  /** Whether what no event told is found; where not, no event is lost and nobody else changes the store. */
  heals: boolean;
  /** A SKU that the store never takes a write of, and what comes instead of an answer. */
  refused: { sku: number; by: Refusal } | undefined;
  /** Shares of webhooks. */
  webhooks: { lost: number; doubled: number; delayed: number };
  happenings: { atMs: number; what: Happening }[];
}

/** How long things happen, in milliseconds; and how long after the last user action others still change the store. */
const LASTS_MS = 8_000;
const AFTERWARDS_MS = 500;
const LONG_MS = 20_000;
/** Until no part is in a storm of events any more; and until a worker has given up a write that got no answer, and made another. */
const SETTLES_MS = 4_000;
const NEWER_AFTER_MS = 2_800;
/** Between the last events, in milliseconds. */
const LAST_APART_MS = 2_000;
const MENDED_AFTER_MS = 700;
const FAULTS: readonly CallFault[] = [
  'page 503',
  'JSON 500',
  'text 500',
  '429',
  'reset before',
  'reset after',
  'hang',
  'slow',
  'told late',
  // The hardest to notice, and so the likeliest.
  'done late',
  'done late',
  'done late',
  'done late',
];

const REFUSALS: readonly Refusal[] = ['message 400', 'message 400', 'message 400', 'text 500', 'page 502', 'hang'];

/** What a seed does; the same every time. */
export function scheduleOf(seed: number): Schedule {
  const random = randomFrom(seed * 7919 + 17);
  const heals = random.chance(0.6);
  const parts = random.between(3, 12);
  const happenings = [
    ...times(random, random.between(40, 120), (): Happening => ({ kind: 'user action' })),
    ...times(random, random.between(2, 6), () => faultOf(random)),
    ...times(random, random.between(1, 3), () => killOf(random)),
    ...(random.chance(0.3) ? times(random, 1, () => stopOf(random)) : []),
    ...(heals ? times(random, random.between(0, 4), (): Happening => ({ kind: 'by hand' })) : []),
    // Nobody touches these parts any more: only comparing both sides finds it.
    ...(heals
      ? Array.from({ length: random.between(1, 2) }, () => ({
          atMs: LASTS_MS + random.between(0, AFTERWARDS_MS),
          what: { kind: 'by hand' } as const,
        }))
      : []),
    ...(heals && random.chance(0.15) ? times(random, 1, (): Happening => ({ kind: 'empty redis' })) : []),
  ];
  const schedule = {
    seed,
    parts,
    workers: random.between(1, 3),
    plugin: random.chance(0.8),
    heals,
    refused: random.chance(0.2) ? { sku: random.between(0, parts - 1), by: 'message 400' as Refusal } : undefined,
    webhooks: {
      lost: heals && random.chance(0.5) ? 0.2 : 0,
      doubled: random.chance(0.5) ? 0.3 : 0,
      delayed: random.chance(0.6) ? 0.4 : 0,
    },
    happenings,
  };
  // Longer than all attempts of a part take: who counts them runs out of them.
  if (random.chance(0.2)) {
    const what = {
      kind: 'maintenance',
      system: random.one(['magento', 'inventree'] as const),
      forMs: LONG_MS,
    } as const;
    happenings.push({ atMs: random.between(1_000, 4_000), what });
  }
  const redisIsAway = random.chance(0.3);
  if (heals && redisIsAway) happenings.push(...whileRedisIsAway(LASTS_MS));
  // What the store does only after it has done what is newer, and no event later: who takes a write without an answer for one that
  // was never done has nobody to heal it.
  if (!heals && random.chance(0.5)) {
    const atMs = LASTS_MS + SETTLES_MS;
    const late = { kind: 'faults', system: 'magento', fault: 'done late', share: 1, forMs: 1_500 } as const;
    happenings.push({ atMs, what: late });
    happenings.push(...burst(atMs), ...burst(atMs + NEWER_AFTER_MS));
  }
  if (schedule.refused) schedule.refused.by = random.one(REFUSALS);
  if (heals) happenings.push({ atMs: 0, what: { kind: 'refuse' } });
  else happenings.push(...lastEvents(random, schedule, redisIsAway));
  happenings.sort((a, b) => a.atMs - b.atMs);
  const isCalm = !heals && schedule.refused !== undefined && random.chance(0.6);
  return isCalm ? calm(schedule) : schedule;
}

/**
 * The same with nothing else that goes wrong, and all in the hands of one worker, so that what is done at once is written at once.
 * After a write without an answer SKUs are looked at again, which heals what a refused write did to them.
 */
function calm(schedule: Schedule): Schedule {
  const happenings = schedule.happenings.filter(({ what: { kind } }) => kind === 'user action' || kind === 'refuse');
  return { ...schedule, workers: 1, webhooks: { lost: 0, doubled: 0, delayed: 0 }, happenings };
}

/** What is done when no event comes later: whoever misses it has nobody to heal it. */
function lastEvents(random: Random, { parts, refused }: Schedule, redisIsAway: boolean): Schedule['happenings'] {
  const happenings: Schedule['happenings'] = [];
  let atMs = LASTS_MS + SETTLES_MS + NEWER_AFTER_MS + LAST_APART_MS;
  if (refused) {
    // Before anything is known of the SKU, one write takes it with all others: who forgets some of them is found out.
    const all = Array.from({ length: parts }, (_, part) => ({ atMs, what: { kind: 'user action', part } as const }));
    happenings.push({ atMs, what: { kind: 'refuse' } }, ...all);
    atMs += LAST_APART_MS;
  }
  // Who says falsely that something is accepted.
  if (redisIsAway) happenings.push(...whileRedisIsAway(atMs));
  atMs += LAST_APART_MS;
  // A number is mended as soon as it is seen in the store: who answers the second event with what was read for the first.
  const what = { kind: 'user action', part: random.between(0, parts - 1) } as const;
  happenings.push({ atMs, what }, { atMs: atMs + MENDED_AFTER_MS, what });
  return happenings;
}

function whileRedisIsAway(untilMs: number): Schedule['happenings'] {
  const kill = { atMs: untilMs - 600, what: { kind: 'kill', whom: 'redis', downMs: 1_500 } as const };
  return [kill, ...burst(untilMs - 300)];
}

function times(random: Random, count: number, make: () => Happening): Schedule['happenings'] {
  return Array.from({ length: count }, () => ({ atMs: random.between(0, LASTS_MS), what: make() }));
}

/** User actions on many parts at nearly the same time: one write takes them all. */
function burst(fromMs: number): Schedule['happenings'] {
  return Array.from({ length: 12 }, (_, n) => ({ atMs: fromMs + 10 * n, what: { kind: 'user action' } as const }));
}

function faultOf(random: Random): Happening {
  const system = random.one(['magento', 'magento', 'inventree'] as const);
  const forMs = random.between(200, 2_500);
  if (random.chance(0.2)) return { kind: 'maintenance', system, forMs };
  return { kind: 'faults', system, fault: random.one(FAULTS), share: random.one([0.3, 0.6, 1]), forMs };
}

function killOf(random: Random): Happening {
  return {
    kind: 'kill',
    whom: random.one(['ingest', 'worker', 'worker', 'redis'] as const),
    downMs: random.between(100, 1_500),
  };
}

function stopOf(random: Random): Happening {
  return { kind: 'stop a worker', forMs: random.one([random.between(500, 3_000), random.between(9_000, 12_000)]) };
}
