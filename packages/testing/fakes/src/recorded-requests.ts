import type { FakeAnswer } from './fake-http-server';
import { allRecordings, type RecordedSystem } from './recordings';
import { shapeDifference } from './shape';

/** A request, as far as its shape matters. */
export interface RequestOutline {
  method: string;
  /** Path and query, encoded. */
  path: string;
  body?: unknown;
}

/** What is known of a system: the requests that were recorded, and the answers to each. */
export interface RecordedRequests {
  /** Whether a request of this shape was recorded. */
  isRecorded(shape: string): boolean;
  /** Why the real system may answer this request otherwise; undefined where recordings back request and answer. */
  difference(request: RequestOutline, answer: FakeAnswer): string | undefined;
}

const MEASURED = 'measured on a real system (docs/facts/inventree.md, "Reading, and what it costs")';
const OURS = "answered by our own plugin, as the plugin's tests show";
const SOURCE = 'read in the source of InvenTree before 1.2 (docs/facts/inventree.md, "Versions")';

/**
 * Requests of our clients that nobody has recorded yet, each with what stands in for a recording. The closing note of a
 * change names them, so that they can be recorded.
 */
export const UNRECORDED: Readonly<Record<RecordedSystem, Readonly<Record<string, string>>>> = {
  inventree: {
    'GET /api/part/?limit&pricing=false': MEASURED,
    'GET /api/stock/?in_stock=true&limit&ordering=part&part_detail=false': MEASURED,
    'POST /plugin/magento-sync/stock/ {parameters: [string], parts: [number]}': OURS,
    'POST /plugin/magento-sync/stock/ {parts: [number], wanted: [string]}': OURS,
    'POST /plugin/magento-sync/stock/ {parameters: [string], parts: [number], wanted: [string]}': OURS,
    'GET /plugin/magento-sync/stock/?after&limit&parameters': OURS,
    'GET /plugin/magento-sync/stock/?after&limit&wanted': OURS,
    'GET /plugin/magento-sync/stock/?after&limit&parameters&wanted': OURS,
    'GET /plugin/magento-sync/categories/': OURS,
    'GET /api/part/parameter/?limit&template': SOURCE,
    'GET /api/part/parameter/template/?limit': SOURCE,
  },
  magento: {},
};

/** Numbers, codes and SKUs in a path: their values do not matter. */
const VARIABLE_PARTS: readonly [RegExp, string][] = [
  [/\/\d+(?=\/|$)/g, '/:id'],
  [/(\/V1\/(?:products|stockItems)\/)[^/]+/, '$1:sku'],
  [/(\/get-product-salable-quantity\/)[^/]+/, '$1:sku'],
  [/(\/stock-resolver\/website\/)[^/]+/, '$1:code'],
];

/**
 * Method, path, query and body without the values that change nothing about how a system answers: ids, SKUs, how many
 * filters of one kind there are, which page it is.
 */
export function requestShape({ method, path, body }: RequestOutline): string {
  const [route = '', query = ''] = path.split(/\?(.*)/s);
  const outline = VARIABLE_PARTS.reduce((text, [pattern, name]) => text.replace(pattern, name), route);
  const shape = `${method} ${outline}${queryShape(new URLSearchParams(query))}`;
  return body === undefined || body === null ? shape : `${shape} ${bodyShape(body)}`;
}

function queryShape(query: URLSearchParams): string {
  const fields = new Set<string>();
  const filters = new Map<string, { field?: string; condition?: string }>();
  for (const [name, value] of query) {
    const filter =
      /^searchCriteria\[filter_groups\]\[(\d+)\]\[filters\]\[(\d+)\]\[(field|value|condition_type)\]$/.exec(name);
    if (filter) {
      const key = `${filter[1]}.${filter[2]}`;
      const entry = filters.get(key) ?? {};
      if (filter[3] === 'field') entry.field = value;
      if (filter[3] === 'condition_type') entry.condition = value;
      filters.set(key, entry);
    } else if (name !== 'offset') fields.add(fieldShape(name, value));
  }
  for (const [key, { field = '', condition = 'eq' }] of filters) {
    fields.add(`group ${key.split('.')[0]}: ${field} ${condition}`);
  }
  return fields.size === 0 ? '' : `?${[...fields].sort().join('&')}`;
}

