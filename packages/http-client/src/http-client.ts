import { readFileSync } from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import { rootCertificates } from 'node:tls';
import axios, { AxiosError, type AxiosResponse, type InternalAxiosRequestConfig } from 'axios';
import axiosRetry, { isNetworkError } from 'axios-retry';
import type { ZodType } from 'zod';
import { TryLaterError, type System } from './errors';

/** One call as it leaves, for whoever signs it. */
export interface OutgoingCall {
  method: string;
  /** The whole address with its query. */
  url: string;
}

export interface HttpClientOptions {
  system: System;
  /** Where the system lives, with or without a slash at its end. */
  baseUrl: string;
  /** After how many milliseconds a call without an answer is given up. */
  timeoutMs: number;
  /** false accepts any TLS certificate. */
  verifyTls: boolean;
  /** PEM file with further certificate authorities to trust. */
  caFile?: string | undefined;
  /** The value of the Authorization header; asked anew for every attempt, because OAuth 1.0a signs each one. */
  authorization: (call: OutgoingCall) => string | undefined;
  /** Connections kept open, at most. */
  maxSockets?: number;
}

/** An answer of any status. The body is parsed where it says that it is JSON, else it is the text as it came. */
export interface Answer {
  status: number;
  isJson: boolean;
  body: unknown;
  retryAfterMs: number | undefined;
  location: string | undefined;
}

export interface Call {
  method: 'GET' | 'POST' | 'PUT';
  /** Path and query, below the base address, already encoded. */
  path: string;
  body?: unknown;
  /** Whether it changes something: errors tell. */
  isWrite?: boolean;
}

export interface HttpClient {
  /**
   * Makes the call and answers with whatever came back, redirects and errors too: the caller knows what they mean.
   * Rejects with a TryLaterError where nothing came back.
   */
  call(call: Call): Promise<Answer>;
  /** Closes the kept-alive connections. */
  close(): void;
}

/** Attempts after the first, for what a second try a moment later may well mend: a connection that broke, a gateway
 * without its backend. Everything that we send may be repeated: reads, and writes of absolute quantities. */
const RETRIES = 2;
const RETRY_DELAY_MS = 150;
const GATEWAY_STATUSES: ReadonlySet<number> = new Set([502, 504]);
const LARGEST_ANSWER_BYTES = 64 * 1024 * 1024;

/** A client for one system, with connections kept alive. */
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
    transformResponse: text => text as unknown,
    validateStatus: status => !GATEWAY_STATUSES.has(status),
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
    retryCondition: error => isNetworkError(error) || GATEWAY_STATUSES.has(error.response?.status ?? 0),
  });

  return {
    async call({ method, path, body, isWrite = false }) {
      try {
        const answer = await client.request<string>({
          method,
          url: `${baseUrl}${path}`,
          ...(body !== undefined && { data: JSON.stringify(body), headers: { 'Content-Type': 'application/json' } }),
          // The limit of axios starts with the request; this one also ends an answer that trickles in for ever.
          signal: AbortSignal.timeout(timeoutMs + RETRIES * (timeoutMs + RETRY_DELAY_MS * RETRIES)),
        });
        return answerFrom(system, answer.status, answer.headers, answer.data);
      } catch (error) {
        if (error instanceof AxiosError && error.response) {
          const answer: AxiosResponse<string> = error.response as AxiosResponse<string>;
          return answerFrom(system, answer.status, answer.headers, answer.data);
        }
        throw new TryLaterError(system, `${system} did not answer: ${reasonOf(error, timeoutMs)}`, {
          cause: error,
          duringWrite: isWrite,
        });
      }
    },
    close() {
      httpAgent.destroy();
      httpsAgent.destroy();
    },
  };
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
  };
  if (!isJson) return { ...answer, body: text };
  try {
    return { ...answer, body: text === '' ? undefined : (JSON.parse(text) as unknown) };
  } catch (cause) {
    // An error's body is only told to people.
    if (status >= 400) return { ...answer, isJson: false, body: text };
    throw new TryLaterError(system, `${system} answered ${status} with JSON that breaks off or is malformed`, {
      status,
      cause,
    });
  }
}

function retryAfterMs(value: string | undefined): number | undefined {
  if (value === undefined) return undefined;
  const seconds = Number(value);
  if (Number.isFinite(seconds)) return Math.max(0, seconds * 1000);
  const date = Date.parse(value);
  return Number.isNaN(date) ? undefined : Math.max(0, date - Date.now());
}

function reasonOf(error: unknown, timeoutMs: number): string {
  if (error instanceof AxiosError) {
    if (error.code === 'ECONNABORTED' || error.code === 'ETIMEDOUT' || error.code === 'ERR_CANCELED') {
      return `nothing came within ${timeoutMs / 1000} s`;
    }
    return error.code ? `${error.code} ${error.message}`.trim() : error.message;
  }
  return error instanceof Error ? error.message : String(error);
}

/** The body, if it has the shape that is due; else a TryLaterError that says where it has not. */
export function parsedBody<T>(system: System, what: string, schema: ZodType<T>, answer: Answer): T {
  const parsed = schema.safeParse(answer.body);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const where = issue ? `${issue.path.join('.') || 'the body'}: ${issue.message}` : 'unreadable';
  throw new TryLaterError(system, `${system} answered ${what} in a shape we don't know (${where})`, {
    status: answer.status,
  });
}

/** An error page or message in one line, for a log. */
export function excerpt(body: unknown): string {
  const text = typeof body === 'string' ? body : JSON.stringify(body ?? '');
  const title = /<title>\s*([^<]*?)\s*<\/title>/i.exec(text)?.[1];
  return (title ?? text).replace(/\s+/g, ' ').trim().slice(0, 200);
}
