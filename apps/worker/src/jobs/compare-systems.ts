import {
  chunk,
  compareSides,
  fallsToZero,
  FINDING_KINDS,
  formatStoreStock,
  isMassZero,
  isSameSku,
  needsProduct,
  partsThatCount,
  sameQuantities,
  showsStock,
  sumOfTargets,
  targetQuantities,
  withUnbooked,
  type BothSides,
  type Finding,
  type FindingKind,
  type StoreStock,
  type TargetQuantities,
  type TargetStock,
} from '@stock-sync/domain';
import { CallError } from '@stock-sync/http-client';
import { PLUGIN_BATCH, type PartStock } from '@stock-sync/inventree-client';
import {
  hadSku,
  skusIn,
  skuStateIn,
  type JobQueues,
  type Parts,
  type PartState,
  type ReconcileReport,
} from '@stock-sync/state';
import type { Breaker } from '../breaker/breaker';
import type { ProductLookups } from '../calls/product-lookups';
import type { StoreReads } from '../calls/store-reads';
import type { Connections } from '../connections';
import { createGoneParts } from './gone-parts';
import type { OnPartGone } from './leave-sku';
import type { OrderStock } from './order-changes';
import { ROUTINE_EVENTS } from './routine-events';
import { MAX_ENQUEUED } from './sweep';

export interface CompareSystemsDeps {
  connections: Connections;
  breaker: Breaker;
  storeReads: StoreReads;
  productLookups: ProductLookups;
  parts: Parts;
  queues: JobQueues;
  /** Whether the store is written, rather than only compared. */
  writes: boolean;
  /** RECONCILE_MAX_ZEROED_PERCENT. */
  maxZeroedPercent: number;
  onPartGone: OnPartGone;
  /** Undefined where orders are off. */
  orders: Pick<OrderStock, 'unbooked'> | undefined;
  /** The clock of Redis. */
  now: () => number;
}

export interface CompareOptions {
  /** Why it runs. */
  event: string;
  /** Whether differences are only reported, and not queued for sync. */
  dryRun: boolean;
  /** Whether the mass-zero guard is off. */
  force: boolean;
  /** Whether parts that were given up or left are tried once more. */
  retriesFailed: boolean;
  /** Called with the number of parts that were compared so far. */
  onProgress: (parts: number) => void;
  /** Called with everything that is not equal. */
  onFinding: (finding: Finding) => void;
}

/** A SKU of a part, and what its own stock comes to. */
interface Compared {
  part: number;
  sku: string;
  before: PartState | undefined;
  target: TargetStock;
}

/**
 * Compares all parts of InvenTree with what Magento shows, and enqueues the parts that differ; it writes nothing
 * itself. Rejects with a WaitError or a CallError where a system cannot be read.
 */
