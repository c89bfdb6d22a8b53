import { formatQuantity, type Offer } from '@stock-sync/domain';
import { orderActions, startInvenTree, type FakeInvenTree } from '@stock-sync/fakes';
import { createInvenTreeClient, type InvenTreeClient, type PartStock } from '@stock-sync/inventree-client';
import { readSettings } from '@stock-sync/service';
import fc from 'fast-check';
import { createOfferRules } from '../src/offer-rules';
import { ruleSettings, shopRulesFrom } from '../src/rule-settings';

/**
 * For random stock and random rules three ways have one result: the plugin's read, the plain read, and a model that is
 * written here, as simply as possible and with nothing of the code that it checks.
 */

const CASES = 1_000;
/** Cases in one InvenTree, one after another. */
const CASES_PER_INVENTREE = 25;

let inventree: FakeInvenTree;
let clients: InvenTreeClient[] = [];
beforeEach(async () => {
  inventree = await startInvenTree();
  inventree.shop.templates.set(1, { pk: 1, name: 'Pack size' });
  inventree.shop.templates.set(2, { pk: 2, name: 'Safety' });
  inventree.shop.templates.set(3, { pk: 3, name: 'Web shop' });
  inventree.shop.customStatuses.set(11, { name: 'DEMO', label: 'Demo unit' });
  for (const [pk, parent] of [
    [1, null],
    [2, 1],
    [3, null],
  ] as const)
    inventree.shop.categories.set(pk, parent);
  inventree.shop.addLocation('Main', { pk: 1 });
  inventree.shop.addLocation('Box', { pk: 2, parent: 1 });
  inventree.shop.addLocation('West', { pk: 3 });
  inventree.shop.addLocation('Supplier', { pk: 4, external: true });
});
afterEach(async () => {
  for (const client of clients) client.close();
  clients = [];
  await inventree.close();
});

const item = fc.record({
  owner: fc.constantFrom('template', 'variant', 'component'),
  // An even number of hundredths, so that the model counts in whole numbers, halves included.
  hundredths: fc.integer({ min: 1, max: 10_000 }).map(n => 2 * n),
  location: fc.constantFrom(null, 1, 2, 3, 4),
  status: fc.constantFrom(10, 50, 55, 85, 65, 70),
  isDemo: fc.boolean(),
  isExpired: fc.boolean(),
  allocatedPercent: fc.constantFrom(0, 0, 50, 100),
});
const rules = fc.record({
  SYNC_PARTS: fc.constantFrom('all', 'all', 'active', 'salable'),
  SYNC_CATEGORIES: fc.constantFrom('', '', '', '1', '2,3'),
  SYNC_PARAMETER: fc.constantFrom('', '', '', 'Web shop=yes'),
  SOURCE_MAP: fc.constantFrom('', '', '{"default":[1],"west":[3]}', '{"default":[1,3,4]}'),
  EXCLUDE_LOCATIONS: fc.constantFrom('', '', '2', '3,1'),
  COUNT_EXTERNAL: fc.constantFrom('true', 'false'),
  COUNT_EXPIRED: fc.constantFrom('true', 'false'),
  COUNT_STATUSES: fc.constantFrom('', '', 'OK', 'OK,Returned', 'Demo unit,damaged'),
  STOCK_BASIS: fc.constantFrom('in_stock', 'unallocated'),
  COUNT_BUILDABLE: fc.constantFrom('true', 'false'),
  TEMPLATE_TOTAL: fc.constantFrom('true', 'false'),
  SAFETY_STOCK: fc.constantFrom('', '60', '7.5', '5%', '12.34%'),
  SAFETY_STOCK_PARAMETER: fc.constantFrom('', 'Safety'),
  PACK_SIZE_PARAMETER: fc.constantFrom('', 'Pack size'),
  ALLOW_DECIMALS: fc.constantFrom('true', 'false'),
});
const oneCase = fc.record({
  items: fc.array(item, { maxLength: 8 }),
  rules,
  active: fc.constantFrom(true, true, true, false),
  salable: fc.constantFrom(true, true, true, false),
  virtual: fc.constantFrom(...Array.from({ length: 9 }, () => false), true),
  category: fc.constantFrom(null, 1, 2, 3),
  packSize: fc.constantFrom('', '10', '2.5'),
  safety: fc.constantFrom('', '4', '10%'),
  webShop: fc.constantFrom('', 'yes', 'no'),
  perUnit: fc.integer({ min: 1, max: 5 }),
});
type Case = typeof oneCase extends fc.Arbitrary<infer T> ? T : never;

