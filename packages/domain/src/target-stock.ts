import { formatQuantity, type Quantity } from './quantity';

/** What the store should show at one source. */
export interface SourceQuantity {
  sourceCode: string;
  quantity: Quantity;
}

/** What the store should show for a SKU, at each source. */
export type TargetStock = readonly SourceQuantity[];

/** A target stock as plain data: a decimal as text for each source code. */
export type TargetQuantities = Readonly<Record<string, string>>;

/** The source that every Magento store has. */
export const DEFAULT_SOURCE = 'default';

/** Whether the target is zero at every source. */
export function isZero(target: TargetStock): boolean {
  return target.every(({ quantity }) => quantity === 0n);
}

/** The sum of several targets, source by source. */
export function sumOfTargets(targets: readonly TargetStock[]): TargetStock {
  const total = new Map<string, Quantity>();
  for (const { sourceCode, quantity } of targets.flat()) {
    total.set(sourceCode, (total.get(sourceCode) ?? 0n) + quantity);
  }
  return [...total].map(([sourceCode, quantity]) => ({ sourceCode, quantity }));
}

/** The target as plain data, to be stored and compared. */
export function targetQuantities(target: TargetStock): TargetQuantities {
  return Object.fromEntries(target.map(({ sourceCode, quantity }) => [sourceCode, formatQuantity(quantity)]));
}

/** Whether two targets name the same sources with the same quantities. */
export function sameQuantities(a: TargetQuantities | undefined, b: TargetQuantities | undefined): boolean {
  if (!a || !b) return a === b;
  const sources = Object.keys(a);
  return sources.length === Object.keys(b).length && sources.every(source => a[source] === b[source]);
}

/** A target for people: "80", or "default: 50, west: 30". */
export function formatTarget(target: TargetQuantities): string {
  const quantities = Object.entries(target);
  const [only] = quantities;
  if (only && quantities.length === 1) return only[1];
  return quantities.map(([sourceCode, quantity]) => `${sourceCode}: ${quantity}`).join(', ');
}
