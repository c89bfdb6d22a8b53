// Programs that npm can't bring (a Redis server, a browser for the page tests): found on PATH, else asked of the
// system's package manager where this user may use it.
import { spawnSync } from 'node:child_process';
import { accessSync, constants, existsSync, rmSync } from 'node:fs';
import { delimiter, join } from 'node:path';

/** The first of these programs that is on PATH, as a full path; undefined where none is. */
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

/** How to become root without being asked for a password: [] as root, ['sudo', '-n'] where allowed, else undefined. */
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

/** A headless Chromium for the page tests; throws one clear line where there is none to be had. */
export function findChromium() {
  const names = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];
  const found = process.env.CHROMIUM_PATH ?? programOnPath(...names);
  if (found) return found;
  console.log('No Chromium on PATH: asking the system package manager for one (the page tests use it) ...');
  installBySystem({ apt: 'chromium', apk: 'chromium', dnf: 'chromium' });
  const installed = programOnPath(...names);
  if (installed) return installed;
  throw new Error('The page tests need a Chromium: install the package "chromium", or set CHROMIUM_PATH to a browser.');
}

/** The Python packages that the tests of the InvenTree plugin need, by the module that each brings. */
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
 * A Python >= 3.9 with what the tests of the InvenTree plugin need: one that has it all, else the system's after its
 * package manager was asked, else an environment of our own in node_modules. Throws one clear line where none is to be had.
 */
export function findPython(folder) {
  const own = join(folder, 'node_modules', '.stock-sync', 'python');
  const ownPython = join(own, 'bin', 'python');
  const modules = Object.keys(PYTHON_MODULES);
  const hasAll = `import sys; from importlib.util import find_spec
sys.exit(not (sys.version_info >= (3, 9) and all(map(find_spec, sys.argv[1:]))))`;
  const isReady = python => succeeds(python, ['-c', hasAll, ...modules]);
  // A version manager's python3 may come first on PATH; what the system installs, its own finds.
  const candidates = () =>
    [process.env.PYTHON_PATH, programOnPath('python3'), '/usr/bin/python3', ownPython].filter(
      python => python && existsSync(python),
    );
  const found = candidates().find(isReady);
  if (found) return found;

  console.log("No Python with Django for the InvenTree plugin's tests: asking the system package manager for one ...");
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
    console.log(`Making an environment for ${python} in ${own} ...`);
    const packages = Object.values(PYTHON_MODULES).map(({ pip }) => pip);
    const made =
      succeeds(python, ['-m', 'venv', own]) && succeeds(ownPython, ['-m', 'pip', 'install', '--quiet', ...packages]);
    if (made && isReady(ownPython)) return ownPython;
    rmSync(own, { recursive: true, force: true });
  }
  throw new Error(
    `The tests of the InvenTree plugin need a Python >= 3.9 with ${modules.join(', ')}: install them, or set PYTHON_PATH to one that has them.`,
  );
}
