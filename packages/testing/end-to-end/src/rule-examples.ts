import type { RuledPart, ShopSetup, StockAtLocation } from '@stock-sync/domain';

/** One part in a shop with some settings, and what comes of it. */
export interface RuleExample {
  settings: Readonly<Record<string, string>>;
  part: Partial<RuledPart>;
  /** What `explain` says. */
  said: string;
  /** The SKUs; 'WIDGET-123' where it is left out. */
  skus?: readonly string[];
}

/** The examples of one rule. */
export interface RuleChapter {
  title: string;
  text: string;
  examples: readonly RuleExample[];
}

/** The InvenTree of the examples. */
export const EXAMPLE_SETUP = {
  locations: new Map([
    [1, { name: 'Main', parent: null, external: false }],
    [2, { name: 'Repair', parent: 1, external: false }],
    [3, { name: 'West', parent: null, external: false }],
    [4, { name: 'Supplier', parent: null, external: true }],
  ]),
  statuses: new Map([
    [10, { name: 'OK', label: 'OK' }],
    [11, { name: 'DEMO', label: 'Demo unit' }],
    [55, { name: 'DAMAGED', label: 'Damaged' }],
    [85, { name: 'RETURNED', label: 'Returned' }],
  ]),
  categories: {
    // 3 is Widgets, and 7 is below it; 9 is Tools.
    wanted: new Set([3, 7]),
    known: new Set([3, 7, 9]),
  },
} satisfies ShopSetup;

/** Some units, at Main and of status OK but for what is given. */
export function units(inStock: number, more: Partial<StockAtLocation> & { of?: number } = {}): StockAtLocation {
  return { location: 1, status: 10, isExpired: false, allocated: '0', ...more, inStock: String(inStock) };
}

/** The part of the examples. */
export const EXAMPLE_PART: RuledPart = {
  name: 'WIDGET-123',
  IPN: 'W.1',
  revision: 'B',
  category: 7,
  active: true,
  salable: true,
  virtual: false,
  parameters: {},
  stock: [units(80)],
};

const SOURCES = { SOURCE_MAP: '{"default":[1],"west":[3]}' };

