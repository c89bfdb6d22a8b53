import {
  allocationPlan,
  orderLines,
  parseQuantity,
  shipmentItems,
  shippedUnits,
  stockLeftBy,
  stockPicks,
  unbookedUnits,
  unitsBySource,
  unitsOfProduct,
  withUnbooked,
} from '../src';

const units = (shipped: number, toShip: number, inInvenTree: number, isCancelled = false) =>
  unbookedUnits({ shipped, toShip, inInvenTree, isCancelled });

describe('what one system has shipped and the other has not booked', () => {
  it.each([
    ['nothing is shipped', units(0, 3, 0), 0],
    ['both have shipped', units(3, 0, 3), 0],
    ['Magento has shipped: InvenTree still has them', units(3, 0, 0), -3],
    ['Magento has shipped more', units(2, 1, 1), -1],
    ['Magento has shipped, and the sales order is cancelled: booked by hand', units(3, 0, 0, true), 0],
    ['InvenTree has shipped: Magento still reserves them', units(0, 3, 3), 3],
    ['InvenTree has shipped more than Magento will', units(0, 1, 3), 1],
    ['InvenTree has shipped what was cancelled in Magento', units(0, 0, 3), 0],
    ['InvenTree has shipped, and the sales order is cancelled', units(0, 3, 3, true), 3],
  ])('%s', (_, found, expected) => expect(found).toBe(expected));

  const target = (...quantities: number[]) =>
    quantities.map((quantity, n) => ({ sourceCode: `s${n}`, quantity: parseQuantity(String(quantity)) }));

  it.each([
    [[50], 0, [50]],
    [[50], -3, [47]],
    [[50], 3, [53]],
    [[2], -3, [0]],
    [[2, 5], -3, [0, 4]],
    [[2, 5], 3, [5, 5]],
    [[2, 5], -9, [0, 0]],
    [[10.5], -0.25, [10.25]],
    [[-1, 5], -3, [-1, 2]],
    [[], -3, []],
  ])('changes a target of %j by %d to %j', (before, change, after) =>
    expect(withUnbooked(target(...before), { '': change })).toEqual(target(...after)),
  );

  it.each([
    [[5, 5], { s1: -3 }, [5, 2]],
    [[5, 5], { s1: 3 }, [5, 8]],
    [[5, 5], { s0: 3, s1: -3 }, [8, 2]],
    [[5, 5], { s1: -7 }, [3, 0]],
    [[5, 5], { s1: 3, gone: 2 }, [7, 8]],
    [[0.5, 0.5], { s1: -0.25 }, [0.5, 0.25]],
  ])('changes a target of %j at each source by %j to %j', (before, change, after) =>
    expect(withUnbooked(target(...before), change)).toEqual(target(...after)),
  );

  it.each([
    ['of one source', 3, { west: 3 }, {}, { west: 3 }],
    ['of two sources', 3, { west: 2, east: 1 }, {}, { west: 2, east: 1 }],
    ['without what the other one has shipped there', 2, { west: 3, east: 1 }, { west: 2 }, { west: 1, east: 1 }],
    ['of Magento', -3, {}, { west: 3 }, { west: -3 }],
    ['of Magento, less what InvenTree has shipped there', -1, { west: 2 }, { west: 3 }, { west: -1 }],
    ['of nobody knows where', 3, {}, {}, { '': 3 }],
    ['in part of nobody knows where', 3, { west: 1 }, {}, { west: 1, '': 2 }],
    ['no more than is unbooked', 1, { west: 3 }, {}, { west: 1 }],
    ['nothing, where both have shipped from different sources', 0, { west: 3 }, { east: 3 }, {}],
  ])('tells units %s', (_, count, inInvenTree, inMagento, expected) =>
    expect(unitsBySource(count, inInvenTree, inMagento)).toEqual(expected),
  );

  it('keeps the invariant: what can be sold is what is for sale without the open orders', () => {
    for (let ordered = 0; ordered <= 4; ordered++)
      for (let canceled = 0; canceled <= ordered; canceled++)
        for (let shipped = 0; shipped <= ordered - canceled; shipped++)
          for (let inInvenTree = 0; inInvenTree <= ordered; inInvenTree++) {
            const before = 10;
            const toShip = ordered - canceled - shipped;
            const unbooked = { '': units(shipped, toShip, inInvenTree) };
            const [written] = withUnbooked(target(before - inInvenTree), unbooked);
            const salable = Number((written?.quantity ?? 0n) / parseQuantity('1')) - toShip;
            // Nobody may buy what was shipped or is still to be shipped by either of them.
            expect(salable).toBe(before - Math.max(inInvenTree, ordered - canceled));
          }
  });

  it.each([
    [3, 1, 3],
    [2.5, 1, 2.5],
    [8, 4, 2],
    [7, 4, 1],
    [0.5, 0.25, 2],
  ])('counts %d of a part in packs of %d as %d', (quantity, packSize, expected) =>
    expect(unitsOfProduct(quantity, packSize)).toBe(expected),
  );
});

