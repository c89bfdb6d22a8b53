import { readFileSync } from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import { setTimeout as sleep } from 'node:timers/promises';
import { rootCertificates } from 'node:tls';
import axios, { AxiosError, type AxiosResponse, type InternalAxiosRequestConfig } from 'axios';
import axiosRetry, { isNetworkError } from 'axios-retry';
import type { ZodType } from 'zod';
import { CallError, type Direction, type System } from './call-error';
import { tracedCall } from './traced-call';

/** A call as it is sent, to be signed. */
export interface OutgoingCall {
  method: string;
  /** The full URL with its query. */
  url: string;
}

export interface HttpClientOptions {
  system: System;
  /** The base URL of the system, with or without a trailing slash. */
  baseUrl: string;
  /** Timeout of one attempt, in milliseconds. */
  timeoutMs: number;
  /** false accepts any TLS certificate. */
  verifyTls: boolean;
  /** PEM file with additional certificate authorities to trust. */
  caFile?: string | undefined;
  /** The Authorization header; computed for every attempt, because OAuth 1.0a signs each one. */
  authorization: (call: OutgoingCall) => string | undefined;
  /** The most connections that are kept open. */
  maxSockets?: number;
  /** Called after each call, whether it failed: no answer, an error of the server, or a refusal of who we are. */
  onCall?: ((isFailure: boolean) => void) | undefined;
}

/** An answer of any status. The body is parsed where its content type is JSON, otherwise it is text. */
export interface Answer {
  status: number;
  isJson: boolean;
  body: unknown;
  retryAfterMs: number | undefined;
  location: string | undefined;
  /** The time of the answer by the clock of its sender, in milliseconds since 1970. */
  dateMs: number | undefined;
}

export interface Call {
  method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** Path and query below the base URL, already encoded. */
  path: string;
  body?: unknown;
  /** `write` if the call changes something. */
  direction?: Direction;
}

export interface HttpClient {
  /**
   * Makes the call and resolves with whatever came back, redirects and errors included: the caller knows what they
   * mean. Rejects with a CallError of kind `no-answer` where nothing came back.
   */
  call(call: Call): Promise<Answer>;
  /** Closes the open connections. */
  close(): void;
}

/**
 * Attempts after the first one, for failures that last a moment: a broken connection, a gateway without its backend.
 * Only of reads: a write needs permission each time (apps/worker/src/calls/stock-writes.ts).
 */
const RETRIES = 2;
const RETRY_DELAY_MS = 150;
const RETRIED_STATUSES: ReadonlySet<number> = new Set([502, 504]);
const LARGEST_ANSWER_BYTES = 64 * 1024 * 1024;

/** A client for one system, with keep-alive connections. */
export function createHttpClient(options: HttpClientOptions): HttpClient {
  const { system, timeoutMs } = options;
  const baseUrl = options.baseUrl.replace(/\/+$/, '');
  const sockets = { keepAlive: true, maxSockets: options.maxSockets ?? 16 };
  const httpAgent = new http.Agent(sockets);
  const httpsAgent = new https.Agent({
    ...sockets,
    rejectUnauthorized: options.verifyTls,
    ...(options.caFile && { ca: [...rootCertificates, readFileSync(options.caFile, 'utf8')] }),
  });
  const client = axios.create({
    httpAgent,
    httpsAgent,
    timeout: timeoutMs,
    maxRedirects: 0,
    maxContentLength: LARGEST_ANSWER_BYTES,
    proxy: false,
    responseType: 'text',
    // axios would parse the JSON that was just written.
    transformRequest: body => body as unknown,
    transformResponse: text => text as unknown,
    validateStatus: status => !RETRIED_STATUSES.has(status),
    headers: { Accept: 'application/json', 'User-Agent': 'inventree-magento-sync' },
  });
  client.interceptors.request.use((config: InternalAxiosRequestConfig) => {
    const authorization = options.authorization({
      method: (config.method ?? 'GET').toUpperCase(),
      url: config.url ?? '',
    });
    if (authorization) config.headers.set('Authorization', authorization);
    return config;
  });
  axiosRetry(client, {
    retries: RETRIES,
    shouldResetTimeout: true,
    retryDelay: attempt => attempt * RETRY_DELAY_MS,
    retryCondition: error => isNetworkError(error) || RETRIED_STATUSES.has(error.response?.status ?? 0),
  });

  return {
    async call(outgoing) {
      try {
        const answer = await tracedCall(system, outgoing, () => answerTo(outgoing));
        options.onCall?.(isFailure(answer.status));
        return answer;
      } catch (error) {
        options.onCall?.(true);
        throw error;
      }
    },
    close() {
      httpAgent.destroy();
      httpsAgent.destroy();
    },
  };

  async function answerTo({ method, path, body, direction = 'read' }: Call): Promise<Answer> {
    try {
      const answer = await client.request<string>({
        method,
        url: `${baseUrl}${path}`,
        ...(body !== undefined && { data: JSON.stringify(body), headers: { 'Content-Type': 'application/json' } }),
        ...(direction === 'write' && { 'axios-retry': { retries: 0 } }),
        // The timeout of axios ends when the answer begins; this one also ends an answer that never completes.
        signal: AbortSignal.timeout(timeoutMs + RETRIES * (timeoutMs + RETRY_DELAY_MS * RETRIES)),
      });
      return answerFrom(system, answer.status, answer.headers, answer.data);
    } catch (error) {
      if (error instanceof CallError) throw error;
      if (error instanceof AxiosError && error.response) {
        const answer: AxiosResponse<string> = error.response as AxiosResponse<string>;
        return answerFrom(system, answer.status, answer.headers, answer.data);
      }
      throw new CallError(system, 'no-answer', `${system} did not answer: ${reasonOf(error, timeoutMs)}`, {
        cause: error,
        direction,
        isTimeout: isTimeout(error),
      });
    }
  }
}