/** Puts a template with a variant, and a component of the template, into InvenTree. Resolves with the template's id. */
function addParts(one: Case, n: number): number {
  const { shop } = inventree;
  const { active, salable, virtual, category } = one;
  const common = { active, salable, virtual, category };
  const template = shop.addPart({ name: `T-${n}`, isTemplate: true, assembly: true, ...common }).pk;
  const variant = shop.addPart({ name: `V-${n}`, variantOf: template }).pk;
  const component = shop.addPart({ name: `C-${n}` }).pk;
  shop.billOfMaterials.push({ part: template, component, quantity: one.perUnit });
  const values = [one.packSize, one.safety, one.webShop];
  for (const [index, data] of values.entries()) {
    if (data !== '') shop.parameters.push({ pk: 10 * n + index, template: index + 1, part: template, data });
  }
  const owners = { template, variant, component };
  for (const row of one.items) {
    const quantity = row.hundredths / 100;
    const added = shop.insertItem({
      part: owners[row.owner],
      quantity,
      location: row.location,
      status: row.status,
      customStatus: row.isDemo && row.status === 10 ? 11 : null,
      expiryDate: row.isExpired ? '2020-01-01' : null,
    });
    const allocated = (row.hundredths * row.allocatedPercent) / 10_000;
    if (allocated === 0 || !shop.isInStock(added)) continue;
    const { order, shipment } = orderActions.addSalesOrder(shop, 1, [{ part: added.part, quantity: allocated }]);
    const line = shop.salesOrders.get(order)?.lines[0]?.pk ?? 0;
    orderActions.allocate(shop, order, line, added.pk, allocated, shipment);
  }
  return template;
}

