import fc from 'fast-check';
import {
  compareSides,
  formatTarget,
  hasOwnStock,
  needsProduct,
  sameQuantities,
  throttleRun,
  quantityAsNumber,
  parseQuantity,
  skuKey,
  skusOf,
  locationRoles,
  isMassZero,
  showingRequired,
  stockChanges,
  sum,
  formatQuantity,
  createStockCounter,
  NO_SAFETY_STOCK,
  templateProblem,
  type QuantityRules,
} from '../src';

const rules: QuantityRules = {
  sourceMap: undefined,
  excluded: [],
  countExternal: true,
  countExpired: true,
  countStatuses: undefined,
  stockBasis: 'in_stock',
  countBuildable: false,
  templateTotal: false,
  safetyStock: NO_SAFETY_STOCK,
  safetyStockParameter: undefined,
  packSizeParameter: undefined,
  allowDecimals: false,
};
const noSetup = { locations: undefined, statuses: undefined };
const targetStock = (stock: ReturnType<typeof at>[], quantityRules: QuantityRules, setup = noSetup) => {
  const counted = createStockCounter(quantityRules, setup).count({ stock, parameters: {} });
  if ('parameter' in counted) throw new Error('a wrong parameter');
  return counted.target;
};
const units = (text: string) => ({ units: parseQuantity(text) });
const at = (inStock: string, location: number | null = 1, allocated = '0') => ({ location, inStock, allocated });
const total = (stock: ReturnType<typeof at>[], more: Partial<QuantityRules> = {}) =>
  targetStock(stock, { ...rules, ...more }).map(({ quantity }) => formatQuantity(quantity));

describe('quantities', () => {
  it.each([
    ['80.00000', '80'],
    ['12.50000', '12.5'],
    ['0.00001', '0.00001'],
    ['-3', '-3'],
    ['-0.5', '-0.5'],
    ['999999999999.99999', '999999999999.99999'],
  ])('%s is %s', (text, same) => expect(formatQuantity(parseQuantity(text))).toBe(same));

  it.each(['', 'abc', '1e3', '1,5', 'NaN', '0x10', '--1'])('%j is not a decimal', text =>
    expect(() => parseQuantity(text)).toThrow(/expected a decimal like "12.50000", got/),
  );

  it('are summed exactly, in any order', () => {
    expect(formatQuantity(sum(['0.1', '0.2', '0.3'].map(parseQuantity)))).toBe('0.6');
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 10 ** 12 })), units => {
        const texts = units.map(unit => `${Math.floor(unit / 100_000)}.${String(unit % 100_000).padStart(5, '0')}`);
        const expected = units.reduce((left, unit) => left + BigInt(unit), 0n);
        expect(sum(texts.map(parseQuantity))).toBe(expected);
        expect(sum(texts.reverse().map(parseQuantity))).toBe(expected);
      }),
    );
  });

  it('are formatted so that they parse to the same quantity', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: -(10n ** 17n), max: 10n ** 17n }), q =>
        expect(parseQuantity(formatQuantity(q))).toBe(q),
      ),
    );
  });
});

