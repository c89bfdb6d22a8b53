import { randomUUID } from 'node:crypto';
import { isSameSku } from '@stock-sync/domain';
import { CallError, isHiccup } from '@stock-sync/http-client';
import type { StockApi } from '@stock-sync/magento-client';
import type { BreakerName, CanarySkus, Fencing } from '@stock-sync/state';
import { createBatchLoader, limitCalls, type BatchLoader } from '../calls/batch-loader';
import type { Connections } from '../connections';
import type { ResyncLater } from '../jobs/resync';

const LOCK_MS = 10_000;
/** SKUs that one probe of writes tries at most. */
const MAX_CANARIES = 3;

/** The error that a probe failed with; undefined where it passed. */
export type ProbeResult = CallError | undefined;

/** The health probes: whether a system works for calls that depend on no item. */
export interface Probes {
  /** Probes now. `failedSkus`: a SKU whose call has just failed proves nothing in a probe of writes. */
  run(name: BreakerName, failedSkus?: readonly string[]): Promise<ProbeResult>;
  /** The same, but failures during a probe share the next one: the one under way may have asked before they failed. */
  runShared(name: BreakerName, failedSkus: readonly string[]): Promise<ProbeResult>;
}

/** Creates the probes. */
export function createProbes(deps: {
  connections: Connections;
  canarySkus: CanarySkus;
  fencing: Fencing;
  resyncLater: ResyncLater;
}): Probes {
  const { connections, canarySkus, fencing } = deps;
  const { inventree, magento, stockApi } = connections;
  const shared: Record<BreakerName, BatchLoader<readonly string[], { result: ProbeResult }>> = {
    'inventree-read': sharedProbe('inventree-read'),
    'magento-read': sharedProbe('magento-read'),
    'magento-write': sharedProbe('magento-write'),
  };

  const probes: Record<BreakerName, (failedSkus: readonly string[]) => Promise<void>> = {
    'inventree-read': async () => {
      await inventree.probe(connections.offerRules.wanted.parameters);
      // Also finds what the settings name and InvenTree does not have.
      await connections.offerRules.offers(Date.now());
    },
    'magento-read': async () => magento.probeReads((await stockApi.get()).kind),
    'magento-write': probeWrites,
  };

  async function run(name: BreakerName, failedSkus: readonly string[] = []): Promise<ProbeResult> {
    try {
      await probes[name](failedSkus);
      return undefined;
    } catch (error) {
      if (error instanceof CallError) return error;
      throw error;
    }
  }

  /** One at a time: failures during a probe wait for the next one, and share it. */
  function sharedProbe(name: BreakerName): BatchLoader<readonly string[], { result: ProbeResult }> {
    return createBatchLoader({
      limit: limitCalls(1),
      run: async failedSkus => {
        const result = await run(name, failedSkus.flat());
        return failedSkus.map(() => ({ result }));
      },
    });
  }

  /**
   * Writes the current stock of a SKU that was written before. That one SKU is refused proves nothing about the others,
   * so the probe fails only if two are, the failed one included; otherwise an empty write decides.
   */
  async function probeWrites(failedSkus: readonly string[]): Promise<void> {
    const api = await stockApi.get();
    const failures: { sku: string; error: CallError }[] = [];
    for (const sku of await candidates(api, failedSkus)) {
      const result = await rewrite(api, sku);
      if (result === 'written') {
        // One that is refused while others are not is no canary.
        await canarySkus.remove(failures.map(failure => failure.sku));
        return;
      }
      if (result !== 'not tried') failures.push({ sku, error: result });
    }
    const [first] = failures;
    if (first && failures.length + Math.min(1, failedSkus.length) > 1) throw first.error;
    if (api.kind === 'source-items') await magento.probeEmptyWrite();
  }

  async function candidates(api: StockApi, failedSkus: readonly string[]): Promise<string[]> {
    const stored = await canarySkus.get();
    const isUsable = (sku: string) => !failedSkus.some(failed => isSameSku(failed, sku));
    if (stored.some(isUsable) || api.kind !== 'source-items') return stored.filter(isUsable);
    // Nothing was written yet, or Redis was emptied: any SKU that the store has will do.
    const { items } = await magento.sourceItemsPage(1);
    return [...new Set(items.map(({ sku }) => sku))].filter(isUsable).slice(0, MAX_CANARIES);
  }

  async function rewrite(api: StockApi, sku: string): Promise<'written' | 'not tried' | CallError> {
    const owner = randomUUID();
    if (!(await fencing.lockSku(sku, owner, LOCK_MS))) return 'not tried';
    const renewal = setInterval(() => {
      fencing.extendLocks([{ part: 0, sku, token: '' }], owner, LOCK_MS).catch(() => undefined);
    }, LOCK_MS / 3);
    try {
      const [stock] = await api.read([sku]);
      if (!stock || stock.length === 0) return 'not tried';
      // Before the write: this worker may be killed during it, and the store may carry it out after a newer one.
      await deps.resyncLater.skus([sku], 'health probe of writes');
      const write = () => api.write([{ sku, stock: stock.slice(0, 1) }]);
      await write().catch((error: unknown) => {
        if (!isHiccup(error)) throw error;
        return write();
      });
      return 'written';
    } catch (error) {
      if (error instanceof CallError) return error;
      throw error;
    } finally {
      clearInterval(renewal);
      await fencing.unlockSku(sku, owner);
    }
  }

  return {
    run,
    runShared: async (name, failedSkus) => (await shared[name].load(failedSkus)).result,
  };
}
