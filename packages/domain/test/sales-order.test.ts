import {
  isOpenSalesOrder,
  orderLines,
  parseReferencePattern,
  salesOrderSteps,
  type OrderItem,
  type ShopOrder,
} from '../src';

const row = (id: number, sku: string, ordered: number, more: Partial<OrderItem> = {}): OrderItem => ({
  id,
  parent: undefined,
  productType: 'simple',
  sku,
  ordered,
  canceled: 0,
  shipped: 0,
  refunded: 0,
  price: 10,
  ...more,
});
const orderOf = (...items: OrderItem[]): ShopOrder => ({
  id: 1,
  incrementId: 'EU-000123-1',
  state: 'new',
  currency: 'USD',
  createdAt: '2026-11-25 14:42:16',
  updatedAt: '2026-11-25 14:42:17',
  items,
});

describe('the lines of an order', () => {
  it.each<[string, OrderItem[], [number, string, number, boolean][]]>([
    ['a simple product', [row(1, 'A', 3)], [[1, 'A', 3, true]]],
    ['less what was cancelled', [row(1, 'A', 3, { canceled: 2 })], [[1, 'A', 1, true]]],
    [
      'of a configurable product the parent, by which it is shipped',
      [row(9, 'CFG-R', 2, { productType: 'configurable' }), row(10, 'CFG-R', 2, { parent: 9 })],
      [[9, 'CFG-R', 2, true]],
    ],
    [
      'of a bundle the children',
      [row(11, 'BUN', 1, { productType: 'bundle' }), row(12, 'X', 2, { parent: 11 }), row(13, 'Y', 1, { parent: 11 })],
      [
        [12, 'X', 2, true],
        [13, 'Y', 1, true],
      ],
    ],
    ['a virtual one, which nobody ships', [row(1, 'W', 1, { productType: 'virtual' })], [[1, 'W', 1, false]]],
  ])('%s', (_, items, expected) => {
    const lines = orderLines(orderOf(...items));
    expect(lines.map(({ item, sku, quantity, isShipped }) => [item, sku, quantity, isShipped])).toEqual(expected);
  });
});

describe('the steps from a sales order to what it should be', () => {
  const wanted = (quantity: number) => [{ item: 11, sku: 'A', part: 45, quantity, price: 10, packSize: 1 }];
  const line = (quantity: number, shipped = 0, id = 4) => ({ id, reference: '11', quantity, shipped });
  const [PENDING, IN_PROGRESS, ON_HOLD, CANCELLED] = [10, 15, 25, 40];
  const steps = (state: string, quantity: number, status: number, ...lines: ReturnType<typeof line>[]) =>
    salesOrderSteps(state, wanted(quantity), { status, lines });

  it.each<[string, ReturnType<typeof steps>, unknown[]]>([
    ['a new one', steps('new', 3, PENDING), ['add line', 'issue']],
    ['one that was cut short', steps('new', 3, PENDING, line(3)), ['issue']],
    ['one that is right', steps('processing', 3, IN_PROGRESS, line(3)), []],
    ['one with two lines for one row', steps('new', 3, IN_PROGRESS, line(3), line(3, 0, 5)), ['remove line']],
    ['a second line that was shipped stays', steps('new', 3, IN_PROGRESS, line(3, 1), line(3, 2, 5)), []],
    ['a row cancelled in part', steps('new', 2, IN_PROGRESS, line(3)), ['change line']],
    ['a row cancelled before it had a line', steps('new', 0, PENDING), ['issue']],
    ['a held order', steps('holded', 3, IN_PROGRESS, line(3)), ['hold']],
    ['a held one again', steps('holded', 3, ON_HOLD, line(3)), []],
    ['a released one', steps('new', 3, ON_HOLD, line(3)), ['issue']],
    ['a cancelled one', steps('canceled', 0, IN_PROGRESS, line(3)), ['cancel']],
    ['a cancelled one again', steps('canceled', 0, CANCELLED, line(3)), []],
    ['one that a user cancelled', steps('new', 3, CANCELLED), []],
    ['a cancelled one of which something was shipped', steps('canceled', 0, IN_PROGRESS, line(3, 1)), []],
  ])('%s', (_, found, expected) => expect(found.steps.map(step => step.do)).toEqual(expected));

  it('never takes a line below what was shipped, and says so', () => {
    const found = steps('new', 1, IN_PROGRESS, line(3, 2));
    expect(found.steps).toEqual([{ do: 'change line', id: 4, sku: 'A', from: 3, to: 2 }]);
    expect(found.shippedAlready).toEqual([{ sku: 'A', shipped: 2, wanted: 1 }]);
  });
});

describe('a pattern of references', () => {
  it.each([
    ['SO-{ref:04d}', 'SO-0042', 'SO-12345'],
    ['{ref}', '42', '12345'],
    ['ORD/{ref:06d}/EU', 'ORD/000042/EU', 'ORD/012345/EU'],
    ['SO-{ref}', 'SO-42', 'SO-12345'],
  ])('%s', (text, small, large) => {
    const pattern = parseReferencePattern(text);
    expect([pattern?.reference(42), pattern?.reference(12_345)]).toEqual([small, large]);
    expect([pattern?.numberIn(small), pattern?.numberIn(large)]).toEqual([42, 12_345]);
    expect(pattern?.numberIn('PO-7')).toBeUndefined();
  });

  it.each(['SO-{ref:04d}-{date:%Y}', '{?:A}{ref}', 'SO'])('%s is not counted on', text =>
    expect(parseReferencePattern(text)).toBeUndefined(),
  );
});

it.each([
  ['pending', 10, true],
  ['in progress', 15, true],
  ['on hold', 25, true],
  ['complete', 30, false],
  ['cancelled', 40, false],
])('a sales order that is %s (%d): open is %s', (_, status, isOpen) => expect(isOpenSalesOrder(status)).toBe(isOpen));