describe('the target stock', () => {
  it.each<[string, string[], string]>([
    ['zero without stock', total([]), '0'],
    ['the total over all locations, and of items without one', total([at('50', 1), at('30', 2), at('7', null)]), '87'],
    ['whole units', total([at('2.9'), at('0.09999')]), '2'],
    ['four decimal places where decimals are allowed', total([at('2.99999')], { allowDecimals: true }), '2.9999'],
    ['never below zero', total([at('5'), at('-9')]), '0'],
    [
      'without what is allocated, where STOCK_BASIS says so',
      total([at('50', 1, '9')], { stockBasis: 'unallocated' }),
      '41',
    ],
    ['zero where more is allocated than there is', total([at('5', 1, '9')], { stockBasis: 'unallocated' }), '0'],
    ['minus the safety stock', total([at('12.9')], { safetyStock: units('5') }), '7'],
    ['whole units, whatever the safety stock', total([at('12')], { safetyStock: units('0.5') }), '11'],
    [
      'no more places than Magento keeps, whatever the safety stock',
      total([at('12.5')], { safetyStock: units('0.00001'), allowDecimals: true }),
      '12.4999',
    ],
    [
      'minus a share, which is rounded up',
      total([at('0.0003')], { safetyStock: { hundredthsOfPercent: 1n }, allowDecimals: true }),
      '0.0002',
    ],
    ['zero where only the safety stock is left', total([at('4')], { safetyStock: units('5') }), '0'],
  ])('%s', (_, shown, expected) => expect(shown).toEqual([expected]));

  it('each source gets the stock of its locations, minus the safety stock in turn', () => {
    const locations = new Map([1, 2, 3, 4].map(id => [id, { name: `L${id}`, parent: null, external: false }]));
    const sourceMap = { a: [1, 2], b: [3] };
    const stock = [at('3', 1), at('1', 2), at('10', 3), at('100', 4), at('100', null)];
    const shown = (more: Partial<QuantityRules>) =>
      targetStock(stock, { ...rules, sourceMap, ...more }, { ...noSetup, locations } as never).map(
        w => `${w.sourceCode} ${formatQuantity(w.quantity)}`,
      );
    expect(shown({})).toEqual(['a 4', 'b 10']);
    expect(shown({ safetyStock: units('6') })).toEqual(['a 0', 'b 8']);
  });

  it('a sub-location feeds the nearest source above it', () => {
    const parents = { 1: null, 2: 1, 3: 2, 4: 1, 5: null, 6: 7, 7: 6 };
    const locations = new Map(
      Object.entries(parents).map(([id, parent]) => [Number(id), { name: '', parent, external: false }]),
    );
    const sourceMap = { main: [1], special: [2] };
    const roles = locationRoles({ sourceMap, excluded: [], countExternal: true }, locations);
    const fed = (source: string) =>
      [...roles].flatMap(([id, role]) => ('sourceCode' in role && role.sourceCode === source ? [id] : []));
    expect([fed('main'), fed('special')]).toEqual([
      [1, 4],
      [2, 3],
    ]);
    expect(roles.get(5)).toEqual({ exclusion: 'no source' });
  });
});

describe('stock changes', () => {
  const target = (text: string) => [{ sourceCode: 'default', quantity: parseQuantity(text) }];
  const store = (quantity: number, inStock: boolean) => [{ sourceCode: 'default', quantity, inStock }];
  it.each<[string, ReturnType<typeof stockChanges>, object[]]>([
    ['none where the store is right', stockChanges(target('50'), store(50, true)), []],
    ['none where it is sold out on both sides', stockChanges(target('0'), store(0, false)), []],
    [
      'another quantity',
      stockChanges(target('80'), store(50, true)),
      [{ quantity: 80, inStock: true, from: '50', to: '80' }],
    ],
    ['sold out', stockChanges(target('0'), store(50, true)), [{ quantity: 0, inStock: false }]],
    [
      'in stock again, although the quantity is right',
      stockChanges(target('9'), store(9, false)),
      [{ quantity: 9, inStock: true, from: '9 (out of stock)' }],
    ],
    ['a new row', stockChanges(target('9'), []), [{ quantity: 9, from: 'nothing' }]],
    ['no new row of 0', stockChanges(target('0'), []), []],
    ['no change of the status at 0, which sells nothing', stockChanges(target('0'), store(0, true)), []],
    [
      'for sale on backorder at 0',
      stockChanges(target('0'), store(50, true), { managesStock: true, backorders: true }),
      [{ quantity: 0, inStock: true }],
    ],
  ])('%s', (_, changes, expected) => expect(changes).toMatchObject(expected));

  it('a quantity that was written and read back needs no second write', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 10n, max: 10n ** 15n }), hundredThousandths => {
        const [only] = targetStock([at(formatQuantity(hundredThousandths))], { ...rules, allowDecimals: true });
        if (!only) throw new Error('no quantity');
        const [change] = stockChanges([only], []);
        const readBack = JSON.parse(JSON.stringify(change?.quantity)) as number;
        expect(stockChanges([only], [{ sourceCode: 'default', quantity: readBack, inStock: readBack > 0 }])).toEqual(
          [],
        );
        expect(readBack).toBe(quantityAsNumber(only.quantity));
      }),
    );
  });

  it.each([
    ['simple', true],
    ['virtual', true],
    ['downloadable', true],
    ['giftcard', true],
    ['bundle', false],
    ['configurable', false],
    ['grouped', false],
  ])('a %s product has its own stock: %s', (type, expected) => expect(hasOwnStock(type)).toBe(expected));
});

