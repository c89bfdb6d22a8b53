import type { Log } from '@stock-sync/service';

/** Lines that a flood of bad requests may write in a second. */
const LINES_PER_SECOND = 5;

/**
 * Logs refused requests. Of a flood, it logs a few in each second and then the number of the rest: a log must not fill
 * a disk.
 */
export function createRefusalLog(log: Log): (line: string) => void {
  let second = 0;
  let lines = 0;
  return line => {
    const now = Math.floor(Date.now() / 1000);
    if (now !== second) {
      if (lines > LINES_PER_SECOND)
        log.warn(`${lines - LINES_PER_SECOND} more requests were refused in the same second`);
      second = now;
      lines = 0;
    }
    if (++lines <= LINES_PER_SECOND) log.warn(line);
  };
}
