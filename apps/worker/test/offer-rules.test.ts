import { offerRulesFor, partStock } from './part-stock';

afterEach(() => void jest.useRealTimers());

const MAIN = { name: 'Main', parent: null, external: false };

function rulesWith(environment: Record<string, string>) {
  jest.useFakeTimers({ now: 1_000_000 });
  let [reads, version] = [0, 0];
  const locations: Record<number, typeof MAIN> = { 1: MAIN };
  const increase = () => {
    version++;
    return Promise.resolve();
  };
  const rules = offerRulesFor(
    environment,
    () => {
      reads++;
      return { ...locations };
    },
    { get: () => Promise.resolve(version), increase },
  );
  return { rules, reads: () => reads, increase, locations };
}
const SOURCES = { SOURCE_MAP: '{"default":[1]}' };

describe("InvenTree's locations, statuses and categories", () => {
  it('are read once for many requests, and again after a while', async () => {
    const { rules, reads } = rulesWith(SOURCES);
    await Promise.all([rules.offers(), rules.offers(), rules.offers()]);
    expect(reads()).toBe(1);
    jest.setSystemTime(1_029_000);
    await rules.offers();
    expect(reads()).toBe(1);
    jest.setSystemTime(1_031_000);
    await rules.offers();
    expect(reads()).toBe(2);
  });

  it('are read again when they may have changed, or where newer ones are required', async () => {
    const { rules, reads, increase } = rulesWith(SOURCES);
    await rules.offers();
    await increase();
    await Promise.all([rules.offers(), rules.offers()]);
    expect(reads()).toBe(2);
    jest.setSystemTime(1_000_500);
    await rules.offers(1_000_400);
    await rules.offers(1_000_400);
    expect(reads()).toBe(3);
  });

  it('are read again for a part at a location that was created since', async () => {
    const { rules, reads, locations } = rulesWith(SOURCES);
    const stock = [{ location: 2, inStock: '5', allocated: '0' }];
    await rules.offers();
    locations[2] = { ...MAIN, parent: 1 as never };
    jest.setSystemTime(1_000_001);
    const offer = await rules.offerOf(partStock({ stock }));
    expect(offer).toMatchObject({ stock: { target: [{ sourceCode: 'default', quantity: 500_000n }] } });
    await rules.offerOf(partStock({ stock }));
    expect(reads()).toBe(2);
  });

  it('are not read where no rule needs them', async () => {
    const { rules, reads } = rulesWith({});
    await rules.offers(2_000_000);
    expect(reads()).toBe(0);
  });

  it.each([
    [{ SOURCE_MAP: '{"default":[1],"west":[7]}' }, '7 in SOURCE_MAP (source west)'],
    [{ EXCLUDE_LOCATIONS: '1,9' }, '9 in EXCLUDE_LOCATIONS'],
    [
      { COUNT_STATUSES: 'OK,Sellable' },
      "COUNT_STATUSES: expected some of OK, which InvenTree counts as in stock, got 'Sellable'",
    ],
    [{ COUNT_STATUSES: 'Lost' }, "got 'Lost'"],
  ])('%j: a name that InvenTree does not have stops all work', async (environment, message) => {
    await expect(rulesWith(environment).rules.offers()).rejects.toMatchObject({
      kind: 'credentials',
      message: expect.stringContaining(message) as string,
    });
  });
});
