/** Why parts are held back by the mass-zero guard, and the remedy. */
export function massZeroMessage(heldBack: number, showing: number, maxPercent: number): string {
  return (
    `${heldBack} of ${showing} SKUs that show stock would fall to zero at once, more than ` +
    `RECONCILE_MAX_ZEROED_PERCENT (${maxPercent}): none of them is written. Check INVENTREE_URL and SOURCE_MAP. ` +
    'If the shelves really are empty, run: stock-sync reconcile --force'
  );
}
