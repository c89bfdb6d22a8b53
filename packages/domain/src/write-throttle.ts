/** An event this soon after a write, in milliseconds, is part of a series: no user is that quick. */
const FOLLOWS_WITHIN_MS = 20;
/** The first interval between two writes of a part, and the longest one, in milliseconds. */
const FIRST_INTERVAL_MS = 100;
const MAX_INTERVAL_MS = 400;
/** Runs come back at multiples of this time, in milliseconds, so that the parts of a series share calls. */
const STEP_MS = 250;

/** The last write of a part. */
export interface LastWrite {
  /** Milliseconds since 1970. */
  at: number;
  /** Runs in a row that the throttle delayed. */
  throttledRuns: number;
}

/** What the throttle says about a run. */
export interface Throttle {
  /** The run must come back then, in milliseconds since 1970; undefined: it may start. */
  waitUntil: number | undefined;
  /** Runs in a row that were throttled, this one included. */
  throttledRuns: number;
}

const NOT_THROTTLED: Throttle = { waitUntil: undefined, throttledRuns: 0 };

/**
 * Spaces the writes of a part whose events keep coming. A run whose event was accepted during or right after the last
 * write waits for an interval, which grows while the series lasts. So a thousand events a second cost one write in each
 * interval, and all parts of a series are written together. A single change is never delayed; a second one right after
 * it is in the store within half a second, and a series is never more than a second behind.
 */
export function throttleRun(acceptedAt: number, last: LastWrite | undefined, now: number): Throttle {
  if (!last || acceptedAt > last.at + FOLLOWS_WITHIN_MS) return NOT_THROTTLED;
  const interval = Math.min(MAX_INTERVAL_MS, FIRST_INTERVAL_MS * 2 ** Math.min(last.throttledRuns, 10));
  const next = Math.ceil((last.at + interval) / STEP_MS) * STEP_MS;
  return {
    waitUntil: now < next ? next : undefined,
    throttledRuns: last.throttledRuns + 1,
  };
}
