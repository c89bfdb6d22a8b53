import { formatSkuField, skuParameters, skusOf, type SkuFields, type SkuRules } from './sku';
import {
  createStockCounter,
  type QuantityRules,
  type StockedPart,
  type StockForSale,
  type StockSetup,
  type WrongParameter,
} from './stock-for-sale';

/** Which parts are sold online. */
export interface PartRules {
  which: 'all' | 'active' | 'salable';
  /** Ids of categories, whose sub-categories are included; undefined: every category. */
  categories: readonly number[] | undefined;
  /** Only parts with this value of this parameter; undefined: every part. */
  parameter: { template: string; value: string } | undefined;
}

/** All rules by which a shop's parts become SKUs with quantities. */
export interface ShopRules {
  parts: PartRules;
  sku: SkuRules;
  /** What happens where several parts count for one SKU. */
  sharedSku: 'error' | 'sum';
  quantity: QuantityRules;
}

/** A part in InvenTree, as far as the rules need it. */
export interface RuledPart extends SkuFields, StockedPart {
  active: boolean;
  salable: boolean;
  virtual: boolean;
  category: number | null;
}

/** The categories of PartRules, and those below them. */
export interface WantedCategories {
  wanted: ReadonlySet<number>;
  /** Every category that existed when this was read, as far as it is known. */
  known: ReadonlySet<number>;
}

/** What InvenTree knows beside its parts; undefined where no rule needs it. */
export interface ShopSetup extends StockSetup {
  categories: WantedCategories | undefined;
}

/** What the store is to show for a part. */
export type Offer =
  | { kind: 'offered'; skus: readonly string[]; stock: StockForSale }
  /** The part is not sold online, for a reason that completes "the part ...". */
  | { kind: 'excluded' | 'no SKU'; reason: string }
  | { kind: 'wrong parameter'; skus: readonly string[]; wrong: WrongParameter };

/** Applies the rules of a shop to parts. */
export interface Offers {
  of(part: RuledPart): Offer;
  /** Whether the part names a location or a category that the setup does not have: one that was created since. */
  isAhead(part: RuledPart): boolean;
}

/** The names of all part parameters that the rules need. */
export function neededParameters({ parts, sku, quantity }: ShopRules): string[] {
  const names = [...skuParameters(sku), parts.parameter?.template];
  names.push(quantity.safetyStockParameter, quantity.packSizeParameter);
  return [...new Set(names.filter(name => name !== undefined))];
}

/** Applies these rules, with InvenTree set up like this. */
export function createOffers(rules: ShopRules, setup: ShopSetup): Offers {
  const stock = createStockCounter(rules.quantity, setup);

  return {
    of(part) {
      const reason = reasonAgainst(part, rules.parts, setup.categories);
      if (reason !== undefined) return { kind: 'excluded', reason };
      const skus = skusOf(part, rules.sku);
      if (skus.length === 0) {
        return { kind: 'no SKU', reason: `has no ${formatSkuField(rules.sku.field)} that could be a SKU` };
      }
      const counted = stock.count(part);
      if ('parameter' in counted) return { kind: 'wrong parameter', skus, wrong: counted };
      return { kind: 'offered', skus, stock: counted };
    },

    isAhead(part) {
      const { categories } = setup;
      const isNewCategory = part.category !== null && categories !== undefined && !categories.known.has(part.category);
      return isNewCategory || stock.hasUnknownLocation(part);
    },
  };
}

function reasonAgainst(
  part: RuledPart,
  { which, categories, parameter }: PartRules,
  setup: WantedCategories | undefined,
): string | undefined {
  if (part.virtual) return 'is virtual, so it holds no stock in InvenTree';
  if (which === 'active' && !part.active) return 'is inactive (SYNC_PARTS=active)';
  if (which === 'salable' && !part.salable) return 'is not salable (SYNC_PARTS=salable)';
  if (categories && (part.category === null || !setup?.wanted.has(part.category))) {
    return `is in none of the categories ${categories.join(', ')} (SYNC_CATEGORIES)`;
  }
  if (parameter && !isSameText(part.parameters[parameter.template], parameter.value)) {
    const value = part.parameters[parameter.template];
    const has = value === undefined ? 'has no' : `has '${value}' as`;
    return `${has} parameter '${parameter.template}' (SYNC_PARAMETER)`;
  }
  return undefined;
}

/** People write "Yes" and "yes"; InvenTree's checkboxes write "True" and "true". */
function isSameText(a: string | undefined, b: string): boolean {
  return a !== undefined && a.trim().toLowerCase() === b.trim().toLowerCase();
}
