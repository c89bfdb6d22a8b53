import { createHash } from 'node:crypto';
import {
  safetyStockFrom,
  templateProblem,
  type QuantityRules,
  type SafetyStock,
  type ShopRules,
  type SkuField,
  type SourceMap,
} from '@stock-sync/domain';
import { setting, type Settings, type SettingsValues } from '@stock-sync/service';
import { z } from 'zod';

const skuFieldSetting = z
  .string()
  .default('name')
  .transform((text, context): SkuField => {
    if (text === 'name' || text === 'IPN') return { kind: text };
    const template = text.startsWith('parameter:') ? text.slice('parameter:'.length).trim() : '';
    if (template) return { kind: 'parameter', template };
    const problem = templateProblem(text);
    if (text.includes('{') && problem === undefined) return { kind: 'template', text };
    const message = text.includes('{') ? problem : 'expected name, IPN, parameter:<template name>, or {IPN}-{revision}';
    context.addIssue({ code: 'custom', message: message ?? '' });
    return z.NEVER;
  });

const sourceMapSchema = z
  .record(z.string().min(1), z.array(z.number().int().positive()).min(1))
  .refine(map => Object.keys(map).length > 0);

const sourceMapSetting = z
  .string()
  .optional()
  .transform((text, context): SourceMap | undefined => {
    if (text === undefined) return undefined;
    const parsed = sourceMapSchema.safeParse(parseJson(text));
    if (parsed.success) return parsed.data;
    const message = 'expected JSON like {"default":[3,4],"west":[7]}: location ids for each source code';
    context.addIssue({ code: 'custom', message });
    return z.NEVER;
  });

const safetyStockSetting = z
  .string()
  .default('0')
  .transform((text, context): QuantityRules['safetyStock'] => {
    const safety = text.startsWith('{') ? safetyStockBySource(text) : safetyStockFrom(text);
    if (safety) return safety;
    const message = 'expected units such as 5, a share such as 5%, or JSON like {"default":5,"west":"10%"}';
    context.addIssue({ code: 'custom', message });
    return z.NEVER;
  });

