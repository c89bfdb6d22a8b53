import { askedTogether, blamingItems, WrongItemError } from '@stock-sync/http-client';
import type { InvenTreeClient, PartStock } from '@stock-sync/inventree-client';
import type { MagentoClient, StockAccess } from '@stock-sync/magento-client';
import { bears, type KnownPart, type KnownParts, type LastReconcile, type SyncQueue } from '@stock-sync/queue';
import {
  isBraked,
  parameterOf,
  shownInWords,
  skuOf,
  wantedInWords,
  wantedStock,
  type QuantityRules,
  type ShownStock,
  type SkuField,
  type WantedStock,
} from '@stock-sync/sync-core';
import { createKnownProducts, type ProductQuestion, type SourceLocationsSince } from '@stock-sync/systems';
import { asksForProduct, fallsToZero, KINDS, kindOf, showsStock, type Finding, type FindingKind } from './findings';
import { createGoneParts } from './gone-parts';

export interface Reconcile {
  inventree: InvenTreeClient;
  magento: MagentoClient;
  access: () => Promise<StockAccess>;
  /** Whether the store can be read for SKUs that are known to be good: then a read that fails is the fault of those that it asks for. */
  readsWork: () => Promise<boolean>;
  sourceLocations: SourceLocationsSince;
  knownParts: KnownParts;
  queue: SyncQueue;
  lastReconcile: LastReconcile;
  skuField: SkuField;
  rules: QuantityRules;
  /** Whether the store is written, rather than only looked at. */
  writes: boolean;
  /** RECONCILE_MAX_ZEROED_PERCENT. */
  mostZeroedPercent: number;
}

export interface ReconcileOptions {
  /** Why it is made. */
  event: string;
  /** Whether what differs is only told, and not looked at. */
  dryRun: boolean;
  /** Whether the brake is released. */
  force: boolean;
  /** Told of everything that is not equal, as it is found. */
  onFinding?: (finding: Finding) => void;
}

/** What both sides came to. */
export interface ReconcileReport {
  counts: Record<FindingKind, number>;
  /** Parts of InvenTree, with and without a SKU. */
  parts: number;
  /** SKUs that show stock in the store. */
  showing: number;
  enqueued: number;
  /** Parts that would fall to zero and are held back by the brake. */
  heldBack: number;
  seconds: number;
}

/** Parts that are compared at once: as many as a page of our plugin's. */
const PAGE = 1_000;
/** SKUs in one read of Magento, and such reads under way at once: beyond, nothing is won (facts, Cost). */
const READ = 100;
const READS_AT_ONCE = 2;
/** Findings that are kept to be shown. */
const KEPT_FINDINGS = 100;

