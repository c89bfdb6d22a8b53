import { mkdirSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { join } from 'node:path';

/** One figure: a ratio, or a number with its unit, measured several times in one run. */
export interface Figure {
  name: string;
  /** What was measured, once for each round. */
  values: number[];
  /** "x" for a ratio. */
  unit: string;
  /** What it should be, where there is a goal. */
  goal?: { atLeast: number } | { atMost: number };
}

/** Collects the figures of a run. */
export interface Report {
  add(figure: Figure): void;
  /** A line for people while it runs. */
  say(line: string): void;
}

export const median = (values: readonly number[]) => {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? 0;
};

const short = (value: number) => (value >= 100 ? Math.round(value).toLocaleString('en') : value.toPrecision(3));

function isReached({ goal, values }: Figure): boolean | undefined {
  if (!goal) return undefined;
  return 'atLeast' in goal ? median(values) >= goal.atLeast : median(values) <= goal.atMost;
}

function goalText({ goal }: Figure): string {
  if (!goal) return '';
  return 'atLeast' in goal ? `>= ${goal.atLeast}` : `<= ${goal.atMost}`;
}

/** The figures as a table for the terminal. */
export function tableOf(figures: readonly Figure[]): string {
  const rows = figures.map(figure => {
    const { name, values, unit } = figure;
    const spread = `${short(Math.min(...values))} to ${short(Math.max(...values))}`;
    const reached = isReached(figure);
    const mark = reached === undefined ? '' : reached ? 'reached' : 'missed';
    return [name, `${short(median(values))} ${unit}`, values.length > 1 ? spread : '', goalText(figure), mark];
  });
  const all = [['what', 'median', 'spread', 'goal', ''], ...rows];
  const widths = [0, 1, 2, 3, 4].map(column => Math.max(...all.map(row => row[column]?.length ?? 0)));
  return all
    .map(row =>
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

/** The machine, so that figures of two runs are not compared by mistake. */
const machine = () => `${cpus().length} cores, ${cpus()[0]?.model.trim() ?? 'unknown'}, Node ${process.version}`;

/** All figures for scripts. */
export function jsonOf(figures: readonly Figure[]): string {
  const data = figures.map(figure => ({ ...figure, median: median(figure.values), isReached: isReached(figure) }));
  return `${JSON.stringify({ machine: machine(), figures: data }, undefined, 2)}\n`;
}

const ROW = 44;
const WIDTH = 760;
const BAR = 420;

/** A bar for each figure with a goal, as a share of the goal: what ends right of the line is reached. */
export function chartOf(figures: readonly Figure[]): string {
  const withGoal = figures.filter(({ goal }) => goal !== undefined);
  const bars = withGoal.map((figure, row) => {
    const { goal, values, name, unit } = figure;
    const value = median(values);
    const share = !goal ? 0 : 'atLeast' in goal ? value / goal.atLeast : goal.atMost / Math.max(value, 1e-9);
    const length = Math.round((Math.min(share, 2) / 2) * BAR);
    const y = 40 + row * ROW;
    const label = `${name}: ${short(value)} ${unit} (goal ${goalText(figure)})`.replaceAll('<', '&lt;');
    return (
      `<text x="10" y="${y + 12}">${label}</text>` +
      `<rect x="10" y="${y + 18}" width="${length}" height="12" class="${share >= 1 ? 'reached' : 'missed'}"/>`
    );
  });
  const height = 50 + withGoal.length * ROW;
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${height}" viewBox="0 0 ${WIDTH} ${height}">
<style>
  text { font: 13px sans-serif; fill: #222 } rect.reached { fill: #1a7f37 } rect.missed { fill: #b35900 }
  line { stroke: #222; stroke-dasharray: 4 }
</style>
<rect width="100%" height="100%" fill="#fff"/>
<text x="10" y="20">${machine()}. The line is the goal.</text>
${bars.join('\n')}
<line x1="${10 + BAR / 2}" y1="30" x2="${10 + BAR / 2}" y2="${height - 10}"/>
</svg>
`;
}

/** Writes docs/benchmarks. */
export function writeReport(root: string, figures: readonly Figure[]): void {
  const folder = join(root, 'docs', 'benchmarks');
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'results.json'), jsonOf(figures));
  writeFileSync(join(folder, 'goals.svg'), chartOf(figures));
}
