// Sets up a fresh clone: installs dependencies and builds TypeScript. Each step leaves a stamp, so that it is not
// repeated without need.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = fileURLToPath(new URL('../..', import.meta.url));
const stamps = join(root, 'node_modules', '.stock-sync');

/** Runs a program in the root of the repository and shows its output; throws if it fails. */
export function run(program, args, options = {}) {
  const { status, error } = spawnSync(program, args, { cwd: root, stdio: 'inherit', ...options });
  if (error) throw new Error(`${program} could not be started: ${error.message}`);
  if (status !== 0) throw new Error(`${[program, ...args].join(' ')} ended with ${status ?? 'a signal'}`);
}

function workspaceFolders() {
  return ['apps', 'packages', 'packages/testing'].flatMap(group =>
    readdirSync(join(root, group))
      .map(name => join(root, group, name))
      .filter(folder => existsSync(join(folder, 'package.json'))),
  );
}

function filesBelow(folder, keep) {
  if (!existsSync(folder)) return [];
  return readdirSync(folder).flatMap(name => {
    const path = join(folder, name);
    if (statSync(path).isDirectory()) return filesBelow(path, keep);
    return keep(path) ? [path] : [];
  });
}

function hashOf(files) {
  const hash = createHash('sha256').update(process.version);
  for (const file of files.sort()) hash.update(relative(root, file)).update('\0').update(readFileSync(file));
  return hash.digest('hex');
}

function once(step, hash, resultIsThere, work) {
  const stamp = join(stamps, step);
  if (resultIsThere && existsSync(stamp) && readFileSync(stamp, 'utf8') === hash) return;
  work();
  mkdirSync(stamps, { recursive: true });
  writeFileSync(stamp, hash);
}

/** Installs what the lock file names, with the version of pnpm that package.json names. */
export function install() {
  const manifests = [root, ...workspaceFolders()].map(folder => join(folder, 'package.json'));
  const files = [...manifests, join(root, 'pnpm-lock.yaml'), join(root, 'pnpm-workspace.yaml')];
  once('installed', hashOf(files), existsSync(join(root, 'node_modules', '.pnpm')), () => pnpmInstall());
}

/** Removes what the services do not need at run time, for an image. */
export function installForProduction() {
  for (const folder of [root, ...workspaceFolders()])
    rmSync(join(folder, 'node_modules'), { recursive: true, force: true });
  pnpmInstall('--prod');
}

function pnpmInstall(...options) {
  const { packageManager } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  console.log(`Installing dependencies with ${packageManager} (fetched for this run only) ...`);
  const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm';
  const pnpm = ['exec', '--yes', `--package=${packageManager}`, '--', 'pnpm'];
  run(npm, [...pnpm, 'install', '--frozen-lockfile', '--reporter=append-only', ...options]);
}

/** Compiles what changed since the last build. */
export function build() {
  const sources = workspaceFolders().flatMap(folder => [
    ...filesBelow(join(folder, 'src'), path => path.endsWith('.ts')),
    join(folder, 'tsconfig.json'),
  ]);
  const files = [...sources.filter(existsSync), join(root, 'tsconfig.base.json'), join(root, 'tsconfig.json')];
  const complete = workspaceFolders().every(f => !existsSync(join(f, 'tsconfig.json')) || existsSync(join(f, 'dist')));
  once('built', hashOf(files), complete, () => {
    console.log('Building ...');
    run(process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), '--build']);
  });
}

/** Installs and builds. */
export function setUp() {
  install();
  build();
}
