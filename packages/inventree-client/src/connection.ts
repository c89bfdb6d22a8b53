import {
  CallError,
  createHttpClient,
  excerpt,
  failureKindOf,
  parsedBody,
  repeatRefused,
  type Answer,
  type Call,
  type HttpClient,
} from '@stock-sync/http-client';
import { z, type ZodType } from 'zod';

export interface InvenTreeClientOptions {
  /** Base URL of InvenTree, e.g. https://inventree.example. */
  baseUrl: string;
  /** An API token, "inv-...". */
  token: string;
  /** Timeout of one attempt, in milliseconds. */
  timeoutMs: number;
  verifyTls: boolean;
  caFile?: string | undefined;
  /** Runs every call, so that the number of calls at once can be limited. */
  limit?: <T>(call: () => Promise<T>) => Promise<T>;
  /** Parts that are requested from the plain API at once. */
  partsAtOnce?: number;
  /** Called after each call, whether it failed. */
  onCall?: (isFailure: boolean) => void;
  /** Called when the plugin stops answering, with the reason and the remedy, and without one when it answers again. */
  onPluginChange?: (failure: string | undefined) => void;
}

/** The calls that both ways of reading are made of. */
export interface InvenTreeConnection {
  /** Any answer; rejects with a CallError where none came. */
  call: HttpClient['call'];
  /** The body of a good answer; rejects with a CallError for any other. */
  request<T>(call: Call, what: string, schema: ZodType<T>): Promise<T>;
  /**
   * All rows of a paged list. Where rows come and go while it is read, it is read again.
   * @param mayMiss whether a list that keeps changing is good enough although rows may be missing from it
   */
  list<T extends { pk: number }>(path: string, what: string, row: ZodType<T>, mayMiss?: boolean): Promise<T[]>;
  close(): void;
}

/** Rows in one page of a list. */
const PAGE_SIZE = 1000;
/** How often a list is read that changes meanwhile. */
const READINGS = 3;

/** An authenticated connection to one InvenTree. */
export function connectToInvenTree(options: InvenTreeClientOptions): InvenTreeConnection {
  const http = createHttpClient({
    system: 'InvenTree',
    baseUrl: options.baseUrl,
    timeoutMs: options.timeoutMs,
    verifyTls: options.verifyTls,
    caFile: options.caFile,
    authorization: () => `Token ${options.token}`,
    onCall: options.onCall,
  });

  const { limit = work => work() } = options;
  const call: HttpClient['call'] = outgoing => limit(() => http.call(outgoing));

  async function request<T>(outgoing: Call, what: string, schema: ZodType<T>): Promise<T> {
    const answer = await repeatRefused(() => call(outgoing));
    if (answer.status >= 300 || !answer.isJson) throw errorFrom(answer, outgoing);
    return parsedBody('InvenTree', what, schema, answer);
  }

  async function list<T extends { pk: number }>(
    path: string,
    what: string,
    row: ZodType<T>,
    mayMiss = false,
  ): Promise<T[]> {
    for (let reading = 1; ; reading++) {
      const { rows, isWhole, isShort } = await readOnce(path, what, row);
      if (isWhole || (mayMiss && reading === READINGS && !isShort)) return rows;
      if (reading < READINGS) continue;
      // Not an outage: other lists can be read.
      const message = `InvenTree's ${what} changed each of the ${READINGS} times that they were read in pages`;
      throw new CallError('InvenTree', 'refused', message);
    }
  }

  /**
   * Always with a limit: without one InvenTree answers a bare array (docs/facts/inventree.md, fact 7). Rows that are
   * deleted while we page shift the rest, so a row may be missing although nobody deleted it.
   */
  async function readOnce<T extends { pk: number }>(path: string, what: string, row: ZodType<T>) {
    const page = z.object({ count: z.number().int(), next: z.string().nullable(), results: z.array(row) });
    const rows = new Map<number, T>();
    const counts: number[] = [];
    for (let offset = 0; ; offset += PAGE_SIZE) {
      const paging = `${path.includes('?') ? '&' : '?'}limit=${PAGE_SIZE}${offset ? `&offset=${offset}` : ''}`;
      const body = await request({ method: 'GET', path: path + paging }, what, page);
      counts.push(body.count);
      for (const found of body.results) rows.set(found.pk, found);
      if (body.next === null || body.results.length === 0) break;
    }
    const count = counts.at(-1) ?? 0;
    return {
      rows: [...rows.values()],
      isWhole: new Set(counts).size === 1 && rows.size === count,
      // Far fewer rows than it counted: that is no change meanwhile, but an answer that makes no sense.
      isShort: rows.size < count - PAGE_SIZE / 10,
    };
  }

  return { call, request, list, close: http.close };
}

const detailBody = z.object({ detail: z.string() });
const errorBody = z.object({ error: z.string() });

const isAboutOrders = (path: string) => /^\/api\/(order|company)\//.test(path);

/** The error that an answer amounts to (docs/facts/inventree.md, "Authentication" and "Failing"). */
function errorFrom({ status, isJson, body, location, retryAfterMs }: Answer, { path }: Call): CallError {
  const where = path.replace(/\?.*$/s, '');
  const reason = errorBody.safeParse(body).data?.error ?? detailBody.safeParse(body).data?.detail ?? excerpt(body);
  if (status === 401 || (status === 403 && isJson)) {
    const hint = isAboutOrders(where)
      ? "For ORDERS the token's user needs the roles view, add, change and delete for sales orders."
      : "The token's user needs the view role for parts, stock and stock locations.";
    return new CallError('InvenTree', 'credentials', `InvenTree refused the token for ${where}: ${reason} ${hint}`, {
      status,
    });
  }
  if (status === 500 || (isJson && (status === 400 || status === 404))) {
    return new CallError('InvenTree', 'refused', `InvenTree answered ${status} for ${where}: ${reason}`, { status });
  }
  if (status >= 300 && status < 400) {
    // Never followed: a path that does not exist leads to the web page.
    const to = location ?? 'another address';
    return new CallError('InvenTree', 'unavailable', `InvenTree redirects ${where} to ${to}: check INVENTREE_URL`, {
      status,
    });
  }
  const message =
    status < 300
      ? `InvenTree answered ${where} with a page instead of JSON: ${reason}`
      : `InvenTree answered ${status} for ${where}: ${reason}`;
  return new CallError('InvenTree', failureKindOf(status, retryAfterMs), message, { status, retryAfterMs });
}
