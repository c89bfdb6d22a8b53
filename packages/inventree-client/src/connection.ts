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
}

/** The calls that both ways of reading are made of. */
export interface InvenTreeConnection {
  /** Any answer; rejects with a CallError where none came. */
  call: HttpClient['call'];
  /** The body of a good answer; rejects with a CallError for any other. */
  request<T>(call: Call, what: string, schema: ZodType<T>): Promise<T>;
  /** All rows of a paged list. */
  list<T extends { pk: number }>(path: string, what: string, row: ZodType<T>): Promise<T[]>;
  close(): void;
}

/** Rows in one page of a list. */
const PAGE_SIZE = 1000;

/** An authenticated connection to one InvenTree. */
export function connectToInvenTree(options: InvenTreeClientOptions): InvenTreeConnection {
  const http = createHttpClient({
    system: 'InvenTree',
    baseUrl: options.baseUrl,
    timeoutMs: options.timeoutMs,
    verifyTls: options.verifyTls,
    caFile: options.caFile,
    authorization: () => `Token ${options.token}`,
  });

  const { limit = work => work() } = options;
  const call: HttpClient['call'] = outgoing => limit(() => http.call(outgoing));

  async function request<T>(outgoing: Call, what: string, schema: ZodType<T>): Promise<T> {
    const answer = await repeatRefused(() => call(outgoing));
    if (answer.status >= 300 || !answer.isJson) throw errorFrom(answer, outgoing);
    return parsedBody('InvenTree', what, schema, answer);
  }

  /**
   * Always with a limit: without one InvenTree answers a bare array (docs/facts/inventree.md, fact 7). Rows that are
   * deleted while we page shift the rest, so there must be as many rows as InvenTree counted.
   */
  async function list<T extends { pk: number }>(path: string, what: string, row: ZodType<T>): Promise<T[]> {
    const page = z.object({ count: z.number().int(), next: z.string().nullable(), results: z.array(row) });
    const rows = new Map<number, T>();
    let count: number | undefined;
    for (let offset = 0; ; offset += PAGE_SIZE) {
      const paging = `${path.includes('?') ? '&' : '?'}limit=${PAGE_SIZE}${offset ? `&offset=${offset}` : ''}`;
      const body = await request({ method: 'GET', path: path + paging }, what, page);
      if (count !== undefined && body.count !== count) throw changedWhilePaging(what);
      count = body.count;
      for (const found of body.results) rows.set(found.pk, found);
      if (body.next === null || body.results.length === 0) break;
    }
    if (rows.size !== count) throw changedWhilePaging(what);
    return [...rows.values()];
  }

  return { call, request, list, close: http.close };
}

function changedWhilePaging(what: string): CallError {
  return new CallError('InvenTree', 'unavailable', `InvenTree's ${what} changed while they were read in pages`);
}

const detailBody = z.object({ detail: z.string() });
const errorBody = z.object({ error: z.string() });

/** The error that an answer amounts to (docs/facts/inventree.md, "Authentication" and "Failing"). */
function errorFrom({ status, isJson, body, location, retryAfterMs }: Answer, { path }: Call): CallError {
  const where = path.replace(/\?.*$/s, '');
  const reason = errorBody.safeParse(body).data?.error ?? detailBody.safeParse(body).data?.detail ?? excerpt(body);
  if (status === 401 || (status === 403 && isJson)) {
    const hint = "The token's user needs the view role for parts, stock and stock locations.";
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