describe('SKUs', () => {
  const part = { name: 'WIDGET-123', IPN: 'W.1', revision: 'B', parameters: { x: 'MAG-1', many: 'A, b ,,a, C' } };
  const none = { ...part, IPN: ' ', revision: '', parameters: {} };
  const field = (text: string) => ({ kind: 'template', text }) as const;
  const skus = (of: typeof part | typeof none, sku: Parameters<typeof skusOf>[1]['field'], separator?: string) =>
    skusOf(of, { field: sku, separator });
  it.each<[string, string[], string[]]>([
    ['name', skus(part, { kind: 'name' }), ['WIDGET-123']],
    ['IPN', skus(part, { kind: 'IPN' }), ['W.1']],
    ['parameter', skus(part, { kind: 'parameter', template: 'x' }), ['MAG-1']],
    ['an empty IPN is none', skus(none, { kind: 'IPN' }), []],
    ['no parameter is none', skus(none, { kind: 'parameter', template: 'x' }), []],
    ['a SKU that is too long for a store is none', skus({ ...part, name: 'x'.repeat(65) }, { kind: 'name' }), []],
    ['a template', skus(part, field('{IPN}-{revision}/{parameter:x}')), ['W.1-B/MAG-1']],
    ['a template with an empty field is none', skus(none, field('{name}-{revision}')), []],
    ['a comma belongs to the SKU', skus(part, { kind: 'parameter', template: 'many' }), ['A, b ,,a, C']],
    ['unless it separates several', skus(part, { kind: 'parameter', template: 'many' }, ','), ['a', 'b', 'C']],
  ])('%s', (_, found, expected) => expect(found).toEqual(expected));

  it.each([
    ['{IPN}-{revision}', undefined],
    ['{parameter:Web SKU}', undefined],
    ['IPN', /at least one of/],
    ['{IPN}-{colour}', /got \{colour\}/],
    ['{parameter:}', /got \{parameter:\}/],
  ])('the template %s is right, or its fault is named', (text, problem) => {
    if (problem === undefined) expect(templateProblem(text)).toBeUndefined();
    else expect(templateProblem(text)).toMatch(problem);
  });

  it.each([
    ['widget-123', 'WIDGET-123 ', true],
    ['GRÖSSE-ω', 'größe-Ω', false],
    ['Größe-Ω', 'GRÖßE-ω', true],
    ['ΟΔΟΣ', 'οδοσ', true],
    [' A', 'A', false],
  ])('%j and %j are the same: %s', (a, b, same) => expect(skuKey(a) === skuKey(b)).toBe(same));
});

describe('target quantities', () => {
  it.each([
    [{ default: '80' }, '80'],
    [{ default: '50', west: '30' }, 'default: 50, west: 30'],
  ])('%j is shown as "%s"', (target, text) => expect(formatTarget(target)).toBe(text));

  it.each([
    [{ default: '80' }, { default: '80' }, true],
    [{ default: '80' }, { default: '79' }, false],
    [{ default: '80' }, { default: '80', west: '0' }, false],
    [{ default: '80' }, { west: '80' }, false],
    [undefined, { default: '80' }, false],
    [undefined, undefined, true],
  ])('%j and %j are the same: %s', (a, b, same) => expect(sameQuantities(a, b)).toBe(same));
});

