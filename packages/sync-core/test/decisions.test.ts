import fc from 'fast-check';
import {
  holdsStock,
  numberOf,
  quantityFrom,
  skuKey,
  skuOf,
  sourceLocations,
  stockChanges,
  sum,
  textOf,
  wantedStock,
  type QuantityRules,
} from '../src';

const rules: QuantityRules = { stockBasis: 'in_stock', allowDecimals: false, safetyStock: 0n };
const at = (inStock: string, location: number | null = 1, allocated = '0') => ({ location, inStock, allocated });
const total = (stock: ReturnType<typeof at>[], more: Partial<QuantityRules> = {}) =>
  wantedStock(stock, { ...rules, ...more }, undefined).map(({ quantity }) => textOf(quantity));

describe('decimals', () => {
  it.each([
    ['80.00000', '80'],
    ['12.50000', '12.5'],
    ['0.00001', '0.00001'],
    ['-3', '-3'],
    ['-0.5', '-0.5'],
    ['999999999999.99999', '999999999999.99999'],
  ])('%s is %s', (text, same) => expect(textOf(quantityFrom(text))).toBe(same));

  it.each(['', 'abc', '1e3', '1,5', 'NaN', '0x10', '--1'])('%j is none', text =>
    expect(() => quantityFrom(text)).toThrow(/expected a decimal like "12.50000", got/),
  );

  it('are summed exactly, in any order', () => {
    expect(textOf(sum(['0.1', '0.2', '0.3'].map(quantityFrom)))).toBe('0.6');
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 10 ** 12 })), units => {
        const texts = units.map(unit => `${Math.floor(unit / 100_000)}.${String(unit % 100_000).padStart(5, '0')}`);
        const expected = units.reduce((left, unit) => left + BigInt(unit), 0n);
        expect(sum(texts.map(quantityFrom))).toBe(expected);
        expect(sum(texts.reverse().map(quantityFrom))).toBe(expected);
      }),
    );
  });

  it('come back from text', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: -(10n ** 17n), max: 10n ** 17n }), q => expect(quantityFrom(textOf(q))).toBe(q)),
    );
  });
});

describe('what the store should show', () => {
  it.each<[string, string[], string]>([
    ['nothing', total([]), '0'],
    ['the total over all locations, and over none', total([at('50', 1), at('30', 2), at('7', null)]), '87'],
    ['whole units', total([at('2.9'), at('0.09999')]), '2'],
    ['four decimals where they are allowed', total([at('2.99999')], { allowDecimals: true }), '2.9999'],
    ['never less than nothing', total([at('5'), at('-9')]), '0'],
    ['less what is allocated, where that is asked', total([at('50', 1, '9')], { stockBasis: 'unallocated' }), '41'],
    ['nothing where more is allocated than there is', total([at('5', 1, '9')], { stockBasis: 'unallocated' }), '0'],
    ['less the safety stock, after whole units are cut', total([at('12.9')], { safetyStock: quantityFrom('5') }), '7'],
    ['nothing where only the safety stock is left', total([at('4')], { safetyStock: quantityFrom('5') }), '0'],
  ])('%s', (_, shown, expected) => expect(shown).toEqual([expected]));

  it('each source shows its locations; safety stock is taken from them in turn; other locations are not for sale', () => {
    const sources = [
      { sourceCode: 'a', locations: new Set([1, 2]) },
      { sourceCode: 'b', locations: new Set([3]) },
    ];
    const stock = [at('3', 1), at('1', 2), at('10', 3), at('100', 4), at('100', null)];
    const safety = { ...rules, safetyStock: quantityFrom('6') };
    const shown = (given: QuantityRules) =>
      wantedStock(stock, given, sources).map(w => `${w.sourceCode} ${textOf(w.quantity)}`);
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
    const fed = sourceLocations({ main: [1], special: [2] }, parents);
    expect(fed.map(({ sourceCode, locations }) => [sourceCode, [...locations].sort()])).toEqual([
      ['main', [1, 4]],
      ['special', [2, 3]],
    ]);
  });
});

describe('what to write', () => {
  const wanted = (text: string) => [{ sourceCode: 'default', quantity: quantityFrom(text) }];
  const shown = (quantity: number, inStock: boolean) => [{ sourceCode: 'default', quantity, inStock }];
  it.each<[string, ReturnType<typeof stockChanges>, object[]]>([
    ['nothing where it is right', stockChanges(wanted('50'), shown(50, true)), []],
    ['nothing where it is sold out on both sides', stockChanges(wanted('0'), shown(0, false)), []],
    [
      'another quantity',
      stockChanges(wanted('80'), shown(50, true)),
      [{ quantity: 80, inStock: true, from: '50', to: '80' }],
    ],
    ['sold out', stockChanges(wanted('0'), shown(50, true)), [{ quantity: 0, inStock: false }]],
    [
      'in stock again, though the quantity is right',
      stockChanges(wanted('9'), shown(9, false)),
      [{ quantity: 9, inStock: true, from: '9 (out of stock)' }],
    ],
    ['where there is no row yet', stockChanges(wanted('9'), []), [{ quantity: 9, from: 'nothing' }]],
  ])('%s', (_, changes, expected) => expect(changes).toMatchObject(expected));

  it('what was written and is read back needs no second write', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: 10n ** 15n }), units => {
        const [only] = wantedStock([at(textOf(units))], { ...rules, allowDecimals: true }, undefined);
        if (!only) throw new Error('no quantity');
        const [change] = stockChanges([only], []);
        const readBack = JSON.parse(JSON.stringify(change?.quantity)) as number;
        expect(stockChanges([only], [{ sourceCode: 'default', quantity: readBack, inStock: readBack > 0 }])).toEqual(
          [],
        );
        expect(readBack).toBe(numberOf(only.quantity));
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
  ])('a %s product holds stock: %s', (type, holds) => expect(holdsStock(type)).toBe(holds));
});

describe('SKUs', () => {
  const part = { name: 'WIDGET-123', IPN: 'W.1', parameter: 'MAG-1' };
  it.each<[string, string | undefined, string | undefined]>([
    ['name', skuOf(part, { kind: 'name' }), 'WIDGET-123'],
    ['IPN', skuOf(part, { kind: 'IPN' }), 'W.1'],
    ['parameter', skuOf(part, { kind: 'parameter', template: 'x' }), 'MAG-1'],
    ['an empty IPN is none', skuOf({ ...part, IPN: ' ' }, { kind: 'IPN' }), undefined],
    ['no parameter is none', skuOf({ ...part, parameter: null }, { kind: 'parameter', template: 'x' }), undefined],
    ['longer than a store takes is none', skuOf({ ...part, name: 'x'.repeat(65) }, { kind: 'name' }), undefined],
  ])('%s', (_, sku, expected) => expect(sku).toBe(expected));

  it.each([
    ['widget-123', 'WIDGET-123 ', true],
    ['GRÖSSE-ω', 'größe-Ω', false],
    ['Größe-Ω', 'GRÖßE-ω', true],
    ['ΟΔΟΣ', 'οδοσ', true],
    [' A', 'A', false],
  ])('%j and %j are one: %s', (a, b, same) => expect(skuKey(a) === skuKey(b)).toBe(same));
});
