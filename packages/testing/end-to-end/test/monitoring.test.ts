import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { startService, startSystem } from '../src';
import { redisServer, shown, until, widget } from './support';

/** The files for monitoring and systemd in docs fit what the services really have. */

const root = join(__dirname, '../../../..');
const file = (path: string) => readFileSync(join(root, 'docs', path), 'utf8');

interface AlertRules {
  groups: { rules: { alert: string; expr: string; annotations: { summary: string } }[] }[];
}
interface GrafanaDashboard {
  panels: { title: string; targets: { expr: string }[] }[];
}

it('alert rules and dashboard use only metrics and labels that exist, and every process has metrics', async () => {
  const system = await startSystem({
    redisServer: redisServer(),
    sends: 'none',
    environment: { SYNC_DELAY_MS: '10', SWEEP_INTERVAL_SECONDS: '1' },
  });
  const dashboard = await startService('dashboard', {
    REDIS_URL: system.environment.REDIS_URL ?? '',
    DASHBOARD_PASSWORD: 'a-long-password',
  });
  try {
    const item = widget(system);
    await system.send({ event: 'stockitem.counted', part: item.part });
    await until('the store is right', () => shown(system) === 50);
    await until('a sweep has ended', async () => (await metricsOf(system.workers[0]?.url)).includes('held back'));
    const pages = await Promise.all([system.ingest.operatorUrl, system.workers[0]?.url, dashboard.url].map(metricsOf));
    for (const page of pages) expect(page).toContain('process_cpu_seconds_total');
    const all = pages.join('\n');

    const rules = (parse(file('monitoring/alerts.yml')) as AlertRules).groups.flatMap(group => group.rules);
    const grafana = JSON.parse(file('monitoring/grafana-dashboard.json')) as GrafanaDashboard;
    const expressions = [
      ...rules.map(({ expr }) => expr),
      ...grafana.panels.flatMap(({ targets }) => targets.map(({ expr }) => expr)),
    ];
    expect(expressions.length).toBeGreaterThan(15);
    for (const expression of expressions) {
      const names = expression.match(/stock_sync_\w+/g) ?? [];
      expect([expression, names.length > 0]).toEqual([expression, true]);
      const unknown = names.filter(name => !new RegExp(`^(# TYPE )?${name}(\\{| )`, 'm').test(all));
      expect([expression, unknown]).toEqual([expression, []]);
      for (const [, label, value] of expression.matchAll(/(\w+)="([^"]+)"/g))
        expect(all).toContain(`${label}="${value}"`);
    }
  } finally {
    await dashboard.stop();
    await system.stop();
  }
});

async function metricsOf(url: string | undefined): Promise<string> {
  return (await fetch(`${url}/metrics`)).text();
}

it('the units of systemd start the services that there are, and let each stop in its time', () => {
  const units = readdirSync(join(root, 'docs/systemd'));
  expect(units).toEqual(['ingest', 'dashboard', 'worker'].map(app => `stock-sync-${app}.service`).sort());
  for (const unit of units) {
    const lines = Object.fromEntries(
      [...file(`systemd/${unit}`).matchAll(/^(\w+)=(.*)$/gm)].map(([, key = '', value = '']) => [key, value]),
    );
    const [, script = ''] = (lines.ExecStart ?? '').split(' ');
    expect([unit, existsSync(join(root, script))]).toEqual([unit, true]);
    expect(Number(lines.TimeoutStopSec)).toBeGreaterThan(10);
    expect(lines.User).toBe('stock-sync');
  }
});