describe('an order', () => {
  const row = { canceled: 0, shipped: 0, refunded: 0, price: 10 };
  const order = {
    id: 1,
    incrementId: '000000001',
    state: 'processing',
    currency: 'USD',
    createdAt: '2026-11-25 14:42:16',
    updatedAt: '2026-11-25 14:42:17',
    items: [
      { ...row, id: 1, parent: undefined, productType: 'simple', sku: 'A', ordered: 5, canceled: 1, shipped: 2 },
      { ...row, id: 2, parent: undefined, productType: 'configurable', sku: 'B-RED', ordered: 2 },
      { ...row, id: 3, parent: 2, productType: 'simple', sku: 'B-RED', ordered: 2 },
      { ...row, id: 4, parent: undefined, productType: 'bundle', sku: 'C', ordered: 2 },
      { ...row, id: 5, parent: 4, productType: 'simple', sku: 'X', ordered: 6 },
      { ...row, id: 6, parent: 4, productType: 'simple', sku: 'Y', ordered: 2 },
      { ...row, id: 7, parent: undefined, productType: 'simple', sku: 'D', ordered: 3, refunded: 1 },
    ],
  };

  it('has lines with what is still to be shipped', () => {
    expect(orderLines(order).map(line => [line.item, line.quantity, line.shipped, line.toShip])).toEqual([
      [1, 4, 2, 2],
      [2, 2, 0, 2],
      [5, 6, 0, 6],
      [6, 2, 0, 2],
      [7, 2, 0, 2],
    ]);
  });

  it('is shipped by its own rows: a bundle as a whole', () => {
    const shipped = (units: [number, number][]) =>
      shipmentItems(order, new Map(units)).map(({ item, quantity }) => [item, quantity]);
    expect(shipped([[1, 2]])).toEqual([[1, 2]]);
    expect(shipped([[2, 1]])).toEqual([[2, 1]]);
    expect(shipped([[5, 6]])).toEqual([]);
    expect(
      shipped([
        [5, 5],
        [6, 2],
      ]),
    ).toEqual([[4, 1]]);
    expect(
      shipped([
        [1, 1],
        [5, 6],
        [6, 2],
      ]),
    ).toEqual([
      [1, 1],
      [4, 2],
    ]);
  });

  it('has sent all that a bundle consists of', () => {
    expect([
      ...shippedUnits(order, [
        { item: 1, quantity: 2 },
        { item: 4, quantity: 1 },
      ]),
    ]).toEqual([
      [1, 2],
      [5, 3],
      [6, 1],
    ]);
  });
});

describe('the stock that is sent', () => {
  const item = (id: number, available: number, expiresOn?: string, ...sources: string[]) => ({
    id,
    available,
    expiresOn,
    sources: sources.length > 0 ? sources : ['here'],
  });

  it.each([
    ['the oldest first', [item(2, 5), item(1, 5)], 3, [[1, 3]], 0],
    [
      'what expires first',
      [item(1, 5), item(2, 5, '2030-01-01'), item(3, 1, '2029-01-01')],
      4,
      [
        [3, 1],
        [2, 3],
      ],
      0,
    ],
    [
      'from its own source first',
      [item(1, 5, undefined, 'there'), item(2, 2)],
      4,
      [
        [2, 2],
        [1, 2],
      ],
      0,
    ],
    ['nothing that is allocated', [item(1, 0), item(2, -1), item(3, 0.3)], 0.5, [[3, 0.3]], 0.2],
    ['nothing at all', [], 2, [], 2],
  ])('is %s', (_, items, quantity, picks, missing) => {
    const found = stockPicks(items, quantity, 'here');
    expect(found.picks.map(pick => [pick.item, pick.quantity])).toEqual(picks);
    expect(found.missing).toBe(missing);
  });

  const need = (line: number, part: number, quantity: number) => ({ line, part, quantity });
  const plan = (needed: ReturnType<typeof need>[], ...stock: [number, ReturnType<typeof item>[]][]) => {
    const { picks, missing } = allocationPlan(needed, new Map(stock), ['here', 'there']);
    return { picks: picks.map(({ line, item: id, quantity }) => [line, id, quantity]), missing };
  };

  it('is what those leave that wait for the same part', () => {
    const stock = new Map([
      [7, [item(1, 2), item(2, 3, '2029-01-01'), item(3, 5, undefined, 'there')]],
      [8, [item(4, 1)]],
    ]);
    const leftBy = (units: number) =>
      [...stockLeftBy(new Map([[7, units]]), stock, ['here', 'there'])].map(([part, items]) => [
        part,
        ...items.map(({ available }) => available),
      ]);
    expect(leftBy(0)).toEqual([
      [7, 2, 3, 5],
      [8, 1],
    ]);
    expect(leftBy(3.5)).toEqual([
      [7, 1.5, 0, 5],
      [8, 1],
    ]);
    expect(leftBy(100)).toEqual([
      [7, 0, 0, 0],
      [8, 1],
    ]);
  });

  it('is from one source where one has all of it, even if others expire first', () => {
    const stock: Parameters<typeof plan>[1][] = [
      [7, [item(1, 9, '2029-01-01'), item(2, 3, undefined, 'there')]],
      [8, [item(3, 1), item(4, 2, undefined, 'there')]],
    ];
    expect(plan([need(1, 7, 3), need(2, 8, 2)], ...stock).picks).toEqual([
      [1, 2, 3],
      [2, 4, 2],
    ]);
    expect(plan([need(1, 7, 3), need(2, 8, 1)], ...stock).picks).toEqual([
      [1, 1, 3],
      [2, 3, 1],
    ]);
  });

  it('is all there is, where no source has enough, and what is missing is told by part', () => {
    const found = plan([need(1, 7, 4), need(2, 8, 2)], [7, [item(1, 1), item(2, 2, '2029-01-01', 'there')]]);
    expect(found).toEqual({
      picks: [
        [1, 1, 1],
        [1, 2, 2],
      ],
      missing: [
        { part: 7, quantity: 1 },
        { part: 8, quantity: 2 },
      ],
    });
  });

  it('is not given to two lines of one part', () => {
    const found = plan([need(1, 7, 2), need(2, 7, 2)], [7, [item(1, 3.1)]]);
    expect(found).toEqual({
      picks: [
        [1, 1, 2],
        [2, 1, 1.1],
      ],
      missing: [{ part: 7, quantity: 0.9 }],
    });
  });
});
