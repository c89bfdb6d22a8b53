import { startInvenTree, startMagento } from '../src';
import { openRecordedRequests, UNRECORDED } from '../src/recorded-requests';

const PRODUCTS =
  '/rest/V1/products?searchCriteria[filter_groups][0][filters][0][field]=sku' +
  '&searchCriteria[filter_groups][0][filters][0][value]=A' +
  '&searchCriteria[filter_groups][0][filters][0][condition_type]=in' +
  '&searchCriteria[sortOrders][0][field]=entity_id&searchCriteria[sortOrders][0][direction]=ASC' +
  '&searchCriteria[pageSize]=300&searchCriteria[currentPage]=1';
const FIELDS = '&fields=items[sku,type_id],total_count';
const magento = openRecordedRequests('magento');
const inventree = openRecordedRequests('inventree');

describe('a request needs a recording', () => {
  it('of its method, path, query fields and body fields, whatever the SKU, the id or the page', () => {
    const found = { status: 200, body: { items: [{ sku: 'A', type_id: 'simple' }], total_count: 1 } };
    expect(magento.difference({ method: 'GET', path: PRODUCTS + FIELDS }, found)).toBeUndefined();
    expect(
      magento.difference({ method: 'GET', path: `${PRODUCTS.replace('=A&', '=B,C&')}${FIELDS}` }, found),
    ).toBeUndefined();
    expect(magento.difference({ method: 'GET', path: `${PRODUCTS}&fields=items[sku]` }, found)).toMatch(
      /^no recording of the request GET \/rest\/V1\/products\?fields=items\[sku\]/,
    );
    expect(magento.difference({ method: 'DELETE', path: '/rest/V1/products/A' }, { status: 200 })).toMatch(
      'no recording of the request DELETE /rest/V1/products/:sku',
    );
    const body = { sourceItems: [{ sku: 'A', source_code: 'default', quantity: 1, status: 1 }] };
    const write = { method: 'POST', path: '/rest/V1/inventory/source-items', body };
    expect(magento.difference(write, { status: 200, body: [] })).toBeUndefined();
    const [row] = body.sourceItems;
    const withMore = { ...write, body: { sourceItems: [{ ...row, notify: 1 }] } };
    expect(magento.difference(withMore, { status: 200, body: [] })).toMatch('no recording of the request POST');
  });

  it('or a reason, which is gone as soon as it is recorded', () => {
    expect(Object.keys(UNRECORDED.magento)).toEqual([]);
    for (const shape of Object.keys(UNRECORDED.inventree)) {
      expect(inventree.isRecorded(shape)).toBe(false);
    }
  });
});

describe('an answer needs a recording', () => {
  it('of its fields', () => {
    const renamed = { status: 200, body: { items: [{ sku: 'A', type: 'simple' }], total_count: 1 } };
    expect(magento.difference({ method: 'GET', path: PRODUCTS + FIELDS }, renamed)).toMatch(
      'missing [type_id], extra [type]',
    );
  });

  it('of its empty lists: null with fields=, [] without', () => {
    const nothing = (items: unknown) => ({ status: 200, body: { items, total_count: 0 } });
    expect(magento.difference({ method: 'GET', path: PRODUCTS + FIELDS }, nothing(null))).toBeUndefined();
    expect(magento.difference({ method: 'GET', path: PRODUCTS + FIELDS }, nothing([]))).toMatch(
      'an empty list is [], and fields= makes it null',
    );
    const sources = { method: 'GET', path: '/rest/V1/inventory/sources' };
    expect(magento.difference(sources, { status: 200, body: { ...nothing(null).body, search_criteria: {} } })).toMatch(
      'an empty list is null, and only fields= makes it so',
    );
  });

  it('of its status, for any request', () => {
    const path = PRODUCTS + FIELDS;
    const refusal = { message: 'x', parameters: { resources: 'y' } };
    expect(magento.difference({ method: 'GET', path }, { status: 401, body: refusal })).toBeUndefined();
    expect(magento.difference({ method: 'GET', path }, { status: 418, body: refusal })).toMatch(
      'no recording of an answer 418',
    );
  });
});

it('a fake that did what no recording shows fails the test that closes it', async () => {
  for (const [fake, name] of [
    [await startMagento(), 'magento'],
    [await startInvenTree(), 'inventree'],
  ] as const) {
    const token = name === 'magento' ? 'Bearer access-token' : 'Token inv-admin';
    const path = name === 'magento' ? '/rest/V1/inventory/sources?fields=items[name]' : '/api/part/?limit=1&colour=red';
    await fetch(fake.url + path, { headers: { authorization: token } });
    await expect(fake.close()).rejects.toThrow(`The fake ${name} did what no recording shows:\n- no recording of`);
  }
});
