import { NotYetError } from './job-errors';

/** After a run over all parts, the next one rests for this many times as long as it took, up to the longest rest. */
const RESTS = 4;
const MAX_REST_MS = 60_000;

/**
 * Throws a NotYetError while the last run is too recent. Fifty customers who are deleted one by one request a run fifty
 * times; requests that come while one is running, or soon after, wait and become one.
 * @param last when it ended, by the clock of Redis, and how long it took, in milliseconds
 */
export function requireRest(last: { at: number; tookMs: number } | undefined, now: number, reason: string): void {
  const restMs = last ? last.at + Math.min(MAX_REST_MS, RESTS * last.tookMs) - now : 0;
  if (restMs > 0) throw new NotYetError(reason, restMs);
}
