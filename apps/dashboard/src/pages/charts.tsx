import { CALLED_SYSTEMS, lagQuantile, type ActivityBucket, type CalledSystem } from '@stock-sync/state';

const [WIDTH, HEIGHT] = [720, 120];
/** The times that the scale names, in seconds. */
const SCALE = [1, 10, 60, 600] as const;
const LONGEST = 3_600;
const SHORTEST = 0.1;

/** Where a time is on the scale, from 0 to 1: each step is ten times the one before. */
function height(seconds: number): number {
  const bounded = Math.min(LONGEST, Math.max(SHORTEST, seconds));
  return Math.log(bounded / SHORTEST) / Math.log(LONGEST / SHORTEST);
}

const clock = (at: number) => new Date(at).toISOString().slice(11, 16);

/** The time from an event to the store: half of the updates, and 95 % of them, were faster. */
export function LagChart({ activity }: { activity: readonly ActivityBucket[] }) {
  const step = WIDTH / Math.max(1, activity.length);
  const bars = activity.flatMap(({ at, lags }, index) => {
    const [half, most] = [lagQuantile(lags, 0.5), lagQuantile(lags, 0.95)];
    return half === undefined || most === undefined ? [] : [{ at, index, half, most }];
  });
  if (bars.length === 0) return <p>The store was not updated in these hours.</p>;
  return (
    <figure>
      <svg viewBox={`0 0 ${WIDTH} ${HEIGHT + 16}`} role="img" aria-label="Seconds from an event to the store">
        {SCALE.map(seconds => (
          <g>
            <line
              class="grid"
              x1={0}
              x2={WIDTH}
              y1={HEIGHT * (1 - height(seconds))}
              y2={HEIGHT * (1 - height(seconds))}
            />
            <text x={2} y={HEIGHT * (1 - height(seconds)) - 2}>
              {seconds < 60 ? `${seconds} s` : `${seconds / 60} min`}
            </text>
          </g>
        ))}
        {bars.map(({ at, index, half, most }) => (
          <g>
            <title>{`${clock(at)} UTC: half within ${half} s, 95 % within ${most} s`}</title>
            <Bar class="most" x={index * step} width={step} seconds={most} />
            <Bar class="half" x={index * step} width={step} seconds={half} />
          </g>
        ))}
        <text x={0} y={HEIGHT + 13}>
          {clock(activity[0]?.at ?? 0)}
        </text>
        <text x={WIDTH} y={HEIGHT + 13} text-anchor="end">
          {clock(activity.at(-1)?.at ?? 0)} UTC
        </text>
      </svg>
      <figcaption>Dark: half of the updates were faster. Light: 95 % of them. Five minutes a bar.</figcaption>
    </figure>
  );
}

function Bar({ x, width, seconds, ...rest }: { class: string; x: number; width: number; seconds: number }) {
  const tall = Math.max(2, HEIGHT * height(seconds));
  return <rect {...rest} x={x + width * 0.1} width={width * 0.8} y={HEIGHT - tall} height={tall} />;
}

/** Calls of both systems in these hours, and those that failed. */
export function CallTable({ activity }: { activity: readonly ActivityBucket[] }) {
  const sum = (system: CalledSystem, what: 'calls' | 'errors') =>
    activity.reduce((total, bucket) => total + bucket[what][system], 0).toLocaleString('en');
  return (
    <table>
      <thead>
        <tr>
          <th scope="col">System</th>
          <th scope="col" class="number">
            Calls
          </th>
          <th scope="col" class="number">
            Failed
          </th>
        </tr>
      </thead>
      <tbody>
        {CALLED_SYSTEMS.map(system => (
          <tr>
            <th scope="row">{system}</th>
            <td class="number">{sum(system, 'calls')}</td>
            <td class="number">{sum(system, 'errors')}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
