import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { openRecordedRequests } from './recorded-requests';
import type { RecordedSystem } from './recordings';

/** A request, as the handlers receive it. */
export interface FakeCall {
  method: string;
  /** Path and query, unparsed. */
  url: string;
  path: string;
  query: URLSearchParams;
  headers: IncomingMessage['headers'];
  /** Parsed JSON; undefined without a body; a MalformedBody if it is not JSON. */
  body: unknown;
  /** The groups that the route's pattern matched, decoded. */
  captured: string[];
  /** Aborted when the caller closes the connection before it has the answer. */
  hungUp: AbortSignal;
}

export class MalformedBody {
  constructor(readonly text: string) {}
}

export interface FakeAnswer {
  status: number;
  headers?: Record<string, string>;
  body?: unknown;
}

/** A fault that replaces or follows the normal answer. */
export type Fault =
  | { answer: FakeAnswer }
  /** Never answers. */
  | { hang: true }
  /** Closes the connection, before or after the call takes effect. */
  | { reset: 'before' | 'after' }
  /** Takes effect at once, but answers this many milliseconds later. */
  | { answerAfterMs: number }
  /** Takes effect this many milliseconds later, even if the caller has closed the connection by then. */
  | { beginAfterMs: number };

export interface Route {
  method: string;
  path: RegExp;
  handle: (call: FakeCall) => FakeAnswer | Promise<FakeAnswer>;
}

export interface FakeHttpServerOptions {
  /** Whose recordings must back every request and answer. */
  system: RecordedSystem;
  routes: readonly Route[];
  /** The answer that comes before any route: refused credentials, maintenance. */
  before: (call: FakeCall) => FakeAnswer | undefined;
  /** The answer to a path without a route. */
  notFound: (call: FakeCall) => FakeAnswer;
  /** The milliseconds that the real system takes for a call. */
  costMs: (call: FakeCall) => number;
  /** Calls that make progress at the same time, where calls take time; without it there is no limit. */
  cores?: number;
  headers: Record<string, string>;
  /** Wraps the effect of a call and its duration. */
  around?: (call: FakeCall, work: () => Promise<FakeAnswer>) => Promise<FakeAnswer>;
}

/** A call that was received. */
export interface FakeCallRecord {
  method: string;
  path: string;
  url: string;
  body: unknown;
  /** When it arrived, in milliseconds since 1970. */
  at: number;
  /** The status of the answer, once the caller has received it. */
  status?: number;
}

/** A running fake. */
export interface FakeHttpServer {
  url: string;
  /** All calls so far, in the order of arrival. */
  calls: FakeCallRecord[];
  /** Decides which fault a call meets, if any. */
  setFault(fault: ((call: FakeCall) => Fault | undefined) | undefined): void;
  /** Whether calls take as long as on the real system. */
  setLatency(on: boolean): void;
  /** Stops; rejects where a request or an answer had no recording: the real system may act otherwise. */
  close(): Promise<void>;
}

/** Starts a server on a free port of this machine. */
export async function startFakeHttpServer(options: FakeHttpServerOptions, port = 0): Promise<FakeHttpServer> {
  const calls: FakeHttpServer['calls'] = [];
  let faultOf: ((call: FakeCall) => Fault | undefined) | undefined;
  let latency = false;
  const busy = limitedTo(options.cores ?? Number.POSITIVE_INFINITY);
  const recorded = openRecordedRequests(options.system);
  const differences = new Set<string>();

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const at = Date.now();
    const hangUp = new AbortController();
    response.once('close', () => response.writableFinished || hangUp.abort());
    const call = await callFrom(request, hangUp.signal);
    const record: FakeCallRecord = { method: call.method, path: call.path, url: call.url, body: call.body, at };
    calls.push(record);
    const fault = faultOf?.(call);
    if (fault && 'hang' in fault) return;
    if (fault && 'reset' in fault && fault.reset === 'before') return void request.socket.destroy();
    if (fault && 'answer' in fault) return send(response, fault.answer);
    const work = async () => {
      if (fault && 'beginAfterMs' in fault) await sleep(fault.beginAfterMs);
      const refused = options.before(call);
      if (refused) return refused;
      if (latency) await busy(() => sleep(options.costMs(call)));
      return answerOf(call);
    };
    const answer = await (options.around ? options.around(call, work) : work());
    const difference =
      call.body instanceof MalformedBody
        ? undefined
        : recorded.difference({ method: call.method, path: call.url, body: call.body }, answer);
    if (difference) differences.add(difference);
    if (fault && 'reset' in fault) return void request.socket.destroy();
    if (fault && 'answerAfterMs' in fault) await sleep(fault.answerAfterMs);
    if (!hangUp.signal.aborted) record.status = answer.status;
    send(response, answer);
  }

  async function answerOf(call: FakeCall): Promise<FakeAnswer> {
    for (const route of options.routes) {
      const match = route.method === call.method ? route.path.exec(call.path) : null;
      if (match) return route.handle({ ...call, captured: match.slice(1).map(decodeURIComponent) });
    }
    return options.notFound(call);
  }

  function send(response: ServerResponse, { status, headers = {}, body }: FakeAnswer): void {
    const isText = typeof body === 'string' && !('content-type' in headers && headers['content-type'].includes('json'));
    const text = body === undefined ? '' : isText ? body : JSON.stringify(body);
    response.writeHead(status, { ...options.headers, ...headers }).end(text);
  }

  const server = createServer({ maxHeaderSize: 256 * 1024 }, (request, response) => {
    serve(request, response).catch((error: unknown) => {
      response.writeHead(599, { 'content-type': 'text/plain' }).end(`fake: ${(error as Error).stack ?? ''}`);
    });
  });
  await new Promise<void>(resolve => server.listen(port, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    calls,
    setFault: fault => (faultOf = fault),
    setLatency: on => (latency = on),
    async close() {
      await close(server);
      if (differences.size === 0) return;
      const list = [...differences].map(difference => `- ${difference}`).join('\n');
      throw new Error(`The fake ${options.system} did what no recording shows:\n${list}`);
    },
  };
}

async function callFrom(request: IncomingMessage, hungUp: AbortSignal): Promise<FakeCall> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const text = Buffer.concat(chunks).toString('utf8');
  const url = request.url ?? '/';
  const [path = '/', search = ''] = url.split(/\?(.*)/s);
  return {
    method: request.method ?? 'GET',
    url,
    path,
    query: new URLSearchParams(search),
    headers: request.headers,
    body: text === '' ? undefined : jsonOf(text),
    captured: [],
    hungUp,
  };
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return new MalformedBody(text);
  }
}

function close(server: Server): Promise<void> {
  return new Promise(resolve => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}

/** Runs so many tasks at once; the others wait for their turn. */
function limitedTo(slots: number): (task: () => Promise<void>) => Promise<void> {
  let free = slots;
  const waiting: (() => void)[] = [];
  return async task => {
    if (free > 0) free--;
    else await new Promise<void>(resolve => waiting.push(resolve));
    try {
      await task();
    } finally {
      const next = waiting.shift();
      if (next) next();
      else free++;
    }
  };
}