function safetyStockBySource(text: string): QuantityRules['safetyStock'] | undefined {
  const parsed = z.record(z.string().min(1), z.union([z.string(), z.number()])).safeParse(parseJson(text));
  if (!parsed.success) return undefined;
  const bySource: Record<string, SafetyStock> = {};
  for (const [source, value] of Object.entries(parsed.data)) {
    const safety = safetyStockFrom(String(value));
    if (!safety) return undefined;
    bySource[source] = safety;
  }
  return { bySource };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

const ids = (what: string) =>
  z
    .string()
    .regex(/^\d+(\s*,\s*\d+)*$/, { error: `expected ids of ${what}, separated by commas, such as 3,7` })
    .transform(text => text.split(',').map(Number))
    .optional();

const names = z
  .string()
  .transform(text =>
    text
      .split(',')
      .map(name => name.trim())
      .filter(name => name !== ''),
  )
  .refine(list => list.length > 0, { error: 'expected names separated by commas, such as OK,Returned' })
  .optional();

const parameterValueSetting = z
  .string()
  .optional()
  .transform((text, context) => {
    if (text === undefined) return undefined;
    const [, template = '', value = ''] = /^([^=]+)=(.*)$/.exec(text) ?? [];
    if (template.trim() !== '' && value.trim() !== '') return { template: template.trim(), value: value.trim() };
    context.addIssue({ code: 'custom', message: 'expected <parameter>=<value>, such as Web shop=yes' });
    return z.NEVER;
  });

/** The rules by which parts become SKUs with quantities. docs/rules.md has an example of each. */
export const ruleSettings = {
  SYNC_PARTS: setting
    .oneOf(['all', 'active', 'salable'], 'all')
    .describe(
      'Which parts are sold online: `all`, the `active` ones, or those marked as `salable`. Never virtual ones.',
    ),
  SYNC_CATEGORIES: ids('part categories').describe(
    'Ids of the only part categories that are sold online, separated by commas; sub-categories are included.',
  ),
  SYNC_PARAMETER: parameterValueSetting.meta({
    description: 'Only parts with this value of a parameter are sold online: `Web shop=yes`.',
  }),
  SKU_FIELD: skuFieldSetting.meta({
    description:
      'What holds the SKU of a part: `name`, `IPN`, `parameter:<template name>`, or a template of them and of ' +
      '`revision`, such as `{IPN}-{revision}`.',
    fallback: 'name',
  }),
  SKU_SEPARATOR: z
    .string()
    .optional()
    .describe('What separates several SKUs of one part in that field, such as `,`. Each shows the whole quantity.'),
  SHARED_SKU: setting
    .oneOf(['error', 'sum'], 'error')
    .describe('What happens where several parts have one SKU: nothing is written (`error`), or their `sum`.'),
  SOURCE_MAP: sourceMapSetting.meta({
    description:
      'The InvenTree locations that feed each Magento source, with their sub-locations: ' +
      '`{"default":[3,4],"west":[7]}`. Without it, all stock goes to `default`. ' +
      'Stock at other locations is not for sale.',
  }),
  EXCLUDE_LOCATIONS: ids('locations').describe(
    'Ids of locations whose stock is not for sale, separated by commas; sub-locations are included.',
  ),
  COUNT_EXTERNAL: setting
    .switch(true)
    .describe('Whether stock at locations that InvenTree marks as external is for sale.'),
  COUNT_EXPIRED: setting.switch(true).describe('Whether expired stock is for sale.'),
  COUNT_STATUSES: names.meta({
    description:
      'The only statuses of stock that are for sale, separated by commas, custom ones too: `OK,Returned`. ' +
      'Without it, whatever InvenTree counts as in stock.',
  }),
  STOCK_BASIS: setting
    .oneOf(['in_stock', 'unallocated'], 'in_stock')
    .describe('`unallocated` leaves out what is allocated to sales and build orders.'),
  COUNT_BUILDABLE: setting
    .switch(false)
    .describe('Whether what InvenTree says can be built now from components in stock is for sale, too.'),
  TEMPLATE_TOTAL: setting
    .switch(false)
    .describe('Whether a template part has the stock of all its variants beside its own.'),
  SAFETY_STOCK: safetyStockSetting.meta({
    description:
      'What is never offered for sale: units of a part (`5`), a share (`5%`), or one of them for each source ' +
      '(`{"default":5,"west":"10%"}`).',
    fallback: '0',
  }),
  SAFETY_STOCK_PARAMETER: setting
    .optionalText()
    .describe('The part parameter that holds the safety stock of a part, in place of `SAFETY_STOCK`.'),
  PACK_SIZE_PARAMETER: setting
    .optionalText()
    .describe('The part parameter that says how many units are sold as one: with 10, 57 in stock are 5 for sale.'),
  ALLOW_DECIMALS: setting.switch(false).describe('Keeps up to four decimal places instead of whole units.'),
} satisfies Settings;

/** The settings as rules. */
export function shopRulesFrom(values: SettingsValues<typeof ruleSettings>): ShopRules {
  return {
    parts: { which: values.SYNC_PARTS, categories: values.SYNC_CATEGORIES, parameter: values.SYNC_PARAMETER },
    sku: { field: values.SKU_FIELD, separator: values.SKU_SEPARATOR },
    sharedSku: values.SHARED_SKU,
    quantity: {
      sourceMap: values.SOURCE_MAP,
      excluded: values.EXCLUDE_LOCATIONS ?? [],
      countExternal: values.COUNT_EXTERNAL,
      countExpired: values.COUNT_EXPIRED,
      countStatuses: values.COUNT_STATUSES,
      stockBasis: values.STOCK_BASIS,
      countBuildable: values.COUNT_BUILDABLE,
      templateTotal: values.TEMPLATE_TOTAL,
      safetyStock: values.SAFETY_STOCK,
      safetyStockParameter: values.SAFETY_STOCK_PARAMETER,
      packSizeParameter: values.PACK_SIZE_PARAMETER,
      allowDecimals: values.ALLOW_DECIMALS,
    },
  };
}

/** A fingerprint of rules: the same exactly as long as they are. */
export function rulesFingerprint(rules: ShopRules): string {
  const text = JSON.stringify(rules, (_, value: unknown) => (typeof value === 'bigint' ? String(value) : value));
  return createHash('sha256').update(text).digest('hex').slice(0, 16);
}
