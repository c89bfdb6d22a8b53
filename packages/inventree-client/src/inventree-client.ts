import {
  createEvidence,
  createHttpClient,
  CredentialsError,
  excerpt,
  parsedBody,
  TryLaterError,
  WrongItemError,
  type Answer,
  type Call,
  type Evidence,
  type HttpClient,
} from '@stock-sync/http-client';
import type { StockAtLocation } from '@stock-sync/sync-core';
import { z, type ZodType } from 'zod';

export interface InvenTreeClientOptions {
  /** InvenTree's base address, e.g. https://inventree.example. */
  baseUrl: string;
  /** An API token, "inv-...". */
  token: string;
  /** Milliseconds after which a call is given up. */
  timeoutMs: number;
  verifyTls: boolean;
  caFile?: string | undefined;
  /** Wraps every call: for whoever limits how many are under way at once. */
  limit?: <T>(call: () => Promise<T>) => Promise<T>;
  /** Parts that the plain API is asked for at once. */
  partsAtOnce?: number;
}

/** A part and its own stock (not that of its variants), as InvenTree has it now. */
export interface PartStock {
  pk: number;
  name: string;
  IPN: string;
  active: boolean;
  virtual: boolean;
  /** Value of the parameter that was asked for; null where the part has none or none was asked for. */
  parameter: string | null;
  stock: StockAtLocation[];
  /** The stock items that were read, where the way of reading tells them. */
  stockItems: number[];
}

/** A part that may bear a SKU. */
export interface PartIdentity {
  pk: number;
  name: string;
  IPN: string;
}

/** The calls that the two ways of reading are made of. */
export interface InvenTreeConnection {
  /** Any answer; rejects with a TryLaterError where none came. */
  call: HttpClient['call'];
  /** The body of a good answer; rejects with a CallError for any other. */
  request<T>(call: Call, what: string, schema: ZodType<T>): Promise<T>;
  /** What to make of a 500: see Evidence. */
  weigh: Evidence['weigh'];
  /** All rows of a paged list. */
  list<T extends { pk: number }>(path: string, what: string, row: ZodType<T>): Promise<T[]>;
  close(): void;
}

/** What InvenTree answers if it answers anything: it reads its database, and no certain part. */
const GOOD_CALL: Call = { method: 'GET', path: '/api/part/?limit=1&pricing=false' };

/** Rows in one page of a list. */
const PAGE_SIZE = 1000;

/** A logged-in connection to one InvenTree. */
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

  const evidence = createEvidence('InvenTree', () => requestOnce(GOOD_CALL, 'a list', z.unknown()));

  function request<T>(outgoing: Call, what: string, schema: ZodType<T>): Promise<T> {
    return evidence.weighed(requestOnce(outgoing, what, schema));
  }

  async function requestOnce<T>(outgoing: Call, what: string, schema: ZodType<T>): Promise<T> {
    const answer = await call(outgoing);
    if (answer.status >= 300 || !answer.isJson) throw errorFrom(answer, outgoing);
    return parsedBody('InvenTree', what, schema, answer);
  }

  /**
   * Without a limit InvenTree answers with a bare list [recording stock-no-limit], and rows that vanish while paging
   * shift the rest: the rows must be as many as it counted, and the count must stand still.
   */
  async function list<T extends { pk: number }>(path: string, what: string, row: ZodType<T>): Promise<T[]> {
    const page = z.object({ count: z.number().int(), next: z.string().nullable(), results: z.array(row) });
    const rows = new Map<number, T>();
    let count: number | undefined;
    for (let offset = 0; ; offset += PAGE_SIZE) {
      const paging = `${path.includes('?') ? '&' : '?'}limit=${PAGE_SIZE}${offset ? `&offset=${offset}` : ''}`;
      const body = await request({ method: 'GET', path: path + paging }, what, page);
      if (count !== undefined && body.count !== count) throw changed(what);
      count = body.count;
      for (const found of body.results) rows.set(found.pk, found);
      if (body.next === null || body.results.length === 0) break;
    }
    if (rows.size !== count) throw changed(what);
    return [...rows.values()];
  }

  return { call, request, list, weigh: evidence.weigh, close: http.close };
}

function changed(what: string): TryLaterError {
  return new TryLaterError('InvenTree', `InvenTree's ${what} changed while they were read in pages`);
}

const detail = z.object({ detail: z.string() });
const serverError = z.object({ error: z.string() });

function errorFrom(answer: Answer, { path }: Call): Error {
  const { status } = answer;
  const where = path.replace(/\?.*$/s, '');
  const said = serverError.safeParse(answer.body).data?.error ?? detail.safeParse(answer.body).data?.detail;
  const words = said ?? excerpt(answer.body);
  if (status === 401 || (status === 403 && answer.isJson)) {
    return new CredentialsError(
      'InvenTree',
      `InvenTree refused the token for ${where}: ${words} The token's user needs the view role on parts, stock and stock locations.`,
      { status },
    );
  }
  // A 500 may be one part's alone: whoever called weighs it.
  if (status === 500 || (answer.isJson && (status === 400 || status === 404))) {
    return new WrongItemError('InvenTree', `InvenTree answered ${status} for ${where}: ${words}`, { status });
  }
  if (status >= 300 && status < 400) {
    // Never followed: a path that is not there leads to the web page [recording plugin-path-absent].
    const to = answer.location ?? 'another address';
    return new TryLaterError('InvenTree', `InvenTree redirects ${where} to ${to}: check INVENTREE_URL`, { status });
  }
  if (status < 300) {
    return new TryLaterError('InvenTree', `InvenTree answered ${where} with a page instead of JSON: ${words}`, {
      status,
    });
  }
  return new TryLaterError('InvenTree', `InvenTree answered ${status} for ${where}: ${words}`, {
    status,
    retryAfterMs: answer.retryAfterMs,
  });
}