/** What the store should show by source, in hundredths where decimals are allowed; a reason where nothing. */
function model(one: Case): Record<string, string> | undefined {
  const { rules: r } = one;
  if (one.virtual) return undefined;
  if (r.SYNC_PARTS === 'active' && !one.active) return undefined;
  if (r.SYNC_PARTS === 'salable' && !one.salable) return undefined;
  const wanted: Record<string, (number | null)[]> = { '': [null, 1, 2, 3], '1': [1, 2], '2,3': [2, 3] };
  if (!wanted[r.SYNC_CATEGORIES]?.includes(one.category)) return undefined;
  if (r.SYNC_PARAMETER !== '' && one.webShop !== 'yes') return undefined;

  const inStock = one.items.filter(row => [10, 50, 55, 85].includes(row.status));
  const own = inStock.filter(
    row => row.owner === 'template' || (row.owner === 'variant' && r.TEMPLATE_TOTAL === 'true'),
  );
  const sourceOf = (location: number | null): string | undefined => {
    if (location !== null) {
      if (r.EXCLUDE_LOCATIONS === '2' && location === 2) return undefined;
      if (r.EXCLUDE_LOCATIONS === '3,1' && location !== 4) return undefined;
      if (r.COUNT_EXTERNAL === 'false' && location === 4) return undefined;
    }
    if (r.SOURCE_MAP === '') return 'default';
    if (location === null) return undefined;
    if (r.SOURCE_MAP.includes('west')) return location === 3 ? 'west' : location === 4 ? undefined : 'default';
    return 'default';
  };
  const sources: Record<string, number> = r.SOURCE_MAP.includes('west') ? { default: 0, west: 0 } : { default: 0 };
  for (const row of own) {
    const isDemo = row.isDemo && row.status === 10;
    const countsStatus = {
      '': true,
      OK: row.status === 10 && !isDemo,
      'OK,Returned': (row.status === 10 && !isDemo) || row.status === 85,
      'Demo unit,damaged': isDemo || row.status === 55,
    }[r.COUNT_STATUSES];
    const source = sourceOf(row.location);
    if (!countsStatus || source === undefined || (row.isExpired && r.COUNT_EXPIRED === 'false')) continue;
    const allocated = r.STOCK_BASIS === 'unallocated' ? (row.hundredths * row.allocatedPercent) / 100 : 0;
    sources[source] = (sources[source] ?? 0) + row.hundredths - allocated;
  }
  if (r.COUNT_BUILDABLE === 'true') {
    const components = inStock
      .filter(row => row.owner === 'component')
      .reduce((total, row) => total + row.hundredths * (1 - row.allocatedPercent / 100), 0);
    sources.default = (sources.default ?? 0) + 100 * Math.floor(Math.round(components) / 100 / one.perUnit);
  }
  // From here in hundred-thousandths of a unit.
  const safety = (r.SAFETY_STOCK_PARAMETER && one.safety) || r.SAFETY_STOCK || '0';
  let units = safety.endsWith('%') ? 0 : Math.round(Number(safety) * 100_000);
  const pack = Number((r.PACK_SIZE_PARAMETER && one.packSize) || '1');
  const shown = Object.entries(sources).map(([source, hundredths]) => {
    const there = Math.round(hundredths * 1_000);
    const share = Math.ceil((there * Math.round(Number(safety.replace('%', '')) * 100)) / 10_000);
    const held = Math.min(there, safety.endsWith('%') ? share : units);
    if (!safety.endsWith('%')) units -= held;
    const packs = Math.floor((there - held) / pack);
    const places = r.ALLOW_DECIMALS === 'true' ? 10 : 100_000;
    return [source, String((Math.floor(packs / places) * places) / 100_000)];
  });
  return Object.fromEntries(shown) as Record<string, string>;
}

function shown(offer: Offer): Record<string, string> | undefined {
  if (offer.kind === 'excluded') return undefined;
  if (offer.kind !== 'offered') throw new Error(`expected an offer, got ${JSON.stringify(offer)}`);
  return Object.fromEntries(
    offer.stock.target.map(({ sourceCode, quantity }) => [sourceCode, formatQuantity(quantity)]),
  );
}

let cases = 0;
it.each(Array.from({ length: CASES / CASES_PER_INVENTREE }, (_, n) => n))(
  'plugin, plain API and model agree (%i)',
  async round => {
    await fc.assert(
      fc.asyncProperty(oneCase, async one => {
        const template = addParts(one, ++cases);
        const byPlugin = await readBy(true, one, template);
        const plainly = await readBy(false, one, template);
        expect(byPlugin).toEqual(model(one));
        expect(plainly).toEqual(byPlugin);
      }),
      { numRuns: CASES_PER_INVENTREE, seed: 16 + round, endOnFailure: true },
    );
  },
);

/** By a read of this part, which a walk over all parts must agree with. */
async function readBy(plugin: boolean, one: Case, part: number): Promise<Record<string, string> | undefined> {
  inventree.setPlugin(plugin);
  const options = { baseUrl: inventree.url, token: inventree.tokens.viewer, timeoutMs: 5_000, verifyTls: true };
  const client = createInvenTreeClient(options);
  clients.push(client);
  const version = { get: () => Promise.resolve(0), increase: () => Promise.resolve() };
  const shopRules = shopRulesFrom(readSettings(one.rules, ruleSettings));
  const offerRules = createOfferRules({ inventree: client, version, rules: shopRules });
  const read = (await client.readParts([part], offerRules.wanted)).get(part);
  const walked: PartStock[] = [];
  for await (const page of client.walkStock(offerRules.wanted)) walked.push(...page.parts);
  const inWalk = walked.find(({ pk }) => pk === part);
  if (!read || !inWalk) throw new Error(`part ${part} is missing`);
  const result = shown(await offerRules.offerOf(read));
  expect(shown(await offerRules.offerOf(inWalk))).toEqual(result);
  return result;
}