describe('the mass-zero guard', () => {
  it.each([
    [0, 0, 20, false],
    [5, 5, 20, false],
    [6, 6, 20, true],
    [20, 100, 20, false],
    [21, 100, 20, true],
    [100, 100, 100, false],
    [6, 1_000, 0, true],
  ])('%i of %i SKUs that show stock would fall to zero, %i %% allowed: %s', (falling, showing, percent, expected) => {
    expect(isMassZero(falling, showing, percent)).toBe(expected);
  });

  it('requires exactly as many SKUs that show stock as it takes', () => {
    fc.assert(
      fc.property(fc.integer({ min: 6, max: 10_000 }), fc.integer({ min: 1, max: 100 }), (falling, percent) => {
        const required = showingRequired(falling, percent);
        expect(isMassZero(falling, required, percent)).toBe(false);
        expect(isMassZero(falling, required - 1, percent)).toBe(true);
      }),
    );
    expect(showingRequired(5, 20)).toBe(0);
    expect(showingRequired(6, 0)).toBe(Infinity);
  });
});

describe('comparing both systems', () => {
  const target = [{ sourceCode: 'default', quantity: parseQuantity('50') }];
  const store = (quantity: number) => [{ sourceCode: 'default', quantity, inStock: quantity > 0 }];
  it.each<[string, ReturnType<typeof compareSides>]>([
    ['equal', compareSides({ target, store: store(50), parts: [1] }, undefined)],
    ['drifted', compareSides({ target, store: store(49), parts: [1] }, 'simple')],
    ['missing in Magento', compareSides({ target, store: [], parts: [1] }, undefined)],
    ['ambiguous', compareSides({ target, store: store(50), parts: [1, 2] }, 'simple')],
    ['skipped type', compareSides({ target, store: [], parts: [1] }, 'bundle')],
  ])('%s', (expected, found) => expect(found).toBe(expected));

  it('needs the product only where the store differs and one part has the SKU', () => {
    expect(needsProduct({ target, store: store(50), parts: [1] })).toBe(false);
    expect(needsProduct({ target, store: store(49), parts: [1] })).toBe(true);
    expect(needsProduct({ target, store: store(49), parts: [1, 2] })).toBe(false);
  });
});

describe('the write throttle', () => {
  const write = (at: number, throttledRuns = 0) => ({ at, throttledRuns });
  it.each<[string, ReturnType<typeof throttleRun>, object]>([
    [
      'lets a part start that was never written',
      throttleRun(100, undefined, 200),
      { waitUntil: undefined, throttledRuns: 0 },
    ],
    [
      'lets an event start that comes some time after the write',
      throttleRun(10_150, write(10_100), 10_400),
      { waitUntil: undefined, throttledRuns: 0 },
    ],
    [
      'delays an event during the write until an interval is over, and the other parts come back, too',
      throttleRun(10_090, write(10_110), 10_130),
      { waitUntil: 10_250, throttledRuns: 1 },
    ],
    [
      'delays an event right after the write',
      throttleRun(10_165, write(10_160), 10_170),
      { waitUntil: 10_500, throttledRuns: 1 },
    ],
    [
      'lets a delayed run start',
      throttleRun(10_090, write(10_100), 10_251),
      { waitUntil: undefined, throttledRuns: 1 },
    ],
    [
      'delays a long series longer',
      throttleRun(12_090, write(12_100, 1), 12_200),
      { waitUntil: 12_500, throttledRuns: 2 },
    ],
    [
      'never delays for longer than 0.65 s',
      throttleRun(20_101, write(20_101, 40), 20_400),
      { waitUntil: 20_750, throttledRuns: 41 },
    ],
  ])('%s', (_, throttle, expected) => expect(throttle).toMatchObject(expected));
});
