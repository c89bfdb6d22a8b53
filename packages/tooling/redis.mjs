// A private Redis for demo, tests and benchmarks. A server that already runs on port 6379 is never touched.
import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, existsSync } from 'node:fs';
import { createServer, connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { installBySystem, programOnPath } from './programs.mjs';
import { root } from './set-up.mjs';

/** A free TCP port of this machine. */
export function freePort() {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}

/**
 * Finds or installs a redis-server or valkey-server program. Debian's redis-tools contains the binary of the server
 * under the name redis-check-rdb (the package redis-server only adds a link to it, and a service on port 6379), so a
 * link of our own is enough.
 */
export function findRedisProgram() {
  const onPath = () => programOnPath('redis-server', 'valkey-server') ?? serverFromRedisTools();
  const found = onPath();
  if (found) return found;
  console.log('No redis-server or valkey-server on PATH: installing one ...');
  installBySystem({ apt: 'redis-tools', brew: 'redis', apk: 'redis', dnf: 'redis' });
  const installed = onPath();
  if (installed) return installed;
  throw new Error(
    'Redis is required: install redis-server or valkey-server (Debian, Ubuntu: redis-server; macOS: brew install ' +
      'redis), or set REDIS_URL to a server that may be used.',
  );
}

function serverFromRedisTools() {
  const binary = programOnPath('redis-check-rdb', 'valkey-check-rdb');
  if (!binary) return undefined;
  const folder = join(root, 'node_modules', '.stock-sync');
  const link = join(folder, 'redis-server');
  if (!existsSync(link)) {
    mkdirSync(folder, { recursive: true });
    rmSync(link, { force: true });
    symlinkSync(binary, link);
  }
  return link;
}

function answersOn(port) {
  return new Promise(resolve => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => socket.write('PING\r\n'));
    socket.once('data', data => {
      socket.destroy();
      resolve(String(data).startsWith('+PONG'));
    });
    socket.once('error', () => resolve(false));
  });
}

/**
 * Starts a private server with its own data folder, an append-only file and noeviction, as in production. `stop` also
 * removes its data. Ctrl-C does not reach a detached server.
 */
export async function startPrivateRedis({ detached = false } = {}) {
  const program = findRedisProgram();
  const folder = mkdtempSync(join(tmpdir(), 'stock-sync-redis-'));
  const port = await freePort();
  const settings = [
    '--port',
    port,
    '--bind',
    '127.0.0.1',
    '--dir',
    folder,
    '--databases',
    512,
    '--save',
    '',
    '--appendonly',
    'yes',
    '--appendfsync',
    'everysec',
    '--maxmemory-policy',
    'noeviction',
    '--hash-max-listpack-value',
    512,
  ];
  const server = spawn(program, settings.map(String), { stdio: 'ignore', detached });
  let failure;
  server.once('error', error => (failure = error.message));
  server.once('exit', code => (failure ??= `it ended with ${code}`));
  const stop = async () => {
    if (server.exitCode === null && server.signalCode === null) {
      const ended = new Promise(resolve => server.once('exit', resolve));
      server.kill('SIGTERM');
      await ended;
    }
    rmSync(folder, { recursive: true, force: true });
  };
  const until = Date.now() + 10_000;
  while (!(await answersOn(port))) {
    if (failure || Date.now() > until) {
      await stop();
      throw new Error(`${program} did not start: ${failure ?? 'no answer within 10 s'}`);
    }
    await new Promise(resolve => setTimeout(resolve, 25));
  }
  return { url: `redis://127.0.0.1:${port}`, stop, description: `${program}, private, on port ${port}` };
}

/** The Redis that REDIS_URL names, if it is set; otherwise a private one. */
export async function provideRedis(options) {
  if (process.env.REDIS_URL)
    return { url: process.env.REDIS_URL, stop: async () => {}, description: 'the one REDIS_URL names' };
  return startPrivateRedis(options);
}
