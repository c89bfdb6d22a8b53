import { createRequire } from 'node:module';
import { join } from 'node:path';
import { commonSettings, settingsDocument, type Settings } from '@stock-sync/service';

const apps = join(__dirname, '..', '..', '..', '..', 'apps');
const load = createRequire(__filename);

/** The settings that an app has besides those of every process. */
function settingsOf(app: string, name: string): Settings {
  const all = (load(join(apps, app, 'dist', 'settings.js')) as Record<string, Settings>)[name];
  if (!all) throw new Error(`apps/${app}/src/settings.ts exports no ${name}`);
  return Object.fromEntries(Object.entries(all).filter(([setting]) => !(setting in commonSettings)));
}

/** docs/settings.md, before it is formatted. */
export function settingsText(): string {
  return settingsDocument([
    { title: 'All services and commands', settings: commonSettings },
    { title: 'Ingest', settings: settingsOf('ingest', 'ingestSettings') },
    { title: 'Worker', settings: settingsOf('worker', 'workerSettings') },
    { title: 'Dashboard', settings: settingsOf('dashboard', 'dashboardSettings') },
  ]);
}
