import type { CallError, FailureKind } from '@stock-sync/http-client';
import type { BreakerName } from '@stock-sync/state';

/**
 * What a failed call means.
 * - `wait`: the system is at fault. The breaker opens, work waits, and no attempt counts.
 * - `item`: the item is at fault. A batch is split; a single item is tried again, and becomes a dead letter in the end.
 */
export type Verdict = 'wait' | 'item';

/**
 * The one rule: when a call fails, ask the health probe. If the probe fails too, the system is at fault, otherwise the
 * item. Only a system that asks us to wait needs no probe. docs/outages.md shows this table.
 */
export const VERDICTS: Readonly<Record<FailureKind, { probePasses: Verdict; probeFails: Verdict }>> = {
  'no-answer': { probePasses: 'item', probeFails: 'wait' },
  unavailable: { probePasses: 'item', probeFails: 'wait' },
  throttled: { probePasses: 'wait', probeFails: 'wait' },
  credentials: { probePasses: 'item', probeFails: 'wait' },
  refused: { probePasses: 'item', probeFails: 'wait' },
};

/** Whether the verdict depends on the probe. */
export function needsProbe(kind: FailureKind): boolean {
  return VERDICTS[kind].probePasses !== VERDICTS[kind].probeFails;
}

/** The breaker that a failed call concerns. */
export function breakerFor({ system, direction }: Pick<CallError, 'system' | 'direction'>): BreakerName {
  if (system === 'InvenTree') return 'inventree-read';
  return direction === 'write' ? 'magento-write' : 'magento-read';
}
