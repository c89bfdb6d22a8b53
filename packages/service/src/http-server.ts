import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import express, { type Express } from 'express';
import helmet from 'helmet';
import type { Registry } from 'prom-client';

/** Why a process cannot do its work now; undefined where it can. */
export type NotReady = string | undefined;

/** Creates an Express application that does not reveal what it is made of. */
export function createWebApplication(): Express {
  const application = withoutExtras();
  // The shop decides whether these pages are behind TLS: on plain HTTP an upgraded address leads nowhere.
  application.use(helmet({ contentSecurityPolicy: { directives: { upgradeInsecureRequests: null } } }));
  return application;
}

/** An application that answers JSON to programs: of what protects browsers, only what keeps JSON from being a page. */
export function createProgramApplication(): Express {
  const application = withoutExtras();
  application.use(helmet.xContentTypeOptions());
  return application;
}

function withoutExtras(): Express {
  const application = express();
  application.disable('x-powered-by');
  application.disable('etag');
  return application;
}

/** How long what is not essential may take, in milliseconds: monitoring and a shutdown give up after some seconds. */
const PATIENCE_MS = 800;

/** The result, or undefined where it takes too long or fails: for a page of monitoring, or the end of a process. */
export async function withinPatience<T>(work: Promise<T>): Promise<T | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const tooLong = new Promise<undefined>(resolve => {
    timer = setTimeout(() => resolve(undefined), PATIENCE_MS);
  });
  return Promise.race([work.catch(() => undefined), tooLong]).finally(() => clearTimeout(timer));
}

/** Adds `/healthz` (the process runs), `/readyz` (it can work, or why not) and `/metrics` (Prometheus). */
export function addOperatorRoutes(
  application: Express,
  metrics: Registry,
  notReady: () => NotReady | Promise<NotReady>,
): void {
  application.get('/healthz', (_request, response) => {
    response.json({ status: 'ok' });
  });
  application.get('/readyz', async (_request, response) => {
    const checked = await withinPatience(Promise.resolve(notReady()).then(reason => ({ reason })));
    const { reason } = checked ?? { reason: 'Redis does not answer' };
    if (reason === undefined) response.json({ status: 'ready' });
    else response.status(503).set('Retry-After', '5').json({ status: 'not ready', reason });
  });
  application.get('/metrics', async (_request, response) => {
    response.type(metrics.contentType).send(await metrics.metrics());
  });
}

/** Starts listening; rejects where the port is taken. */
export function listen(application: Express, port: number): Promise<Server> {
  const server = createServer(application);
  // A client that sends its headers or body very slowly must not hold a connection for ever.
  server.requestTimeout = 30_000;
  server.headersTimeout = 10_000;
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, () => {
      server.off('error', reject);
      resolve(server);
    });
  });
}

/** The port that a server listens on. */
export function portOf(server: Server): number {
  return (server.address() as AddressInfo).port;
}

/** Stops listening; resolves when the open requests are answered. */
export function closeServer(server: Server): Promise<void> {
  return new Promise(resolve => {
    server.close(() => resolve());
    server.closeIdleConnections();
  });
}