export async function compareSystems(deps: CompareSystemsDeps, options: CompareOptions): Promise<ReconcileReport> {
  const { connections, breaker, storeReads, parts, queues } = deps;
  const { offerRules } = connections;
  const startedAt = deps.now();
  // Before InvenTree is read in vain.
  breaker.require('magento-read');
  const api = await connections.stockApi.get();
  const offers = await offerRules.offers(Date.now());
  const counts = Object.fromEntries(FINDING_KINDS.map(kind => [kind, 0])) as Record<FindingKind, number>;
  const falling: number[] = [];
  const wrong: number[] = [];
  const [goneShowing, goneQuietly]: [number[], number[]] = [[], []];
  /** Parts that are there, and no longer have a SKU or are no longer for sale. */
  const leaving: { part: number; sku: string }[] = [];
  const gone = createGoneParts(parts);
  let [count, showing, enqueued, left] = [0, 0, 0, 0];

  for await (const page of connections.inventree.walkStock(offerRules.wanted)) {
    for (const some of chunk(page.parts, PLUGIN_BATCH)) {
      await compareParts(some);
      count += some.length;
      options.onProgress(count);
    }
  }
  const goneParts = [...(await gone.find()), ...leaving];
  const stillShowing = await storeReads.showing(goneParts.map(({ sku }) => sku));
  showing += stillShowing.size;
  for (const { part, sku } of goneParts) {
    (deps.onPartGone === 'zero' && stillShowing.has(sku) ? goneShowing : goneQuietly).push(part);
  }
  for (const { part, sku } of leaving.filter(one => stillShowing.has(one.sku))) {
    counts['not for sale any more']++;
    const target = targetQuantities(offerRules.nothing);
    options.onFinding({ kind: 'not for sale any more', part, sku, store: undefined, target });
  }
  const isHeldBack = !options.force && isMassZero(falling.length + goneShowing.length, showing, deps.maxZeroedPercent);
  if (!isHeldBack) await enqueue(falling);
  if (!isHeldBack) await enqueue(goneShowing, ROUTINE_EVENTS.leftSku);
  await enqueue(goneQuietly, ROUTINE_EVENTS.leftSku);
  // Last: by now Redis knows which parts have which SKU.
  if (api.kind === 'source-items')
    for await (const rows of connections.magento.walkSourceItems()) await findUnknown(rows);

  const heldBack = isHeldBack ? falling.length + goneShowing.length : 0;
  return { event: options.event, startedAt, at: deps.now(), counts, parts: count, showing, enqueued, left, heldBack };

  async function compareParts(some: readonly PartStock[]): Promise<void> {
    const ids = some.map(({ pk }) => pk);
    const remembered = await parts.get(ids);
    gone.saw(ids, remembered);
    const withSku: Compared[] = [];
    for (const [index, part] of some.entries()) {
      // A category or a location that was created meanwhile: the next run knows it.
      if (offers.isAhead(part)) continue;
      const offer = offers.of(part);
      const before = remembered[index];
      const skusNow = 'skus' in offer ? offer.skus : [];
      const left = skusIn(before).find(sku => !skusNow.some(now => isSameSku(sku, now)));
      if (left !== undefined) leaving.push({ part: part.pk, sku: left });
      if (offer.kind === 'wrong parameter') reportWrongParameter(part.pk, offer.skus, before);
      if (offer.kind !== 'offered') continue;
      const { target } = offer.stock;
      withSku.push(...offer.skus.map(sku => ({ part: part.pk, sku, before, target })));
    }
    const skus = withSku.map(({ sku }) => sku);
    const unbooked = await deps.orders?.unbooked();
    await parts.addSkus(withSku.filter(({ sku, before }) => !hadSku(before, sku)));
    const [partsOfSkus, stores] = await Promise.all([parts.withSkus(skus), storeReads.readAll(skus)]);

    const counting = await partsThatCountOf(partsOfSkus);
    const compared = withSku.flatMap((one, index) => {
      const store = stores[index] ?? [];
      const { ids, sum } = counting[index] ?? { ids: [], sum: undefined };
      const isSummed = sum !== undefined && offerRules.rules.sharedSku === 'sum';
      // An earlier revision, whose SKU another part has, or a part whose stock another one's job adds to its own.
      if (ids.length > 0 && (isSummed ? ids[0] !== one.part : !ids.includes(one.part))) return [];
      const target = withUnbooked(isSummed ? sum : one.target, unbooked?.of(one.sku) ?? {});
      const sides: BothSides | undefined =
        store instanceof CallError ? undefined : { target, store, parts: isSummed ? [one.part] : ids };
      return [{ ...one, target, sides }];
    });
    const productTypes = await productTypesOf(compared);

    const differing: number[] = [];
    for (const { part, sku, before, target, sides } of compared) {
      const productType = productTypes.get(sku);
      if (sides && showsStock(sides.store)) showing++;
      const kind = sides && !(productType instanceof CallError) ? compareSides(sides, productType) : 'unreadable';
      counts[kind]++;
      if (kind === 'equal') continue;
      const quantities = targetQuantities(target);
      options.onFinding({ kind, part, sku, store: sides?.store, target: quantities });
      if (!mayHelp(kind, before, sku, quantities, sides?.store)) continue;
      if (before && skuStateIn(before, sku)?.outcome === 'left')
        await parts.set(part, withoutDifferences(before), before);
      if (kind === 'drifted' && sides && fallsToZero(sides)) falling.push(part);
      else differing.push(part);
    }
    await enqueue([...new Set([...differing, ...wrong.splice(0)])]);
  }

  /** A dead letter says what is wrong; it is made once. */
  function reportWrongParameter(part: number, skus: readonly string[], before: PartState | undefined): void {
    for (const sku of skus) {
      counts['wrong parameter']++;
      options.onFinding({ kind: 'wrong parameter', part, sku, store: undefined, target: undefined });
    }
    if (before?.outcome !== 'failed' || before.target !== undefined || options.retriesFailed) wrong.push(part);
  }

  /** For each list of parts with one SKU, those whose stock counts, and its sum. Only shared SKUs cost a call. */
  async function partsThatCountOf(
    lists: readonly (readonly number[])[],
  ): Promise<{ ids: readonly number[]; sum: TargetStock | undefined }[]> {
    const shared = lists.filter(list => list.length > 1).flat();
    if (shared.length === 0) return lists.map(ids => ({ ids, sum: undefined }));
    const found = await connections.inventree.readParts(shared, offerRules.wanted);
    return lists.map(list => {
      if (list.length < 2) return { ids: list, sum: undefined };
      const offered = list.flatMap(id => {
        const part = found.get(id);
        const offer = part && offers.of(part);
        return part && offer?.kind === 'offered' ? [{ ...part, target: offer.stock.target }] : [];
      });
      const counting = partsThatCount(offered);
      return { ids: counting.map(({ pk }) => pk), sum: sumOfTargets(counting.map(({ target }) => target)) };
    });
  }

  /**
   * The product types of the SKUs that differ. A product that was created since has a row of stock, which reveals it.
   */
  async function productTypesOf(
    compared: readonly { sku: string; sides: BothSides | undefined }[],
  ): Promise<ReadonlyMap<string, string | CallError | undefined>> {
    const asked = compared.flatMap(({ sku, sides }) => (sides && needsProduct(sides) ? [{ sku, sides }] : []));
    const found = await deps.productLookups.findAll(
      asked.map(({ sku, sides }) => ({ sku, trust: sides.store.length === 0 ? 'presence and absence' : 'presence' })),
    );
    return new Map(
      asked.map(({ sku }, index) => {
        const product = found[index];
        return [sku, product instanceof CallError ? product : product?.typeId];
      }),
    );
  }

  /** Whether a sync may change something: one that ended so, with both sides as they are, is not repeated for ever. */
  function mayHelp(
    kind: FindingKind,
    before: PartState | undefined,
    sku: string,
    target: TargetQuantities,
    store: readonly StoreStock[] = [],
  ): boolean {
    const known = skuStateIn(before, sku);
    if (!known || !sameQuantities(before?.target, target)) return true;
    const { outcome, difference } = known;
    if (options.retriesFailed && (outcome === 'failed' || outcome === 'left')) return true;
    if (kind === 'ambiguous' || kind === 'unreadable') return outcome !== 'failed';
    if (kind !== 'drifted') return outcome !== 'skipped';
    if (outcome === 'dry run') return deps.writes;
    const isGivenUp = outcome === 'failed' || outcome === 'left';
    return !isGivenUp || difference?.shows !== formatStoreStock(store);
  }

  /** SKUs in the store that no part has. */
  async function findUnknown(rows: readonly { sku: string; quantity: number }[]): Promise<void> {
    const partsOfSkus = await parts.withSkus(rows.map(({ sku }) => sku));
    for (const [index, { sku, quantity }] of rows.entries()) {
      if (partsOfSkus[index]?.some(gone.isPresent)) continue;
      counts['missing in InvenTree']++;
      const store = [{ sourceCode: 'default', quantity, inStock: quantity > 0 }];
      options.onFinding({ kind: 'missing in InvenTree', part: null, sku, store, target: undefined });
    }
  }

  async function enqueue(differing: readonly number[], event: string = ROUTINE_EVENTS.reconcile): Promise<void> {
    if (options.dryRun) return;
    const now = differing.slice(0, Math.max(0, MAX_ENQUEUED - enqueued));
    left += differing.length - now.length;
    for (const some of chunk(now, PLUGIN_BATCH)) {
      await queues.enqueue(some.map(part => ({ kind: 'part', part, event })));
      enqueued += some.length;
    }
  }
}

/** What was written for ever the same may be tried once more. */
function withoutDifferences(state: PartState): PartState {
  const others = state.others?.map(other => ({ ...other, difference: undefined }));
  return { ...state, difference: undefined, others };
}