/** The values of these query fields change the answer; of others, only the name matters. */
function fieldShape(name: string, value: string): string {
  const matters = name === 'fields' || name === 'ordering' || /\]\[(field|direction)\]$/.test(name);
  return matters || /^(true|false)$/i.test(value) ? `${name}=${value}` : name.replace(/_\d+$/, '_:id');
}

function bodyShape(body: unknown): string {
  if (Array.isArray(body)) return body.length === 0 ? '[]' : `[${bodyShape(body[0])}]`;
  if (typeof body !== 'object' || body === null) return typeof body;
  const fields = Object.entries(body).map(([name, value]) => `${name}: ${bodyShape(value)}`);
  return `{${fields.sort().join(', ')}}`;
}

const read = new Map<RecordedSystem, RecordedRequests>();

/** The recordings of a system, which are read once in a process: tests start hundreds of fakes. */
export function openRecordedRequests(system: RecordedSystem): RecordedRequests {
  const before = read.get(system);
  if (before) return before;
  const now = readRecordedRequests(system);
  read.set(system, now);
  return now;
}

function readRecordedRequests(system: RecordedSystem): RecordedRequests {
  const byShape = new Map<string, FakeAnswer[]>();
  const refusals = new Map<number, FakeAnswer[]>();
  for (const { request, response } of allRecordings(system)) {
    const shape = requestShape(request);
    byShape.set(shape, [...(byShape.get(shape) ?? []), response]);
    if (response.status >= 300) refusals.set(response.status, [...(refusals.get(response.status) ?? []), response]);
  }

  return {
    isRecorded: shape => byShape.has(shape),
    difference(request, answer) {
      const shape = requestShape(request);
      const recorded = byShape.get(shape);
      if (!recorded && !(shape in UNRECORDED[system])) return `no recording of the request ${shape}`;
      if (answer.status === 204) return undefined;
      if (answer.status >= 300) {
        // What our own plugin refuses, its tests show. Maintenance, a missing right, an unknown id: they answer every
        // request alike.
        if (UNRECORDED[system][shape] === OURS && answer.status === 400) return undefined;
        return anyMatches(refusals.get(answer.status), answer) ? undefined : `no recording of ${outlineOf(answer)}`;
      }
      const difference = emptyListDifference(shape, answer.body) ?? (recorded && bodyDifference(recorded, answer));
      return difference && `${shape} is answered in another shape than recorded: ${difference}`;
    },
  };
}

function anyMatches(recorded: readonly FakeAnswer[] | undefined, answer: FakeAnswer): boolean {
  return recorded?.some(({ body }) => shapeDifference(answer.body, body) === undefined) ?? false;
}

function outlineOf({ status, body }: FakeAnswer): string {
  return `an answer ${status} like ${JSON.stringify(body ?? null).slice(0, 200)}`;
}

/** `fields=` turns an empty list into null, at every depth (docs/facts/magento.md, "Differences and traps"). */
function emptyListDifference(shape: string, body: unknown): string | undefined {
  const isTrimmed = /[?&]fields=/.test(shape);
  if (isTrimmed && hasEmptyList(body)) return 'an empty list is [], and fields= makes it null';
  const isNull = typeof body === 'object' && body !== null && 'items' in body && body.items === null;
  return isNull && !isTrimmed ? 'an empty list is null, and only fields= makes it so' : undefined;
}

function hasEmptyList(value: unknown): boolean {
  if (Array.isArray(value)) return value.length === 0 || hasEmptyList(value[0]);
  return typeof value === 'object' && value !== null && Object.values(value).some(hasEmptyList);
}

function bodyDifference(recorded: readonly FakeAnswer[], answer: FakeAnswer): string | undefined {
  const answered = recorded.filter(({ status }) => status < 300);
  // An empty list shows nothing of its rows.
  const full = answered.filter(({ body }) => !isEmptyList(body));
  const good = full.length > 0 ? full : answered;
  const differences = good.map(({ body }) => shapeDifference(answer.body, body));
  return differences.includes(undefined) ? undefined : (differences[0] ?? 'only refusals were recorded');
}

function isEmptyList(body: unknown): boolean {
  const { items, results } = (body ?? {}) as { items?: unknown[] | null; results?: unknown[] };
  return items === null || items?.length === 0 || results?.length === 0;
}
