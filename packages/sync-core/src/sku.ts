/** Where a part's SKU stands: its name, its IPN, or a parameter of it. */
export type SkuField = { kind: 'name' } | { kind: 'IPN' } | { kind: 'parameter'; template: string };

/** The name of the parameter that holds the SKU; undefined where it stands elsewhere. */
export function parameterOf(field: SkuField): string | undefined {
  return field.kind === 'parameter' ? field.template : undefined;
}

/** The part's fields that can hold a SKU. */
export interface SkuBearer {
  name: string;
  IPN: string;
  /** The value of the parameter that SKU_FIELD names; null where the part has none or none was asked for. */
  parameter: string | null;
}

/** Magento stores no longer SKU. */
const LONGEST_SKU = 64;

/** The part's SKU as it stands in InvenTree; undefined where the part has none that a store could have. */
export function skuOf(part: SkuBearer, field: SkuField): string | undefined {
  const text = field.kind === 'name' ? part.name : field.kind === 'IPN' ? part.IPN : part.parameter;
  const sku = (text ?? '').trim();
  return sku === '' || sku.length > LONGEST_SKU ? undefined : sku;
}

/**
 * Two SKUs are one for Magento exactly if their keys are equal: it matches them without regard to case and trailing
 * spaces [recordings product-sku-case, product-sku-trailing-space]. Letter by letter, because the lower case of a
 * Greek sigma would otherwise depend on its place in the word.
 */
export function skuKey(sku: string): string {
  return Array.from(sku.replace(/ +$/, ''), letter => letter.toLowerCase()).join('');
}
