/** The search in a query. */
export interface Search {
  groups: { field: string; value: string; condition_type: string }[][];
  sortOrders: { field: string; direction: string }[];
  pageSize: number | undefined;
  currentPage: number | undefined;
}

/** Reads `searchCriteria[...]` from a query. */
export function searchFrom(query: URLSearchParams): Search {
  const groups: Search['groups'] = [];
  const sortOrders: Search['sortOrders'] = [];
  let pageSize: number | undefined;
  let currentPage: number | undefined;
  for (const [name, value] of query) {
    const filter =
      /^searchCriteria\[filter_groups\]\[(\d+)\]\[filters\]\[(\d+)\]\[(field|value|condition_type)\]$/.exec(name);
    if (filter) {
      const group = (groups[Number(filter[1])] ??= []);
      const entry = (group[Number(filter[2])] ??= { field: '', value: '', condition_type: 'eq' });
      entry[filter[3] as 'field'] = value;
    }
    const sort = /^searchCriteria\[sortOrders\]\[(\d+)\]\[(field|direction)\]$/.exec(name);
    if (sort) {
      const entry = (sortOrders[Number(sort[1])] ??= { field: '', direction: 'ASC' });
      entry[sort[2] as 'field'] = value;
    }
    if (name === 'searchCriteria[pageSize]') pageSize = Number(value);
    if (name === 'searchCriteria[currentPage]') currentPage = Number(value);
  }
  return { groups, sortOrders, pageSize, currentPage };
}

type Row = Record<string, unknown>;

/** The rows that a search finds, in its order. */
export function foundRows<R extends Row>(rows: readonly R[], search: Search): R[] {
  const groups = search.groups.map(filters => filters.map(filter => ({ field: filter.field, matches: test(filter) })));
  const found = rows.filter(row => groups.every(group => group.some(({ field, matches }) => matches(row[field]))));
  return sortedRows(found, search);
}

/** The page of these rows that a search asks for, as Magento returns it. */
export function pageOf(found: readonly Row[], search: Search, defaultPageSize: number | undefined): Row {
  const pageSize = search.pageSize ?? defaultPageSize;
  const start = pageSize ? ((search.currentPage ?? 1) - 1) * pageSize : 0;
  return {
    items: pageSize ? found.slice(start, start + pageSize) : found,
    search_criteria: {
      filter_groups: search.groups.map(filters => ({ filters })),
      ...(search.sortOrders.length > 0 && { sort_orders: search.sortOrders }),
      ...(search.pageSize !== undefined && { page_size: search.pageSize }),
      ...(search.currentPage !== undefined && { current_page: search.currentPage }),
    },
    total_count: found.length,
  };
}

/** Compares as MySQL does: ignores case and trailing spaces. */
const comparable = (value: unknown) => {
  const text = String(value);
  return (text.endsWith(' ') ? text.replace(/ +$/, '') : text).toLowerCase();
};

/** Whether a value passes a filter. */
function test({ value: wanted, condition_type }: Search['groups'][number][number]): (value: unknown) => boolean {
  const order = (value: unknown) => (typeof value === 'number' ? value - Number(wanted) : compare(value, wanted));
  switch (condition_type) {
    case 'eq':
      return value => order(value) === 0;
    case 'in': {
      const any = new Set(wanted.split(',').map(comparable));
      return value => any.has(comparable(value));
    }
    case 'gt':
      return value => order(value) > 0;
    case 'gteq':
      return value => order(value) >= 0;
    case 'lt':
      return value => order(value) < 0;
    case 'lteq':
      return value => order(value) <= 0;
    default:
      throw new Error(`the fake does not know condition ${condition_type}`);
  }
}

function sortedRows<R extends Row>(rows: R[], { sortOrders, groups }: Search): R[] {
  const filtersBySku = groups.some(group => group.some(({ field }) => field === 'sku'));
  // Without a sort order, a search by SKU returns the order of the index [recording msi-get-comma-or].
  const [order = filtersBySku ? { field: 'sku', direction: 'ASC' } : undefined] = sortOrders;
  if (!order) return rows;
  const isKey = order.field === 'source_item_id' || order.field === 'entity_id';
  const field = isKey && rows[0] && 'id' in rows[0] ? 'id' : order.field;
  const sign = order.direction === 'DESC' ? -1 : 1;
  return rows.sort((a, b) => sign * (compare(a[field], b[field]) || compare(a.source_code, b.source_code)));
}

function compare(a: unknown, b: unknown): number {
  if (typeof a === 'number' && typeof b === 'number') return a - b;
  const [x, y] = [comparable(a), comparable(b)];
  return x < y ? -1 : x > y ? 1 : 0;
}

/** Keeps what `fields=` names: `items[sku,quantity],total_count`, in the order of the answer. */
export function withFields(body: unknown, fields: string | null): unknown {
  return fields === null ? body : kept(body, parseFields(fields));
}

type Fields = Map<string, Fields | undefined>;

function parseFields(text: string): Fields {
  let position = 0;
  const list = (): Fields => {
    const fields: Fields = new Map();
    while (position < text.length) {
      const name = /^[^,[\]]+/.exec(text.slice(position))?.[0] ?? '';
      position += name.length;
      let inner: Fields | undefined;
      if (text[position] === '[') {
        position++;
        inner = list();
      }
      if (name) fields.set(name, inner);
      if (text[position++] !== ',') break;
    }
    return fields;
  };
  return list();
}

function kept(value: unknown, fields: Fields): unknown {
  if (Array.isArray(value)) return value.map(entry => kept(entry, fields));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).flatMap(([name, entry]) => {
      if (!fields.has(name)) return [];
      const inner = fields.get(name);
      if (!inner) return [[name, entry]];
      // An empty list becomes null, at every depth [recordings as-sent/products-none-with-fields,
      // orders/90-shipments-of-configurable].
      return [[name, Array.isArray(entry) && entry.length === 0 ? null : kept(entry, inner)]];
    }),
  );
}
