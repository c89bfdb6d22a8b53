/**
 * What holds the SKU of a part: its name, its IPN, one of its parameters, or a template of them such as
 * `{IPN}-{revision}`.
 */
export type SkuField =
  { kind: 'name' } | { kind: 'IPN' } | { kind: 'parameter'; template: string } | { kind: 'template'; text: string };

/** How SKUs are derived from parts. */
export interface SkuRules {
  field: SkuField;
  /** Separates several SKUs of one part in its field; undefined: a part has one SKU. */
  separator: string | undefined;
}

/** The fields of a part that can hold its SKU. */
export interface SkuFields {
  name: string;
  IPN: string;
  revision: string;
  /** The values of its parameters, as far as they were requested, by name. */
  parameters: Readonly<Record<string, string>>;
}

/** Magento stores no longer SKU. */
const MAX_SKU_LENGTH = 64;

const PLACEHOLDER = /\{([^{}]*)\}/g;

/** The parameters that hold the SKU or a part of it. */
export function skuParameters({ field }: SkuRules): string[] {
  if (field.kind === 'parameter') return [field.template];
  if (field.kind !== 'template') return [];
  const names = [...field.text.matchAll(PLACEHOLDER)].map(([, name = '']) => name);
  return names.filter(name => name.startsWith('parameter:')).map(name => name.slice('parameter:'.length));
}

/** What is wrong with a template of SKUs; undefined where nothing is. */
export function templateProblem(text: string): string | undefined {
  const names = [...text.matchAll(PLACEHOLDER)].map(([, name = '']) => name);
  if (names.length === 0) return 'expected at least one of {name}, {IPN}, {revision}, {parameter:<template name>}';
  const unknown = names.find(name => !['name', 'IPN', 'revision'].includes(name) && !/^parameter:./.test(name));
  return unknown === undefined
    ? undefined
    : `expected {name}, {IPN}, {revision} or {parameter:<template name>}, got {${unknown}}`;
}

/** The field for people: "name", "IPN", "parameter 'Web SKU'". */
export function formatSkuField(field: SkuField): string {
  if (field.kind === 'template') return `value for each field of ${field.text}`;
  return field.kind === 'parameter' ? `parameter '${field.template}'` : field.kind;
}

/** The SKUs of a part as InvenTree spells them; none where the part has none that a store could have. */
export function skusOf(part: SkuFields, { field, separator }: SkuRules): string[] {
  const text = textIn(part, field);
  const texts = separator === undefined ? [text] : text.split(separator);
  const skus = texts.map(sku => sku.trim()).filter(sku => sku !== '' && sku.length <= MAX_SKU_LENGTH);
  return skus.length < 2 ? skus : [...new Map(skus.map(sku => [skuKey(sku), sku])).values()];
}

function textIn(part: SkuFields, field: SkuField): string {
  switch (field.kind) {
    case 'name':
      return part.name;
    case 'IPN':
      return part.IPN;
    case 'parameter':
      return part.parameters[field.template] ?? '';
    case 'template': {
      const names = [...field.text.matchAll(PLACEHOLDER)].map(([, name = '']) => name);
      // "W.1-" would be the SKU of another part.
      if (names.some(name => valueOf(part, name).trim() === '')) return '';
      return field.text.replace(PLACEHOLDER, (_, name: string) => valueOf(part, name).trim());
    }
  }
}

function valueOf(part: SkuFields, name: string): string {
  if (name === 'name' || name === 'IPN' || name === 'revision') return part[name];
  return part.parameters[name.slice('parameter:'.length)] ?? '';
}

/**
 * Of all parts with one SKU, those whose stock counts: the only active one where there is exactly one (the others are
 * its earlier revisions), the active ones where there are several, otherwise all of them. Where more than one counts,
 * only the shop can say what is right (SHARED_SKU).
 */
export function partsThatCount<Part extends { active: boolean }>(parts: readonly Part[]): Part[] {
  const active = parts.filter(part => part.active);
  return active.length > 0 ? active : [...parts];
}

/** Most SKUs: they need no look at each character. */
const IS_ASCII = /^[ -~]*$/;

/**
 * Two SKUs are the same for Magento exactly if their keys are equal: it compares without case and trailing spaces
 * (docs/facts/magento.md, "SKUs"). Character by character, because the lower case of a Greek sigma would
 * otherwise depend on its place in the word.
 */
export function skuKey(sku: string): string {
  if (IS_ASCII.test(sku)) return sku.replace(/ +$/, '').toLowerCase();
  return Array.from(sku.replace(/ +$/, ''), character => character.toLowerCase()).join('');
}

/** Whether two SKUs are the same for Magento. */
export function isSameSku(a: string, b: string): boolean {
  return a === b || skuKey(a) === skuKey(b);
}
