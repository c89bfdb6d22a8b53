import { randomFrom, type Random } from './random';

/** How a call to a fake fails. */
export type CallFault =
  | 'page 503'
  | 'JSON 500'
  | 'text 500'
  | '429'
  | 'reset before'
  | 'reset after'
  | 'hang'
  | 'slow'
  | 'answered late'
  | 'done late'
  /** A firewall's page. */
  | 'page 403'
  /** One node refuses what the others accept. */
  | 'single 401'
  /** 200, and a list without rows. */
  | 'empty list';

/** What happens at one moment. */
export type Happening =
  /** `part`: the index of the part; any where it is left out. */
  | { kind: 'user action'; part?: number }
  /** An action on each part in one transaction, so one webhook names them all. */
  | { kind: 'stocktake' }
  | { kind: 'kill'; whom: 'ingest' | 'worker' | 'redis'; downMs: number }
  | { kind: 'stop a worker'; forMs: number }
  /** The store answers nothing, until a worker probes it; then all workers are killed. */
  | { kind: 'kill while probing' }
  | { kind: 'faults'; system: 'magento' | 'inventree'; fault: CallFault; share: number; forMs: number }
  | { kind: 'maintenance'; system: 'magento' | 'inventree'; forMs: number }
  | { kind: 'by hand' }
  | { kind: 'empty redis' }
  /** The product of the part that is sold online later. */
  | { kind: 'product appears' }
  /** From now on the store refuses the SKU that it always refuses. */
  | { kind: 'refuse' };

/** How the store refuses a SKU. */
export type Refusal = 'message 400' | 'text 500' | 'page 502' | 'page 403' | 'hang';

/** Everything that a seed does. */
export interface Schedule {
  seed: number;
  parts: number;
  workers: number;
  /** Whether InvenTree has our plugin's endpoint. */
  plugin: boolean;
  /** Whether sweep and reconcile run. Without them, no event is lost and nothing else changes the store. */
  heals: boolean;
  /** Whether the shop has rules for what is for sale. */
  hasRules: boolean;
  /** The index of a SKU whose writes the store refuses, and how. */
  refused: { sku: number; by: Refusal } | undefined;
  /** Shares of webhooks. */
  webhooks: { lost: number; doubled: number; delayed: number };
  happenings: { atMs: number; what: Happening }[];
}

/** How long a seed lasts, in milliseconds, and how long afterwards the store is still changed by hand. */
const LASTS_MS = 8_000;
const AFTERWARDS_MS = 500;
const LONG_MS = 20_000;
/** Until no part is throttled any more, and until a worker has repeated a write that got no answer, in milliseconds. */
const SETTLES_MS = 4_000;
const NEWER_AFTER_MS = 2_800;
/** Time between the last events, in milliseconds. */
const LAST_APART_MS = 2_000;
const FIXED_AFTER_MS = 700;
/** How long InvenTree's lists are empty, in milliseconds: longer than a sync takes to read them. */
const EMPTY_MS = 900;
const FAULTS: readonly CallFault[] = [
  'page 503',
  'JSON 500',
  'text 500',
  '429',
  'reset before',
  'reset after',
  'hang',
  'slow',
  'answered late',
  // The hardest to notice, and therefore the most frequent.
  'done late',
  'done late',
  'done late',
  'done late',
];

const REFUSALS: readonly Refusal[] = ['message 400', 'message 400', 'page 403', 'text 500', 'page 502', 'hang'];

/** What a seed does, which is the same every time. */
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
    // No user action concerns these parts afterwards: only a reconcile finds it.
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
    hasRules: seed % 3 === 0,
    refused: random.chance(0.2) ? { sku: random.between(0, parts - 1), by: 'message 400' as Refusal } : undefined,
    webhooks: {
      lost: heals && random.chance(0.5) ? 0.2 : 0,
      doubled: random.chance(0.5) ? 0.3 : 0,
      delayed: random.chance(0.6) ? 0.4 : 0,
    },
    happenings,
  };
  // Longer than all attempts of a part take: code that counts them runs out of them.
  if (random.chance(0.2)) {
    const what = {
      kind: 'maintenance',
      system: random.one(['magento', 'inventree'] as const),
      forMs: LONG_MS,
    } as const;
    happenings.push({ atMs: random.between(1_000, 4_000), what });
  }
  const redisFails = random.chance(0.3);
  if (heals && redisFails) happenings.push(...whileRedisIsDown(LASTS_MS));
  // Not the part that the store refuses.
  const latePart = !heals && random.chance(0.5) ? (schedule.refused?.sku === 0 ? 1 : 0) : undefined;
  if (latePart !== undefined) happenings.push(...writtenLate(latePart));
  if (schedule.refused) schedule.refused.by = random.one(REFUSALS);
  if (heals) happenings.push({ atMs: 0, what: { kind: 'refuse' } });
  else happenings.push(...lastEvents(random, schedule, redisFails, latePart));
  if (random.chance(0.1)) happenings.push(...times(random, 1, () => ({ kind: 'kill while probing' })));
  happenings.push(...shopFaults(random));
  if (heals) happenings.push(...times(random, 1, () => ({ kind: 'product appears' })));
  happenings.push(...stocktakes(random));
  happenings.sort((a, b) => a.atMs - b.atMs);
  const isCalm = !heals && schedule.refused !== undefined && random.chance(0.6);
  return isCalm ? calm(schedule) : schedule;
}

