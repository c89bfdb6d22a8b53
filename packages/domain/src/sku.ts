/** The field of a part that holds its SKU: its name, its IPN, or one of its parameters. */
export type SkuField = { kind: 'name' } | { kind: 'IPN' } | { kind: 'parameter'; template: string };

/** The name of the parameter that holds the SKU; undefined where another field does. */
export function skuParameter(field: SkuField): string | undefined {
  return field.kind === 'parameter' ? field.template : undefined;
}

/** The field for people: "name", "IPN", "parameter 'Web SKU'". */
export function formatSkuField(field: SkuField): string {
  return field.kind === 'parameter' ? `parameter '${field.template}'` : field.kind;
}

/** The fields of a part that can hold its SKU. */
export interface SkuFields {
  name: string;
  IPN: string;
  /** The value of the parameter that SKU_FIELD names; null where the part has none or none was requested. */
  parameter: string | null;
}

/** Magento stores no longer SKU. */
const MAX_SKU_LENGTH = 64;

/** The SKU of a part as InvenTree spells it; undefined where the part has none that a store could have. */
export function skuOf(part: SkuFields, field: SkuField): string | undefined {
  const text = field.kind === 'name' ? part.name : field.kind === 'IPN' ? part.IPN : part.parameter;
  const sku = (text ?? '').trim();
  return sku === '' || sku.length > MAX_SKU_LENGTH ? undefined : sku;
}

/**
 * Of all parts with one SKU, those whose stock counts: the only active one where there is exactly one (the others are
 * its earlier revisions), otherwise all of them, and then only the shop can say which one is right.
 */
export function partsThatCount(parts: readonly { pk: number; active: boolean }[]): number[] {
  const active = parts.filter(part => part.active);
  return (active.length === 1 ? active : parts).map(({ pk }) => pk);
}

/**
 * Two SKUs are the same for Magento exactly if their keys are equal: it compares without case and trailing spaces
 * (docs/facts/magento.md, "SKUs"). Character by character, because the lower case of a Greek sigma would
 * otherwise depend on its place in the word.
 */
export function skuKey(sku: string): string {
  return Array.from(sku.replace(/ +$/, ''), character => character.toLowerCase()).join('');
}

/** Whether two SKUs are the same for Magento. */
export function isSameSku(a: string, b: string): boolean {
  return skuKey(a) === skuKey(b);
}