/** A 400 or a 404 says something about one item, and nothing about the system. */
function isFailure(status: number): boolean {
  return status >= 500 || status === 401 || status === 403 || status === 429;
}

/** The pause before a refused call is repeated, in milliseconds. */
const REPEAT_MS = 200;

/**
 * Makes a call that changes nothing, and once more where it is refused with 401 or 403: one node behind a load balancer
 * may refuse what the others accept, and nobody needs to know of it.
 * @param isFinal whether the refusal is about this very call, so that another one would be refused, too
 */
export async function repeatRefused(
  call: () => Promise<Answer>,
  isFinal: (answer: Answer) => boolean = () => false,
): Promise<Answer> {
  const answer = await call();
  if ((answer.status !== 401 && answer.status !== 403) || isFinal(answer)) return answer;
  await sleep(REPEAT_MS);
  return call();
}

function answerFrom(system: System, status: number, headers: unknown, text: string): Answer {
  const header = (name: string) => {
    const value = (headers as Record<string, unknown>)[name];
    return typeof value === 'string' ? value : undefined;
  };
  const isJson = /\bjson\b/.test(header('content-type') ?? '');
  const answer = {
    status,
    isJson,
    retryAfterMs: retryAfterMs(header('retry-after')),
    location: header('location'),
    dateMs: dateMs(header('date')),
  };
  if (!isJson) return { ...answer, body: text };
  try {
    return { ...answer, body: text === '' ? undefined : (JSON.parse(text) as unknown) };
  } catch (cause) {
    // The body of an error is only shown to people.
    if (status >= 400) return { ...answer, isJson: false, body: text };
    throw new CallError(system, 'unavailable', `${system} answered ${status} with malformed JSON`, { status, cause });
  }
}

function retryAfterMs(value: string | undefined): number | undefined {
  if (value === undefined) return undefined;
  const seconds = Number(value);
  if (Number.isFinite(seconds)) return Math.max(0, seconds * 1000);
  const date = Date.parse(value);
  return Number.isNaN(date) ? undefined : Math.max(0, date - Date.now());
}

function dateMs(value: string | undefined): number | undefined {
  const date = Date.parse(value ?? '');
  return Number.isNaN(date) ? undefined : date;
}

function isTimeout(error: unknown): boolean {
  return error instanceof AxiosError && ['ECONNABORTED', 'ETIMEDOUT', 'ERR_CANCELED'].includes(error.code ?? '');
}

function reasonOf(error: unknown, timeoutMs: number): string {
  if (isTimeout(error)) return `no answer within ${timeoutMs / 1000} s`;
  if (error instanceof AxiosError) {
    return error.code ? `${error.code} ${error.message}`.trim() : error.message;
  }
  return error instanceof Error ? error.message : String(error);
}

/** The body if it has the expected shape; otherwise throws a CallError that says where it differs. */
export function parsedBody<T>(system: System, what: string, schema: ZodType<T>, answer: Answer): T {
  const parsed = schema.safeParse(answer.body);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const where = issue ? `${issue.path.join('.') || 'the body'}: ${issue.message}` : 'unreadable';
  const message = `${system} answered ${what} in an unexpected shape (${where})`;
  throw new CallError(system, 'unavailable', message, { status: answer.status });
}

/** An error page or message in one line, for the log. */
export function excerpt(body: unknown): string {
  const text = typeof body === 'string' ? body : JSON.stringify(body ?? '');
  const title = /<title>\s*([^<]*?)\s*<\/title>/i.exec(text)?.[1];
  return (title ?? text).replace(/\s+/g, ' ').trim().slice(0, 200);
}
