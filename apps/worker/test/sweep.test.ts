import type { PartStock } from '@stock-sync/inventree-client';
import type { KnownPart } from '@stock-sync/queue';
import { differs, isBraked } from '../src/sweep';

const part = (more: Partial<PartStock> = {}): PartStock => ({
  pk: 45,
  name: 'A',
  IPN: '',
  active: true,
  virtual: false,
  parameter: null,
  stock: [],
  stockItems: [],
  ...more,
});
const known = (more: Partial<KnownPart> = {}): KnownPart => ({
  sku: 'A',
  confirmed: '50',
  outcome: 'unchanged',
  at: 0,
  stormRuns: 0,
  seen: '50',
  ...more,
});
const wanted = (units: number) => [{ sourceCode: 'default', quantity: BigInt(units) * 100_000n }];

describe('a part differs from what was seen of it', () => {
  it.each<[string, boolean, Parameters<typeof differs>]>([
    ['as it was', false, [part(), 'A', wanted(50), known(), true]],
    ['another quantity', true, [part(), 'A', wanted(49), known(), true]],
    ['never seen', true, [part(), 'A', wanted(0), undefined, true]],
    ['another SKU', true, [part(), 'B', wanted(50), known(), true]],
    ['the same SKU in another spelling', false, [part(), 'a ', wanted(50), known(), true]],
    ['no SKU any more', true, [part(), undefined, wanted(50), known(), true]],
    ['no SKU, never had one', false, [part(), undefined, wanted(50), undefined, true]],
    ['virtual', false, [part({ virtual: true }), undefined, wanted(0), undefined, true]],
    [
      'not in the store, as before',
      false,
      [part(), 'A', wanted(50), known({ confirmed: '', outcome: 'skipped' }), true],
    ],
    [
      'not in the store, and changed',
      true,
      [part(), 'A', wanted(5), known({ confirmed: '', outcome: 'skipped' }), true],
    ],
    ['a dead letter, as before', false, [part(), 'A', wanted(50), known({ confirmed: '', outcome: 'failed' }), true]],
    ['tried in a dry run, still dry', false, [part(), 'A', wanted(50), known({ outcome: 'dry run' }), false]],
    ['tried in a dry run, for real now', true, [part(), 'A', wanted(50), known({ outcome: 'dry run' }), true]],
  ])('%s: %s', (_, expected, given) => {
    expect(differs(...given)).toBe(expected);
  });
});

describe('the brake', () => {
  it.each([
    [0, 0, 20, false],
    [5, 5, 20, false],
    [6, 6, 20, true],
    [20, 100, 20, false],
    [21, 100, 20, true],
    [100, 100, 100, false],
    [6, 1_000, 0, true],
  ])('%i of %i parts would fall to zero, %i %% allowed: %s', (zeroed, shown, percent, expected) => {
    expect(isBraked(zeroed, shown, percent)).toBe(expected);
  });
});
