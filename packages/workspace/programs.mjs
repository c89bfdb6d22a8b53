// Programs that npm can't bring (a Redis server, a browser for the page tests): found on PATH, else asked of the
// system's package manager where this user may use it.
import { spawnSync } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
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
 * Installs by the first package manager that this machine has: packages are named per manager.
 * Says what it does; returns whether it worked.
 */
export function installBySystem(packages) {
  const asRoot = rootPrefix();
  const ways = [
    ['brew', packages.brew && [['brew', 'install', packages.brew]]],
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
            packages.apt,
          ],
        ],
    ],
    ['apk', asRoot && packages.apk && [[...asRoot, 'apk', 'add', '--no-cache', packages.apk]]],
    ['dnf', asRoot && packages.dnf && [[...asRoot, 'dnf', 'install', '-y', '-q', packages.dnf]]],
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
