import { setImmediate as endOfTurn, setTimeout as sleep } from 'node:timers/promises';

/** Lets those that come one after another go on together. */
export interface Gathering {
  /** Resolves for all at the same moment: when nobody came for `quietMs`, or the first one waited for the longest. */
  join(quietMs: number): Promise<void>;
}

/** @param longestMs how long the first one waits at most, in milliseconds */
export function createGathering(longestMs: number): Gathering {
  let quietUntil = 0;
  let current: Promise<void> | undefined;

  async function untilQuiet(): Promise<void> {
    const latest = Date.now() + longestMs;
    await endOfTurn();
    for (let now = Date.now(); now < quietUntil && now < latest; now = Date.now()) await sleep(quietUntil - now);
  }

  return {
    join(quietMs) {
      quietUntil = Date.now() + quietMs;
      current ??= untilQuiet().finally(() => {
        current = undefined;
      });
      return current;
    },
  };
}
