// Programs that npm cannot install (a Redis server, a browser): found on PATH, otherwise installed by the system's
// package manager where this user may use it.
import { spawnSync } from 'node:child_process';
import { accessSync, constants, existsSync, rmSync } from 'node:fs';
import { delimiter, join } from 'node:path';

/** The full path of the first of these programs that is on PATH; undefined if none is. */
export function programOnPath(...names) {
  for (const name of names) {
    for (const folder of (process.env.PATH ?? '').split(delimiter)) {
      const path = join(folder, name);
      try {
        accessSync(path, constants.X_OK);
        return path;
      } catch {
        // not in this folder
      }
    }
  }
  return undefined;
}

function succeeds(program, args) {
  return spawnSync(program, args, { stdio: 'ignore' }).status === 0;
}

/** The command prefix that runs a program as root without a password; undefined if that is not possible. */
function rootPrefix() {
  if (process.getuid?.() === 0) return [];
  return programOnPath('sudo') && succeeds('sudo', ['-n', 'true']) ? ['sudo', '-n'] : undefined;
}

/**
 * Installs by the first package manager that this machine has: packages are named per manager, one or several.
 * Says what it does; returns whether it worked.
 */
export function installBySystem(packages) {
  const asRoot = rootPrefix();
  const named = packages => [packages].flat();
  const ways = [
    ['brew', packages.brew && [['brew', 'install', ...named(packages.brew)]]],
    [
      'apt-get',
      asRoot &&
        packages.apt && [
          [...asRoot, 'apt-get', 'update', '-qq'],
          [
            ...asRoot,
            'env',
            'DEBIAN_FRONTEND=noninteractive',
            'apt-get',
            'install',
            '-y',
            '-qq',
            '--no-install-recommends',
            ...named(packages.apt),
          ],
        ],
    ],
    ['apk', asRoot && packages.apk && [[...asRoot, 'apk', 'add', '--no-cache', ...named(packages.apk)]]],
    ['dnf', asRoot && packages.dnf && [[...asRoot, 'dnf', 'install', '-y', '-q', ...named(packages.dnf)]]],
  ];
  const way = ways.find(([manager, commands]) => commands && programOnPath(manager));
  if (!way) return false;
  for (const command of way[1]) {
    console.log(`  ${command.join(' ')}`);
    const { status, stderr } = spawnSync(command[0], command.slice(1), { stdio: ['ignore', 'ignore', 'pipe'] });
    if (status !== 0) {
      console.error(String(stderr).trim().split('\n').slice(-3).join('\n'));
      return false;
    }
  }
  return true;
}

/** Finds or installs Chromium for the page tests; throws if that is not possible. */
export function findChromium() {
  const names = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];
  const found = process.env.CHROMIUM_PATH ?? programOnPath(...names);
  if (found) return found;
  console.log('No Chromium on PATH: installing it for the page tests ...');
  installBySystem({ apt: 'chromium', apk: 'chromium', dnf: 'chromium' });
  const installed = programOnPath(...names);
  if (installed) return installed;
  throw new Error('The page tests need Chromium: install the package "chromium", or set CHROMIUM_PATH.');
}

/** The Python packages that the tests of the InvenTree plugin need, by the module in each of them. */
const PYTHON_MODULES = {
  django: { apt: 'python3-django', apk: 'py3-django', dnf: 'python3-django', pip: 'django' },
  rest_framework: {
    apt: 'python3-djangorestframework',
    apk: 'py3-django-rest-framework',
    dnf: 'python3-django-rest-framework',
    pip: 'djangorestframework',
  },
  pip: { apt: 'python3-pip', apk: 'py3-pip', dnf: 'python3-pip', pip: 'pip' },
  setuptools: { apt: 'python3-setuptools', apk: 'py3-setuptools', dnf: 'python3-setuptools', pip: 'setuptools' },
  wheel: { apt: 'python3-wheel', apk: 'py3-wheel', dnf: 'python3-wheel', pip: 'wheel' },
};

/**
 * Finds or creates a Python >= 3.9 with the packages that the tests of the InvenTree plugin need: an existing one,
 * otherwise the system's with packages of the system, otherwise a virtual environment in node_modules. Throws if none
 * is possible.
 */
export function findPython(folder) {
  const own = join(folder, 'node_modules', '.stock-sync', 'python');
  const ownPython = join(own, 'bin', 'python');
  const modules = Object.keys(PYTHON_MODULES);
  const hasAll = `import sys; from importlib.util import find_spec
sys.exit(not (sys.version_info >= (3, 9) and all(map(find_spec, sys.argv[1:]))))`;
  const isReady = python => succeeds(python, ['-c', hasAll, ...modules]);
  // The python3 of a version manager may be first on PATH; packages of the system belong to the system's own python3.
  const candidates = () =>
    [process.env.PYTHON_PATH, programOnPath('python3'), '/usr/bin/python3', ownPython].filter(
      python => python && existsSync(python),
    );
  const found = candidates().find(isReady);
  if (found) return found;

  console.log('No Python with Django for the tests of the InvenTree plugin: installing it ...');
  const bySystem = Object.fromEntries(
    ['apt', 'apk', 'dnf'].map(manager => [
      manager,
      ['python3', ...Object.values(PYTHON_MODULES).map(packages => packages[manager])],
    ]),
  );
  installBySystem(bySystem);
  const installed = candidates().find(isReady);
  if (installed) return installed;

  const python = programOnPath('python3');
  if (python) {
    console.log(`Creating a virtual environment for ${python} in ${own} ...`);
    const packages = Object.values(PYTHON_MODULES).map(({ pip }) => pip);
    const made =
      succeeds(python, ['-m', 'venv', own]) && succeeds(ownPython, ['-m', 'pip', 'install', '--quiet', ...packages]);
    if (made && isReady(ownPython)) return ownPython;
    rmSync(own, { recursive: true, force: true });
  }
  throw new Error(
    `The tests of the InvenTree plugin need a Python >= 3.9 with ${modules.join(', ')}: ` +
      'install them, or set PYTHON_PATH to one that has them.',
  );
}
