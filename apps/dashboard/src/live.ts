import {
  readStatus,
  type DeadLetters,
  type HistoryReader,
  type JobQueues,
  type RedisConnection,
} from '@stock-sync/state';
import type { RequestHandler, Response } from 'express';

export interface LiveDeps {
  connection: RedisConnection;
  queues: JobQueues;
  deadLetters: DeadLetters;
  history: HistoryReader;
}

/** How often changes are looked for while somebody watches, in milliseconds. */
const CHECK_MS = 1_000;
/** A proxy closes a connection on which nothing comes for long. */
const KEEP_ALIVE_MS = 20_000;

/** Tells the open pages that something changed; they load what they show again. */
export interface Live {
  /** GET /events: server-sent events. */
  handler: RequestHandler;
  stop(): void;
}

/** One check serves all pages, and none is made while nobody watches. */
export function createLive({ connection, queues, deadLetters, history }: LiveDeps): Live {
  const watching = new Set<Response>();
  let last = '';
  let isChecking = false;

  async function check(): Promise<void> {
    const { now: _now, ...status } = await readStatus(connection, { queues, deadLetters });
    const { entries } = await history.page({}, 1);
    const seen = JSON.stringify([status, entries[0]?.id]);
    if (seen !== last) send('event: changed\ndata: now\n\n');
    last = seen;
  }

  function send(text: string): void {
    for (const response of watching) response.write(text);
  }

  const checks = setInterval(() => {
    if (watching.size === 0 || isChecking) return;
    isChecking = true;
    check()
      .catch(() => undefined)
      .finally(() => (isChecking = false));
  }, CHECK_MS);
  const keepingAlive = setInterval(() => send(': still here\n\n'), KEEP_ALIVE_MS);

  return {
    handler: (request, response) => {
      response.set({ 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-store', 'X-Accel-Buffering': 'no' });
      response.flushHeaders();
      watching.add(response);
      request.on('close', () => watching.delete(response));
    },
    stop() {
      clearInterval(checks);
      clearInterval(keepingAlive);
      for (const response of watching) response.end();
    },
  };
}
