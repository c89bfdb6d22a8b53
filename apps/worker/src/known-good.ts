import { randomUUID } from 'node:crypto';
import { CallError, TryLaterError, WrongItemError } from '@stock-sync/http-client';
import type { StockAccess } from '@stock-sync/magento-client';
import type { GoodSkus, WriteGuard } from '@stock-sync/queue';
import { skuKey } from '@stock-sync/sync-core';
import { createReadsWork } from '@stock-sync/systems';

/** How long a store that took a write is believed to take others, in milliseconds. */
const BELIEVED_MS = 5_000;
const HOLD_MS = 10_000;

/**
 * Weighs the refusal of every SKU of a call: is it the SKUs, or does the store refuse everybody now? SKUs that the store took
 * before are tried again: what still works for them is not an outage.
 */
export interface KnownGood {
  /** The outage that the answers to these SKUs come to; undefined where it is not all of them that were refused, or they are to blame. */
  outageInstead(
    skus: readonly string[],
    answers: readonly unknown[],
    during: 'read' | 'write',
  ): Promise<CallError | undefined>;
  /** Whether the store works for any SKU that is known to be good; false where none is. */
  works(during: 'read' | 'write'): Promise<boolean>;
}

/** Evidence by the SKUs that are known to be good. */
export function createKnownGood(given: {
  access: () => Promise<StockAccess>;
  guard: WriteGuard;
  goodSkus: GoodSkus;
  /** Told of a SKU before it is written to see whether the store takes it: if no answer comes, the store may do it after a newer write. */
  onTry: (sku: string) => Promise<void>;
}): KnownGood {
  const { access, guard, goodSkus } = given;
  const readsWork = createReadsWork({ access, goodSkus });
  const provedAt = { read: 0, write: 0 };

  /** What the store answers to a SKU that is known to be good; undefined where it is as good as ever. */
  async function tried(sku: string, during: 'read' | 'write'): Promise<CallError | undefined | 'not tried'> {
    const stock = await access();
    if (during === 'read') {
      const [shown] = await stock.read([sku]);
      return shown instanceof WrongItemError ? shown : undefined;
    }
    const owner = randomUUID();
    if (!(await guard.hold(sku, owner, HOLD_MS))) return 'not tried';
    try {
      const [shown] = await stock.read([sku]);
      if (!shown || shown instanceof WrongItemError || shown.length === 0) return 'not tried';
      // Before, and not where no answer came: this worker may be killed meanwhile.
      await given.onTry(sku);
      // The very number that it shows: whether it takes a write, and nothing else, is the question.
      const [error] = await stock.write([{ sku, changes: shown.slice(0, 1) }]);
      return error;
    } finally {
      await guard.letGo(sku, owner);
    }
  }

  return {
    async works(during) {
      if (during === 'read') return readsWork();
      for (const sku of await goodSkus.some()) {
        if ((await tried(sku, during).catch((error: unknown) => error)) === undefined) return true;
      }
      return false;
    },
    async outageInstead(skus, answers, during) {
      const refusals = new Map<string, WrongItemError>();
      for (const [index, sku] of skus.entries()) {
        const answer = answers[index];
        if (!(answer instanceof WrongItemError)) return undefined;
        refusals.set(skuKey(sku), answer);
      }
      if (Date.now() < provedAt[during] + BELIEVED_MS) return undefined;
      const good = (await goodSkus.some()).filter(sku => !refusals.has(skuKey(sku)));
      let refused: WrongItemError | undefined;
      for (const sku of good) {
        const answer = await tried(sku, during).catch((error: unknown) => {
          if (error instanceof CallError) return error;
          throw error;
        });
        if (answer === undefined) {
          provedAt[during] = Date.now();
          return undefined;
        }
        if (answer === 'not tried') continue;
        if (!(answer instanceof WrongItemError)) return answer;
        refused = answer;
      }
      // Where nothing is known to be good, two that are refused alike are rather the store's fault than one is.
      const [first] = refusals.values();
      const cause = refused ?? (refusals.size > 1 ? first : undefined);
      return (
        cause &&
        new TryLaterError(cause.system, `${cause.message} (so does every SKU that was tried)`, {
          duringWrite: during === 'write',
          ...(cause.status !== undefined && { status: cause.status }),
          cause,
        })
      );
    },
  };
}