/**
 * The same schedule without other faults and with one worker, so that simultaneous actions are written together. After
 * a write without an answer SKUs are synced again, which would hide what a refused write did to them.
 */
function calm(schedule: Schedule): Schedule {
  const happenings = schedule.happenings.filter(({ what: { kind } }) => kind === 'user action' || kind === 'refuse');
  return { ...schedule, workers: 1, webhooks: { lost: 0, doubled: 0, delayed: 0 }, happenings };
}

/**
 * Writes that the store carries out after newer ones, with no event of this part later: code that takes a write without
 * an answer for one that had no effect leaves the store wrong.
 */
function writtenLate(part: number): Schedule['happenings'] {
  const atMs = LASTS_MS + SETTLES_MS;
  const late = { kind: 'faults', system: 'magento', fault: 'done late', share: 1, forMs: 1_500 } as const;
  return [
    { atMs, what: late },
    ...[atMs, atMs + NEWER_AFTER_MS].flatMap(fromMs => [
      { atMs: fromMs, what: { kind: 'user action', part } as const },
      ...burst(fromMs),
    ]),
  ];
}

/** The last actions, with no event later: code that misses them leaves the store wrong. */
function lastEvents(
  random: Random,
  { parts, refused }: Schedule,
  redisFails: boolean,
  latePart: number | undefined,
): Schedule['happenings'] {
  const happenings: Schedule['happenings'] = [];
  let atMs = LASTS_MS + SETTLES_MS + NEWER_AFTER_MS + LAST_APART_MS;
  // Finds code that believes one empty answer, or one that leaves a part out.
  const empty = { kind: 'faults', system: 'inventree', fault: 'empty list', share: 1, forMs: EMPTY_MS } as const;
  const all = Array.from({ length: parts }, (_, part) => part)
    .filter(part => part !== latePart)
    .map(part => ({ atMs, what: { kind: 'user action', part } as const }));
  happenings.push({ atMs: atMs - 100, what: empty }, ...all);
  atMs += LAST_APART_MS;
  if (refused) {
    // One write contains the refused SKU and all others: code that forgets some of them is found.
    happenings.push({ atMs, what: { kind: 'refuse' } }, ...all.map(({ what }) => ({ atMs, what })));
    atMs += LAST_APART_MS;
  }
  // Finds an ingest that accepts what Redis does not have.
  if (redisFails) happenings.push(...whileRedisIsDown(atMs));
  atMs += LAST_APART_MS;
  // A user corrects a quantity as soon as the store shows it: finds code that answers the second event with the first
  // read.
  const what = { kind: 'user action', part: random.between(0, parts - 1) } as const;
  happenings.push({ atMs, what }, { atMs: atMs + FIXED_AFTER_MS, what });
  return happenings;
}

function whileRedisIsDown(untilMs: number): Schedule['happenings'] {
  const kill = { atMs: untilMs - 600, what: { kind: 'kill', whom: 'redis', downMs: 1_500 } as const };
  return [kill, ...burst(untilMs - 300)];
}

function times(random: Random, count: number, make: () => Happening): Schedule['happenings'] {
  return Array.from({ length: count }, () => ({ atMs: random.between(0, LASTS_MS), what: make() }));
}

/** User actions on many parts at nearly the same time: one write contains them all. */
function burst(fromMs: number): Schedule['happenings'] {
  return Array.from({ length: 12 }, (_, n) => ({ atMs: fromMs + 10 * n, what: { kind: 'user action' } as const }));
}

/** Some, one of them while its worker dies: the parts of a webhook share a job. */
function stocktakes(random: Random): Schedule['happenings'] {
  const some = times(random, random.between(1, 4), (): Happening => ({ kind: 'stocktake' }));
  const [first] = some;
  if (!first || random.chance(0.4)) return some;
  const kill = { kind: 'kill', whom: 'worker', downMs: random.between(100, 2_000) } as const;
  return [...some, { atMs: first.atMs + random.between(100, 700), what: kill }];
}

function faultOf(random: Random): Happening {
  const system = random.one(['magento', 'magento', 'inventree'] as const);
  const forMs = random.between(200, 2_500);
  if (random.chance(0.2)) return { kind: 'maintenance', system, forMs };
  return { kind: 'faults', system, fault: random.one(FAULTS), share: random.one([0.3, 0.6, 1]), forMs };
}

/** What real shops met: firewalls, load balancers with a bad node, an InvenTree whose lists are empty. */
function shopFaults(random: Random): Schedule['happenings'] {
  const faults = [
    { chance: 0.3, system: 'magento', fault: 'page 403', share: 0.5 },
    { chance: 0.5, system: 'magento', fault: 'single 401', share: 0.1 },
    { chance: 0.4, system: 'inventree', fault: 'empty list', share: 0.6 },
  ] as const;
  return faults.flatMap(({ chance, system, fault, share }) => {
    const forMs = random.between(500, 3_000);
    if (!random.chance(chance)) return [];
    return times(random, 1, (): Happening => ({ kind: 'faults', system, fault, share, forMs }));
  });
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
