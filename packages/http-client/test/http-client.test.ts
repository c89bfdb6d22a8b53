import { readFileSync } from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { createHttpClient, CallError, type HttpClientOptions } from '../src';

const tls = (file: string) => join(__dirname, 'tls', file);
const servers: http.Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) {
    server.close();
    server.closeAllConnections();
  }
});

async function serve(handler: http.RequestListener, secure = false): Promise<string> {
  const server = secure
    ? https.createServer({ key: readFileSync(tls('key.pem')), cert: readFileSync(tls('certificate.pem')) }, handler)
    : http.createServer(handler);
  servers.push(server);
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  return `${secure ? 'https' : 'http'}://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const client = (baseUrl: string, more: Partial<HttpClientOptions> = {}) =>
  createHttpClient({
    system: 'Magento',
    baseUrl,
    timeoutMs: 400,
    verifyTls: true,
    authorization: () => 'Bearer x',
    ...more,
  });
const get = { method: 'GET' as const, path: '/a%2Fb?x[0]=1' };

describe('the HTTP client', () => {
  it('sends a path as it was encoded, reuses its connection, and resolves with any answer', async () => {
    const seen: string[] = [];
    let sockets = 0;
    const url = await serve((request, response) => {
      seen.push(request.url ?? '');
      response.writeHead(404, { 'content-type': 'application/json' }).end('{"message":"no"}');
    });
    servers[0]?.on('connection', () => sockets++);
    const http = client(`${url}/`);
    expect(await http.call(get)).toMatchObject({ status: 404, isJson: true, body: { message: 'no' } });
    await http.call(get);
    expect(seen).toEqual(['/a%2Fb?x[0]=1', '/a%2Fb?x[0]=1']);
    expect(sockets).toBe(1);
    http.close();
  });

  it('never follows a redirect', async () => {
    const url = await serve((_, response) => response.writeHead(302, { location: '/web' }).end());
    expect(await client(url).call(get)).toMatchObject({ status: 302, location: '/web', isJson: false });
  });

  it.each([
    ['a broken connection', (request: http.IncomingMessage) => request.socket.destroy()],
    ['a gateway without its backend', (_: unknown, response: http.ServerResponse) => response.writeHead(502).end()],
  ])('tries again after %s, with a new authorization each time', async (_, fail) => {
    let attempts = 0;
    const authorizations: (string | undefined)[] = [];
    const url = await serve((request, response) => {
      authorizations.push(request.headers.authorization);
      if (++attempts < 3) fail(request, response);
      else response.writeHead(200, { 'content-type': 'application/json' }).end('{}');
    });
    let nonce = 0;
    expect(await client(url, { authorization: () => `OAuth ${++nonce}` }).call(get)).toMatchObject({ status: 200 });
    expect(authorizations).toEqual(['OAuth 1', 'OAuth 2', 'OAuth 3']);
  });

  it.each([
    ['a broken connection', (request: http.IncomingMessage) => request.socket.destroy()],
    ['a gateway without its backend', (_: unknown, response: http.ServerResponse) => response.writeHead(502).end()],
  ])('never repeats a write by itself after %s: each one needs permission', async (_, fail) => {
    let attempts = 0;
    const url = await serve((request, response) => {
      attempts++;
      fail(request, response);
    });
    const write = { method: 'POST', path: '/', body: {}, direction: 'write' } as const;
    await client(url)
      .call(write)
      .catch(() => undefined);
    expect(attempts).toBe(1);
  });

  it.each<[string, http.RequestListener]>([
    ['there is no answer', () => undefined],
    [
      'an answer never completes',
      (_, response) => {
        response.writeHead(200, { 'content-type': 'application/json' });
        const drip = setInterval(() => response.write(' '), 50);
        response.on('close', () => clearInterval(drip));
      },
    ],
  ])('fails when %s', async (_, handler) => {
    const url = await serve(handler);
    const failure = await client(url)
      .call({ ...get, direction: 'write' })
      .catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(CallError);
    expect(failure).toMatchObject({ kind: 'no-answer', direction: 'write' });
  });

  it('fails on malformed JSON', async () => {
    const url = await serve((_, response) =>
      response.writeHead(200, { 'content-type': 'application/json' }).end('{"items":['),
    );
    await expect(client(url).call(get)).rejects.toMatchObject({
      kind: 'unavailable',
      message: 'Magento answered 200 with malformed JSON',
    });
  });

  it.each([
    ['in seconds', () => '10', 10_000],
    ['as a date', () => new Date(Date.now() + 60_000).toUTCString(), 60_000],
    ['as neither', () => 'soon', undefined],
  ])('reads Retry-After %s', async (_, headerNow, milliseconds) => {
    const header = headerNow();
    const url = await serve((_, response) => response.writeHead(503, { 'retry-after': header }).end());
    const { retryAfterMs } = await client(url).call(get);
    if (milliseconds === undefined) expect(retryAfterMs).toBeUndefined();
    else expect(Math.abs((retryAfterMs ?? 0) - milliseconds)).toBeLessThan(2_000);
  });

  it('verifies certificates, unless VERIFY_SSL is off, and trusts the certificate authority of the shop', async () => {
    const url = await serve(
      (_, response) => response.writeHead(200, { 'content-type': 'application/json' }).end('{}'),
      true,
    );
    await expect(client(url).call(get)).rejects.toThrow(/self-signed certificate/);
    expect(await client(url, { verifyTls: false }).call(get)).toMatchObject({ status: 200 });
    expect(await client(url, { caFile: tls('certificate.pem') }).call(get)).toMatchObject({ status: 200 });
  });
});
