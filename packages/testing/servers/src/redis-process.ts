import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

/** A private Redis that can be killed, and that keeps its data in an append-only file. */
export interface RedisProcess {
  url: string;
  /** Kills it at once (-9). */
  kill(): Promise<void>;
  start(): Promise<void>;
  /** Neither answers nor closes its connections until `thaw`. */
  freeze(): void;
  thaw(): void;
  stop(): Promise<void>;
}

/** Starts a Redis with the settings that production should have. */
export async function startRedis(program: string): Promise<RedisProcess> {
  const folder = mkdtempSync(join(tmpdir(), 'stock-sync-chaos-'));
  const port = await keptPort();
  let server: ChildProcess | undefined;
  const settings: Record<string, string | number> = {
    port,
    bind: '127.0.0.1',
    dir: folder,
    save: '',
    appendonly: 'yes',
    appendfsync: 'everysec',
    'maxmemory-policy': 'noeviction',
    'hash-max-listpack-value': 512,
  };

  const running = () => (server && server.exitCode === null && server.signalCode === null ? server : undefined);

  async function start(): Promise<void> {
    // Killed twice at the same time, it is started twice.
    if (running()) return;
    const args = Object.entries(settings).flatMap(([name, value]) => [`--${name}`, String(value)]);
    const started = spawn(program, args, { stdio: 'ignore' });
    server = started;
    for (let attempt = 0; attempt < 400; attempt++) {
      if (started.exitCode !== null) throw new Error(`${program} ended with ${started.exitCode}`);
      if (await answers(port)) return;
      await sleep(25);
    }
    throw new Error(`${program} does not answer on port ${port}`);
  }

  async function end(signal: NodeJS.Signals): Promise<void> {
    const ending = running();
    if (!ending) return;
    const ended = new Promise(resolve => ending.once('exit', resolve));
    ending.kill(signal);
    await ended;
  }

  await start();
  return {
    url: `redis://127.0.0.1:${port}`,
    kill: () => end('SIGKILL'),
    start,
    freeze: () => void server?.kill('SIGSTOP'),
    thaw: () => void server?.kill('SIGCONT'),
    async stop() {
      await end('SIGTERM');
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

const given = new Set<number>();

/** A free port outside the ephemeral range, so that it is still free when Redis restarts; each one only once. */
export async function keptPort(): Promise<number> {
  for (;;) {
    const port = 10_000 + Math.floor(Math.random() * 20_000);
    if (given.has(port)) continue;
    given.add(port);
    const server = createServer();
    const isFree = await new Promise<boolean>(resolve => {
      server.once('error', () => resolve(false));
      server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
    });
    if (isFree) return port;
  }
}

/** Whether Redis answers and has loaded its file. */
function answers(port: number): Promise<boolean> {
  return new Promise(resolve => {
    const socket = connect(port, '127.0.0.1');
    const done = (answer: boolean) => {
      socket.destroy();
      resolve(answer);
    };
    socket.once('connect', () => socket.write('PING\r\n'));
    socket.once('data', data => done(data.toString().startsWith('+PONG')));
    socket.once('error', () => done(false));
  });
}
