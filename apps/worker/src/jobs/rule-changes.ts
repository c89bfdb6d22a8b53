import { formatQuantity, formatStoreStock, formatTarget, parseQuantity, type Finding } from '@stock-sync/domain';
import type { ReconcileReport } from '@stock-sync/state';

/** The SKUs that are named, those with the largest change first. */
const NAMED = 10;

/** What other rules change in the store: collected from a comparison, and said in a few lines. */
export function createRuleChanges() {
  const largest: { finding: Finding; change: bigint }[] = [];
  let [up, down, added, taken] = [0, 0, 0n, 0n];

  return {
    add(finding: Finding): void {
      if (finding.kind !== 'drifted') return;
      const change = total(Object.values(finding.target ?? {})) - shown(finding);
      if (change >= 0n) [up, added] = [up + 1, added + change];
      else [down, taken] = [down + 1, taken - change];
      largest.push({ finding, change });
      if (largest.length > 10 * NAMED) keepLargest();
    },

    lines({ counts }: Pick<ReconcileReport, 'counts'>): string[] {
      keepLargest();
      const all = counts.equal + counts.drifted;
      const head =
        `By the new rules ${counts.drifted} of ${all} SKUs will show another quantity: ` +
        `${up} more (${formatQuantity(added)} units), ${down} less (${formatQuantity(taken)} units); ` +
        `${counts['not for sale any more']} are not for sale any more`;
      return [
        head,
        ...largest.map(({ finding: { sku, part, store, target } }) => {
          const change = `from ${formatStoreStock(store ?? [])} to ${formatTarget(target ?? {})}`;
          return `By the new rules SKU '${sku}' will go ${change} (part ${part})`;
        }),
      ];
    },
  };

  function keepLargest(): void {
    const size = ({ change }: { change: bigint }) => (change < 0n ? -change : change);
    largest.sort((a, b) => (size(a) < size(b) ? 1 : size(a) > size(b) ? -1 : 0));
    largest.splice(NAMED);
  }
}

function shown({ store }: Finding): bigint {
  return total((store ?? []).map(({ quantity }) => quantity.toFixed(5)));
}

function total(quantities: readonly string[]): bigint {
  return quantities.reduce((sum, quantity) => sum + parseQuantity(quantity), 0n);
}
