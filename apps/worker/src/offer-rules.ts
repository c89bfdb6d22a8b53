import {
  createOffers,
  DEFAULT_SOURCE,
  neededParameters,
  statusKeys,
  type Locations,
  type Offer,
  type Offers,
  type ShopRules,
  type ShopSetup,
  type StockStatuses,
  type TargetStock,
} from '@stock-sync/domain';
import { CallError } from '@stock-sync/http-client';
import type { InvenTreeClient, PartStock, Wanted } from '@stock-sync/inventree-client';
import type { LocationsVersion } from '@stock-sync/state';

/** How long InvenTree's locations, statuses and categories are used, in milliseconds. */
const USED_MS = 30_000;

/** The rules of this shop, with what InvenTree knows beside its parts. */
export interface OfferRules {
  rules: ShopRules;
  /** What must be read of each part. */
  wanted: Wanted;
  /** Zero at each source. */
  nothing: TargetStock;
  /** By a setup that was read at this time or later (milliseconds since 1970). */
  offers(notBefore?: number): Promise<Offers>;
  /** What the store is to show for a part that was read just now. */
  offerOf(part: PartStock): Promise<Offer>;
}

/** Reads locations, statuses and categories as far as the rules need them, from time to time and when they changed. */
export function createOfferRules(deps: {
  inventree: Pick<InvenTreeClient, 'locations' | 'statuses' | 'categoriesBelow'>;
  version: LocationsVersion;
  rules: ShopRules;
}): OfferRules {
  const { inventree, version, rules } = deps;
  const { quantity, parts } = rules;
  const needsLocations = quantity.sourceMap !== undefined || quantity.excluded.length > 0 || !quantity.countExternal;
  const needsSetup = needsLocations || quantity.countStatuses !== undefined || parts.categories !== undefined;
  const withoutSetup = needsSetup ? undefined : createOffers(rules, NO_SETUP);
  let last: { offers: Promise<Offers>; version: number; readAt: number } | undefined;

  async function readSetup(): Promise<ShopSetup> {
    const [locations, statuses, categories] = await Promise.all([
      needsLocations ? inventree.locations() : undefined,
      quantity.countStatuses ? inventree.statuses() : undefined,
      parts.categories ? inventree.categoriesBelow(parts.categories) : undefined,
    ]);
    if (locations) requireLocations(rules, locations);
    if (statuses) requireStatuses(quantity.countStatuses ?? [], statuses);
    return { locations, statuses, categories };
  }

  async function offers(notBefore = 0): Promise<Offers> {
    if (withoutSetup) return withoutSetup;
    const current = await version.get();
    const now = Date.now();
    if (last?.version !== current || last.readAt < Math.max(notBefore, now - USED_MS)) {
      const read = readSetup().then(setup => createOffers(rules, setup));
      last = { offers: read, version: current, readAt: now };
      read.catch(() => (last = undefined));
    }
    return last.offers;
  }

  return {
    rules,
    wanted: {
      parameters: neededParameters(rules),
      details: needsDetails(rules),
      buildable: quantity.countBuildable,
      variants: quantity.templateTotal,
    },
    nothing: Object.keys(quantity.sourceMap ?? { [DEFAULT_SOURCE]: [] }).map(sourceCode => ({
      sourceCode,
      quantity: 0n,
    })),
    offers,
    async offerOf(part) {
      const known = await offers();
      return (known.isAhead(part) ? await offers(Date.now()) : known).of(part);
    },
  };
}

const NO_SETUP: ShopSetup = { locations: undefined, statuses: undefined, categories: undefined };

function needsDetails({ parts, sku, quantity }: ShopRules): boolean {
  const usesRevision = sku.field.kind === 'template' && sku.field.text.includes('{revision}');
  return (
    usesRevision || parts.categories !== undefined || quantity.countStatuses !== undefined || !quantity.countExpired
  );
}

/** An unknown location would count as empty, and take every part of its source to zero. */
function requireLocations({ quantity }: ShopRules, locations: Locations): void {
  const named = Object.entries(quantity.sourceMap ?? {}).flatMap(([source, ids]) =>
    ids.map(id => ({ id, where: `SOURCE_MAP (source ${source})` })),
  );
  named.push(...quantity.excluded.map(id => ({ id, where: 'EXCLUDE_LOCATIONS' })));
  const unknown = named.filter(({ id }) => !locations.has(id)).map(({ id, where }) => `${id} in ${where}`);
  if (unknown.length === 0) return;
  throw wrongSetting(`InvenTree does not have these locations: ${unknown.join(', ')}. Fix the settings`);
}

/** Of the statuses that InvenTree always has, those that it does not count as in stock (docs/facts/inventree.md, 5). */
const NEVER_IN_STOCK = [60, 65, 70, 75];

function requireStatuses(names: readonly string[], statuses: StockStatuses): void {
  const labels = [...statuses].filter(([key]) => !NEVER_IN_STOCK.includes(key)).map(([, { label }]) => label);
  for (const name of names) {
    const keys = statusKeys([name], statuses);
    if (keys.length === 0 || keys.every(key => NEVER_IN_STOCK.includes(key))) {
      throw wrongSetting(
        `COUNT_STATUSES: expected some of ${labels.join(', ')}, which InvenTree counts as in stock, got '${name}'`,
      );
    }
  }
}

/** All work waits, because every part is concerned. */
function wrongSetting(message: string): CallError {
  return new CallError('InvenTree', 'credentials', message);
}
