import { spawn, type ChildProcess } from 'node:child_process';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

/** A line in the log of a service. */
export interface LogLine {
  level: string;
  message: string;
  [field: string]: unknown;
}

/** One of our services, as a process of its own. */
export interface ServiceProcess {
  process: ChildProcess;
  url: string;
  /** Where it has health and metrics: a port of its own in ingest. */
  operatorUrl: string;
  log: LogLine[];
  /** Its whole standard error. */
  errors(): string;
  /** Stops it by SIGTERM; resolves with its exit code. */
  stop(): Promise<number | null>;
  kill(signal: NodeJS.Signals): void;
  ended: Promise<number | null>;
}

export interface LaunchOptions {
  /** Whether Ctrl-C in our terminal does not reach it, so that we must stop it. */
  detached?: boolean;
  /** The repository that it is started from, where that is another version than this one. */
  root?: string | undefined;
}

export type AppName = 'ingest' | 'worker' | 'dashboard';

const ANY_PORTS: Record<AppName, Record<string, string>> = {
  ingest: { INGEST_PORT: '0', INGEST_OPERATOR_PORT: '0' },
  worker: { WORKER_PORT: '0' },
  dashboard: { DASHBOARD_PORT: '0' },
};
const ownRoot = join(__dirname, '..', '..', '..', '..');

/**
 * Starts a service with only this environment, on a port that it chooses itself, and waits until it logs which. (A port
 * that was free a moment ago may belong to another test by now, whose service would answer in place of ours.)
 */
export async function startService(
  app: AppName,
  environment: Record<string, string>,
  options: LaunchOptions = {},
): Promise<ServiceProcess> {
  const service = launchService(app, { ...ANY_PORTS[app], ...environment, LOG_LEVEL: 'info' }, options);
  for (let attempt = 0; attempt < 400 && service.process.exitCode === null; attempt++) {
    const ports = service.log.flatMap(({ message }) =>
      [...message.matchAll(/\bon port (\d+)/g)].flatMap(([, port]) => port ?? []),
    );
    const [port] = ports;
    if (port !== undefined) {
      service.url = `http://127.0.0.1:${port}`;
      service.operatorUrl = `http://127.0.0.1:${ports.at(-1) ?? port}`;
      return service;
    }
    await sleep(25);
  }
  service.kill('SIGKILL');
  throw new Error(`${app} did not start:\n${service.errors()}\n${service.log.map(line => line.message).join('\n')}`);
}

/** Starts a service without waiting for it. */
export function launchService(
  app: AppName,
  environment: Record<string, string>,
  { detached = false, root = ownRoot }: LaunchOptions = {},
): ServiceProcess {
  const child = spawn(process.execPath, [join(root, 'apps', app, 'dist', 'main.js')], {
    env: { PATH: process.env.PATH ?? '', NODE_ENV: 'production', LOG_FORMAT: 'json', ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached,
  });
  const log: LogLine[] = [];
  let errors = '';
  let rest = '';
  child.stdout.on('data', (chunk: Buffer) => {
    const lines = (rest + chunk.toString()).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) log.push(lineFrom(line));
  });
  child.stderr.on('data', (chunk: Buffer) => (errors += chunk.toString()));
  const ended = new Promise<number | null>(resolve => child.once('exit', code => resolve(code)));
  return {
    process: child,
    url: '',
    operatorUrl: '',
    log,
    errors: () => errors,
    stop: () => {
      child.kill('SIGTERM');
      return ended;
    },
    kill: signal => void child.kill(signal),
    ended,
  };
}

function lineFrom(text: string): LogLine {
  try {
    return JSON.parse(text) as LogLine;
  } catch {
    return { level: 'raw', message: text };
  }
}
