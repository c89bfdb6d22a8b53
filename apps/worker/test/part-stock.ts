import type { Location } from '@stock-sync/domain';
import type { PartStock } from '@stock-sync/inventree-client';
import { readSettings } from '@stock-sync/service';
import { createOfferRules, type OfferRules } from '../src/offer-rules';
import { ruleSettings, shopRulesFrom } from '../src/rule-settings';

/** An active part without stock, but for what is given. */
export const partStock = (more: Partial<PartStock> = {}): PartStock => ({
  pk: 45,
  name: 'A',
  IPN: '',
  revision: '',
  category: null,
  active: true,
  salable: true,
  virtual: false,
  isTemplate: false,
  variantOf: null,
  parameters: {},
  stock: [],
  stockItems: [],
  ...more,
});

/** Five units, at no location. */
export const FIVE_UNITS = [{ location: null, inStock: '5.00000', allocated: '0.00000' }];

/** The rules of a shop with these settings, whose InvenTree has these locations. */
export function offerRulesFor(
  environment: Record<string, string> = {},
  locations: () => Record<number, Location> = () => ({}),
  version = { get: () => Promise.resolve(0), increase: () => Promise.resolve() },
): OfferRules {
  return createOfferRules({
    inventree: {
      locations: () =>
        Promise.resolve(new Map(Object.entries(locations()).map(([id, location]) => [Number(id), location]))),
      statuses: () =>
        Promise.resolve(
          new Map([
            [10, { name: 'OK', label: 'OK' }],
            [70, { name: 'LOST', label: 'Lost' }],
          ]),
        ),
      categoriesBelow: ids => Promise.resolve({ wanted: new Set(ids), known: new Set(ids) }),
    },
    version,
    rules: shopRulesFrom(readSettings(environment, ruleSettings)),
  });
}