/** Compares both sides, and enqueues the parts that differ; it writes nothing itself. Rejects with a CallError. */
export async function reconcile(given: Reconcile, options: ReconcileOptions): Promise<ReconcileReport> {
  const { inventree, magento, knownParts, queue, skuField, rules } = given;
  const startedAt = Date.now();
  const access = await given.access();
  const sources = await given.sourceLocations(startedAt);
  const findProducts = createKnownProducts({ magento, knownParts });
  const counts = Object.fromEntries(KINDS.map(kind => [kind, 0])) as Record<FindingKind, number>;
  const kept: Finding[] = [];
  const zeroed: number[] = [];
  const goneParts = createGoneParts(knownParts);
  let [parts, showing, enqueued] = [0, 0, 0];

  const parameter = parameterOf(skuField);
  for await (const page of inventree.walkStock(parameter)) {
    parts += page.parts.length;
    for (const some of chunks(page.parts, PAGE)) await compare(some);
  }
  const isHeldBack = !options.force && isBraked(zeroed.length, showing, given.mostZeroedPercent);
  if (!isHeldBack) for (const some of chunks(zeroed, PAGE)) await enqueue(some);
  for (const some of chunks(await goneParts.found(), PAGE)) await enqueue(some);
  // Magento's side last: by now Redis knows who bears which SKU.
  if (access.stockApi === 'source-items') for await (const rows of magento.walkSourceItems()) await findStrangers(rows);

  const heldBack = isHeldBack ? zeroed.length : 0;
  const at = Date.now();
  await given.lastReconcile.set({ startedAt, at, event: options.event, counts, findings: kept, heldBack });
  return { counts, parts, showing, enqueued, heldBack, seconds: (at - startedAt) / 1000 };

  async function compare(some: readonly PartStock[]): Promise<void> {
    const ids = some.map(({ pk }) => pk);
    const remembered = await knownParts.parts(ids);
    goneParts.cameBy(ids, remembered);
    const borne = some.flatMap((part, index) => {
      const sku = part.virtual ? undefined : skuOf(part, skuField);
      if (sku === undefined) return [];
      return [{ part: part.pk, sku, known: remembered[index], wanted: wantedStock(part.stock, rules, sources) }];
    });
    const skus = borne.map(({ sku }) => sku);
    await knownParts.addBearers(borne.filter(({ sku, known }) => !bears(known, sku)));
    const [bearers, shown] = await Promise.all([knownParts.bearersOf(skus), readShown(skus)]);

    const compared = borne.map((one, index) => ({
      ...one,
      bearers: bearers[index] ?? [],
      shown: shown[index] ?? [],
    }));
    const readable = compared.filter(
      (one): one is typeof one & { shown: ShownStock[] } => !(one.shown instanceof Error),
    );
    const asked = readable.filter(asksForProduct);
    // A product that the shop created since has a row of stock, which shows it.
    const products = await findAll(
      asked.map(({ sku, shown }) => ({ sku, trust: shown.length === 0 ? 'presence and absence' : 'presence' })),
    );
    const productOf = new Map(asked.map(({ part }, index) => [part, products[index]]));

    const differing: number[] = [];
    for (const one of compared) {
      if (one.shown instanceof Error) {
        found({ kind: 'unreadable', part: one.part, sku: one.sku, shows: '', wanted: wantedInWords(one.wanted) });
        if (isWorthALook('unreadable', one.known, one.wanted)) differing.push(one.part);
        continue;
      }
      const sides = { wanted: one.wanted, shown: one.shown, bearers: one.bearers };
      if (showsStock(one.shown)) showing++;
      const product = productOf.get(one.part);
      const kind = product instanceof WrongItemError ? 'unreadable' : kindOf(sides, product);
      if (kind === 'equal') {
        counts.equal++;
        continue;
      }
      found({ kind, part: one.part, sku: one.sku, shows: shownInWords(one.shown), wanted: wantedInWords(one.wanted) });
      if (!isWorthALook(kind, one.known, one.wanted)) continue;
      (kind === 'drifted' && fallsToZero(sides) ? zeroed : differing).push(one.part);
    }
    await enqueue(differing);
  }

  /** What a look would change nothing about is not looked at again and again. */
  function isWorthALook(kind: FindingKind, known: KnownPart | undefined, wanted: readonly WantedStock[]): boolean {
    const isSeen = known?.seen === wantedInWords(wanted);
    if (kind === 'drifted') return given.writes || !(isSeen && known.outcome === 'dry run');
    if (kind === 'ambiguous' || kind === 'unreadable') return !(isSeen && known.outcome === 'failed');
    return !(isSeen && known.outcome === 'skipped');
  }

  async function readShown(skus: readonly string[]): Promise<(ShownStock[] | WrongItemError)[]> {
    const answers: (ShownStock[] | WrongItemError)[] = [];
    for (const some of chunks(skus, READ * READS_AT_ONCE)) {
      const reads = chunks(some, READ).map(part =>
        askedTogether(part, few => blamingItems(access.read(few), given.readsWork)),
      );
      answers.push(...(await Promise.all(reads)).flat());
    }
    return answers;
  }

  async function findAll(questions: readonly ProductQuestion[]) {
    const found = [];
    for (const some of chunks(questions, READ)) {
      found.push(...(await askedTogether(some, few => blamingItems(findProducts(few), given.readsWork))));
    }
    return found;
  }

  async function findStrangers(rows: readonly { sku: string; quantity: number }[]): Promise<void> {
    const bearers = await knownParts.bearersOf(rows.map(({ sku }) => sku));
    for (const [index, { sku, quantity }] of rows.entries()) {
      if (!bearers[index]?.some(goneParts.isThere)) {
        found({ kind: 'missing in InvenTree', part: null, sku, shows: String(quantity), wanted: '' });
      }
    }
  }

  function found(finding: Finding): void {
    counts[finding.kind]++;
    if (kept.length < KEPT_FINDINGS) kept.push(finding);
    options.onFinding?.(finding);
  }

  async function enqueue(differing: readonly number[]): Promise<void> {
    if (options.dryRun || differing.length === 0) return;
    const acceptedAt = Date.now();
    await queue.enqueue(differing.map(part => ({ kind: 'part', part, event: RECONCILE, acceptedAt })));
    enqueued += differing.length;
  }
}

/** What the jobs that a reconcile enqueues are asked by. */
export const RECONCILE = 'reconcile';

function chunks<T>(all: readonly T[], size: number): T[][] {
  return Array.from({ length: Math.ceil(all.length / size) }, (_, n) => all.slice(n * size, (n + 1) * size));
}
