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
  skuOf,
  sourceLocations,
  isMassZero,
  showingRequired,
  stockChanges,
  sum,
  formatQuantity,
  targetStock,
  type QuantityRules,
} from '../src';

const rules: QuantityRules = { stockBasis: 'in_stock', allowDecimals: false, safetyStock: 0n };
const at = (inStock: string, location: number | null = 1, allocated = '0') => ({ location, inStock, allocated });
const total = (stock: ReturnType<typeof at>[], more: Partial<QuantityRules> = {}) =>
  targetStock(stock, { ...rules, ...more }, undefined).map(({ quantity }) => formatQuantity(quantity));

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
    ['minus the safety stock', total([at('12.9')], { safetyStock: parseQuantity('5') }), '7'],
    ['whole units, whatever the safety stock', total([at('12')], { safetyStock: parseQuantity('0.5') }), '11'],
    [
      'no more places than Magento keeps, whatever the safety stock',
      total([at('12.5')], { safetyStock: parseQuantity('0.00001'), allowDecimals: true }),
      '12.4999',
    ],
    ['zero where only the safety stock is left', total([at('4')], { safetyStock: parseQuantity('5') }), '0'],
  ])('%s', (_, shown, expected) => expect(shown).toEqual([expected]));

  it('each source gets the stock of its locations, minus the safety stock in turn', () => {
    const sources = [
      { sourceCode: 'a', locations: new Set([1, 2]) },
      { sourceCode: 'b', locations: new Set([3]) },
    ];
    const stock = [at('3', 1), at('1', 2), at('10', 3), at('100', 4), at('100', null)];
    const safety = { ...rules, safetyStock: parseQuantity('6') };
    const shown = (quantityRules: QuantityRules) =>
      targetStock(stock, quantityRules, sources).map(w => `${w.sourceCode} ${formatQuantity(w.quantity)}`);
    expect(shown(rules)).toEqual(['a 4', 'b 10']);
    expect(shown(safety)).toEqual(['a 0', 'b 8']);
  });

  it('a sub-location feeds the nearest source above it', () => {
    const parents = new Map<number, number | null>([
      [1, null],
      [2, 1],
      [3, 2],
      [4, 1],
      [5, null],
      [6, 7],
      [7, 6],
    ]);
    const bySource = sourceLocations({ main: [1], special: [2] }, parents);
    expect(bySource.map(({ sourceCode, locations }) => [sourceCode, [...locations].sort()])).toEqual([
      ['main', [1, 4]],
      ['special', [2, 3]],
    ]);
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
      fc.property(fc.bigInt({ min: 10n, max: 10n ** 15n }), units => {
        const [only] = targetStock([at(formatQuantity(units))], { ...rules, allowDecimals: true }, undefined);
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
  const part = { name: 'WIDGET-123', IPN: 'W.1', parameter: 'MAG-1' };
  it.each<[string, string | undefined, string | undefined]>([
    ['name', skuOf(part, { kind: 'name' }), 'WIDGET-123'],
    ['IPN', skuOf(part, { kind: 'IPN' }), 'W.1'],
    ['parameter', skuOf(part, { kind: 'parameter', template: 'x' }), 'MAG-1'],
    ['an empty IPN is none', skuOf({ ...part, IPN: ' ' }, { kind: 'IPN' }), undefined],
    ['no parameter is none', skuOf({ ...part, parameter: null }, { kind: 'parameter', template: 'x' }), undefined],
    [
      'a SKU that is too long for a store is none',
      skuOf({ ...part, name: 'x'.repeat(65) }, { kind: 'name' }),
      undefined,
    ],
  ])('%s', (_, sku, expected) => expect(sku).toBe(expected));

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
      'delays an event during the write until the next full interval of the clock',
      throttleRun(10_090, write(10_100), 10_400),
      { waitUntil: 12_000, throttledRuns: 1 },
    ],
    [
      'delays an event right after the write',
      throttleRun(10_115, write(10_100), 10_400),
      { waitUntil: 12_000, throttledRuns: 1 },
    ],
    [
      'lets a delayed run start, together with others',
      throttleRun(10_090, write(10_100), 12_001),
      { waitUntil: undefined, gatherUntil: 12_100, throttledRuns: 1 },
    ],
    [
      'delays a long series longer',
      throttleRun(12_090, write(12_100, 1), 12_400),
      { waitUntil: 16_000, throttledRuns: 2 },
    ],
    [
      'never delays for longer than two intervals of four seconds',
      throttleRun(20_100, write(20_100, 40), 20_400),
      { waitUntil: 28_000, throttledRuns: 41 },
    ],
  ])('%s', (_, throttle, expected) => expect(throttle).toMatchObject(expected));
});