/** docs/rules.md: every rule with its examples. */
export const RULE_CHAPTERS: readonly RuleChapter[] = [
  {
    title: 'Which parts are sold online',
    text:
      'A virtual part never is. A part that stops being sold online is treated like a deleted one ' +
      '(`ON_PART_GONE`).',
    examples: [
      { settings: {}, part: { active: false }, said: '80 in stock: 80 for sale' },
      {
        settings: { SYNC_PARTS: 'active' },
        part: { active: false },
        said: 'not sold online: the part is inactive (SYNC_PARTS=active)',
      },
      {
        settings: { SYNC_PARTS: 'salable' },
        part: { salable: false },
        said: 'not sold online: the part is not salable (SYNC_PARTS=salable)',
      },
      { settings: { SYNC_CATEGORIES: '3' }, part: { category: 7 }, said: '80 in stock: 80 for sale' },
      {
        settings: { SYNC_CATEGORIES: '3' },
        part: { category: 9 },
        said: 'not sold online: the part is in none of the categories 3 (SYNC_CATEGORIES)',
      },
      {
        settings: { SYNC_PARAMETER: 'Web shop=yes' },
        part: { parameters: { 'Web shop': 'Yes' } },
        said: '80 in stock: 80 for sale',
      },
      {
        settings: { SYNC_PARAMETER: 'Web shop=yes' },
        part: {},
        said: "not sold online: the part has no parameter 'Web shop' (SYNC_PARAMETER)",
      },
      {
        settings: {},
        part: { virtual: true },
        said: 'not sold online: the part is virtual, so it holds no stock in InvenTree',
      },
    ],
  },
  {
    title: 'Which SKU a part has',
    text:
      'Magento compares SKUs without case. Where several parts have one SKU, the active ones count; if they are ' +
      'several, nothing is written, unless `SHARED_SKU=sum` adds them up.',
    examples: [
      { settings: {}, part: {}, said: '80 in stock: 80 for sale', skus: ['WIDGET-123'] },
      { settings: { SKU_FIELD: 'IPN' }, part: {}, said: '80 in stock: 80 for sale', skus: ['W.1'] },
      {
        settings: { SKU_FIELD: 'parameter:Web SKU' },
        part: { parameters: { 'Web SKU': 'MAG-1' } },
        said: '80 in stock: 80 for sale',
        skus: ['MAG-1'],
      },
      { settings: { SKU_FIELD: '{IPN}-{revision}' }, part: {}, said: '80 in stock: 80 for sale', skus: ['W.1-B'] },
      {
        settings: { SKU_FIELD: '{IPN}-{revision}' },
        part: { revision: '' },
        said: 'not sold online: the part has no value for each field of {IPN}-{revision} that could be a SKU',
        skus: [],
      },
      {
        settings: { SKU_FIELD: 'parameter:Web SKU', SKU_SEPARATOR: ',' },
        part: { parameters: { 'Web SKU': 'A, B' } },
        said: '80 in stock: 80 for sale',
        skus: ['A', 'B'],
      },
    ],
  },
  {
    title: 'Which stock counts',
    text:
      'What InvenTree itself counts as in stock: not sold, installed, consumed, rejected, lost, destroyed or ' +
      'quarantined. Settings leave out more.',
    examples: [
      { settings: {}, part: { stock: [units(75), units(5, { status: 55 })] }, said: '80 in stock: 80 for sale' },
      {
        settings: { COUNT_STATUSES: 'OK,Returned' },
        part: { stock: [units(70), units(5, { status: 85 }), units(5, { status: 55 })] },
        said: '80 in stock, 5 damaged: 75 for sale',
      },
      {
        settings: { COUNT_STATUSES: 'OK' },
        part: { stock: [units(75), units(5, { status: 11 })] },
        said: '80 in stock, 5 demo unit: 75 for sale',
      },
      {
        settings: { EXCLUDE_LOCATIONS: '2' },
        part: { stock: [units(70), units(10, { location: 2 })] },
        said: "80 in stock, 10 at 'Repair': 70 for sale",
      },
      {
        settings: { COUNT_EXTERNAL: 'false' },
        part: { stock: [units(70), units(10, { location: 4 })] },
        said: "80 in stock, 10 at the external 'Supplier': 70 for sale",
      },
      {
        settings: { COUNT_EXPIRED: 'false' },
        part: { stock: [units(70), units(10, { isExpired: true })] },
        said: '80 in stock, 10 expired: 70 for sale',
      },
      {
        settings: { STOCK_BASIS: 'unallocated' },
        part: { stock: [units(80, { allocated: '12' })] },
        said: '80 in stock, 12 allocated: 68 for sale',
      },
      {
        settings: SOURCES,
        part: { stock: [units(50), units(20, { location: 2 }), units(10, { location: 3 })] },
        said: '80 in stock: 70 for sale at default, 10 for sale at west',
      },
      {
        settings: SOURCES,
        part: { stock: [units(70), units(10, { location: 4 })] },
        said: "80 in stock, 10 at 'Supplier': 70 for sale at default, 0 for sale at west",
      },
    ],
  },
  {
    title: 'Units',
    text: 'Packs are counted after the safety stock, which is in units of the part.',
    examples: [
      {
        settings: { PACK_SIZE_PARAMETER: 'Pack size' },
        part: { stock: [units(57)], parameters: { 'Pack size': '10' } },
        said: '57 in stock, in packs of 10: 5 for sale',
      },
      {
        settings: { PACK_SIZE_PARAMETER: 'Pack size', SAFETY_STOCK: '8' },
        part: { stock: [units(57)], parameters: { 'Pack size': '10' } },
        said: '57 in stock, 8 safety stock, in packs of 10: 4 for sale',
      },
      {
        settings: { PACK_SIZE_PARAMETER: 'Pack size' },
        part: { stock: [units(57)], parameters: { 'Pack size': 'ten' } },
        said: "Part 45 has 'ten' as parameter 'Pack size': expected a number above 0, such as 10",
      },
      { settings: {}, part: { stock: [units(2.75)] }, said: '2.75 in stock: 2 for sale' },
      { settings: { ALLOW_DECIMALS: 'true' }, part: { stock: [units(2.75)] }, said: '2.75 in stock: 2.75 for sale' },
    ],
  },
  {
    title: 'Made to order',
    text:
      'What can be built is what InvenTree says it can build now, from components in stock. It is offered at the ' +
      'first source. A change of a component reaches its assemblies with the next sweep, a change of a variant its ' +
      'template at once.',
    examples: [
      { settings: {}, part: { buildable: '12' }, said: '80 in stock: 80 for sale' },
      {
        settings: { COUNT_BUILDABLE: 'true' },
        part: { buildable: '12' },
        said: '80 in stock, 12 more can be built: 92 for sale',
      },
    ],
  },
  {
    title: 'Held back',
    text: 'The safety stock is never offered. A share is rounded up.',
    examples: [
      { settings: { SAFETY_STOCK: '3' }, part: {}, said: '80 in stock, 3 safety stock: 77 for sale' },
      { settings: { SAFETY_STOCK: '5%' }, part: {}, said: '80 in stock, 4 safety stock: 76 for sale' },
      { settings: { SAFETY_STOCK: '90' }, part: {}, said: '80 in stock, 80 safety stock: 0 for sale' },
      {
        settings: { SAFETY_STOCK: '3', SAFETY_STOCK_PARAMETER: 'Safety' },
        part: { parameters: { Safety: '10%' } },
        said: '80 in stock, 8 safety stock: 72 for sale',
      },
      {
        settings: { ...SOURCES, SAFETY_STOCK: '60' },
        part: { stock: [units(50), units(30, { location: 3 })] },
        said: '80 in stock, 60 safety stock: 0 for sale at default, 20 for sale at west',
      },
      {
        settings: { ...SOURCES, SAFETY_STOCK: '{"default":5,"west":"10%"}' },
        part: { stock: [units(50), units(30, { location: 3 })] },
        said: '80 in stock, 8 safety stock: 45 for sale at default, 27 for sale at west',
      },
    ],
  },
  {
    title: 'All together',
    text: '`stock-sync explain WIDGET-123` says it for any SKU.',
    examples: [
      {
        settings: {
          COUNT_STATUSES: 'OK,Returned',
          EXCLUDE_LOCATIONS: '2',
          STOCK_BASIS: 'unallocated',
          SAFETY_STOCK: '3',
        },
        part: { stock: [units(65, { allocated: '12' }), units(5, { status: 55 }), units(10, { location: 2 })] },
        said: "80 in stock, 5 damaged, 10 at 'Repair', 12 allocated, 3 safety stock: 50 for sale",
      },
    ],
  },
];
