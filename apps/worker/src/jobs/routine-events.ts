/**
 * Events that concern many parts which are in sync, or not sold online: their outcomes are no news for the person on
 * call.
 */
export const ROUTINE_EVENTS = {
  sweep: 'sweep',
  reconcile: 'reconcile',
  /** A sweep or a reconcile found that a part was deleted or renamed, and the mass-zero guard let it pass. */
  leftSku: 'its part left the SKU',
  newProduct: 'new product in Magento',
} as const;
const ROUTINE: ReadonlySet<string> = new Set(Object.values(ROUTINE_EVENTS));

/** Whether the event is one of them. */
export function isRoutine(event: string): boolean {
  return ROUTINE.has(event);
}
