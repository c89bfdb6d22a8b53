import type { Log } from '@stock-sync/service';

/** Lines a second that a flood of bad requests may write. */
const MOST_LINES = 5;

/** Logs refusals, of a flood only some in each second and then how many there were: a log must not fill a disk. */
export function createRefusalLog(log: Log): (line: string) => void {
  let second = 0;
  let lines = 0;
  return line => {
    const now = Math.floor(Date.now() / 1000);
    if (now !== second) {
      if (lines > MOST_LINES) log.warn(`... and ${lines - MOST_LINES} more refusals in that second`);
      second = now;
      lines = 0;
    }
    if (++lines <= MOST_LINES) log.warn(line);
  };
}
