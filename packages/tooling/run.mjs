// The root scripts of package.json: `node packages/tooling/run.mjs <command> [arguments]`.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { root, run, install, installForProduction, setUp } from './set-up.mjs';

const tool = name => join(root, 'node_modules', name);
const node = (script, ...args) => run(process.execPath, [script, ...args]);

// In this process, so that a signal to it reaches the service.
const start = async (folder, script) => {
  setUp();
  await import(pathToFileURL(join(root, folder, 'dist', script)));
};

const withRedis = async (work, options) => {
  const { provideRedis } = await import('./redis.mjs');
  const redis = await provideRedis(options);
  try {
    await work(redis);
  } finally {
    await redis.stop();
  }
};

/** The tests of the InvenTree plugin, once for each generation of InvenTree. */
const testPlugin = python => {
  for (const INVENTREE_LIKE of ['0.17', '1.4']) {
    console.log(`The InvenTree plugin, in an InvenTree like ${INVENTREE_LIKE}:`);
    run(python, ['-m', 'unittest', 'discover', '--start-directory', 'tests', '--top-level-directory', '.'], {
      cwd: join(root, 'packages/inventree-plugin'),
      env: { ...process.env, INVENTREE_LIKE, PYTHONDONTWRITEBYTECODE: '1', PYTHONWARNINGS: 'error::ResourceWarning' },
    });
  }
};

const commands = {
  build: () => setUp(),
  production: () => {
    setUp();
    installForProduction();
  },
  start: ([app]) => start(`apps/${app}`, 'main.js'),
  cli: async args => {
    process.argv.splice(1, process.argv.length, 'stock-sync', ...args);
    await start('apps/cli', 'main.js');
  },
  demo: async () => {
    setUp();
    const { runDemo } = await import(pathToFileURL(join(root, 'packages/testing/demo/dist/main.js')));
    await withRedis(
      async redis => (process.exitCode = await runDemo({ redis, once: process.argv.includes('--once') })),
      { detached: true },
    );
    process.exit();
  },
  test: async args => {
    setUp();
    const { findChromium, findPython } = await import('./programs.mjs');
    process.env.CHROMIUM_PATH = findChromium();
    process.env.PYTHON_PATH = findPython(root);
    if (args.length === 0) testPlugin(process.env.PYTHON_PATH);
    const { findRedisProgram } = await import('./redis.mjs');
    const { startPrivatePostgres } = await import('./postgres.mjs');
    process.env.REDIS_PROGRAM = findRedisProgram();
    const postgres = await startPrivatePostgres();
    process.env.TEST_POSTGRES_URL = postgres.url;
    try {
      await withRedis(redis => {
        process.env.TEST_REDIS_URL = redis.url;
        console.log(`For the tests: ${redis.description}; ${postgres.description}`);
        node(tool('jest/bin/jest.js'), ...args);
      });
    } finally {
      await postgres.stop();
    }
  },
  'test-plugin': async () => {
    const { findPython } = await import('./programs.mjs');
    testPlugin(findPython(root));
  },
  lint: () => {
    setUp();
    node(tool('typescript/bin/tsc'), '--project', 'tsconfig.tests.json');
    node(tool('eslint/bin/eslint.js'), '.', '--max-warnings', '0');
    node(tool('prettier/bin/prettier.cjs'), '--check', '--log-level', 'warn', '.');
    console.log('Types, lint and format are fine.');
  },
  docs: async () => {
    setUp();
    const { settingsText } = await import(
      pathToFileURL(join(root, 'packages/testing/end-to-end/dist/settings-text.js'))
    );
    const { rulesText } = await import(pathToFileURL(join(root, 'packages/testing/end-to-end/dist/rules-text.js')));
    const { firstTenMinutes } = await import(
      pathToFileURL(join(root, 'packages/testing/end-to-end/dist/first-ten-minutes.js'))
    );
    writeFileSync(join(root, 'docs/settings.md'), settingsText());
    writeFileSync(join(root, 'docs/rules.md'), rulesText());
    await withRedis(async ({ url }) =>
      writeFileSync(join(root, 'docs/first-ten-minutes.md'), await firstTenMinutes(url)),
    );
    node(tool('prettier/bin/prettier.cjs'), '--write', '--log-level', 'warn', 'docs');
  },
  format: () => {
    install();
    node(tool('prettier/bin/prettier.cjs'), '--write', '--log-level', 'warn', '.');
  },
  chaos: async args => {
    setUp();
    const { findRedisProgram } = await import('./redis.mjs');
    const { chaosCommand } = await import(pathToFileURL(join(root, 'packages/testing/chaos/dist/command.js')));
    process.exit(await chaosCommand(root, args, findRedisProgram()));
  },
  'chaos-mutants': async args => {
    setUp();
    const { mutantsCommand } = await import(pathToFileURL(join(root, 'packages/testing/chaos/dist/run-mutants.js')));
    process.exit(await mutantsCommand(root, args));
  },
  bench: async args => {
    setUp();
    const { runBench } = await import(pathToFileURL(join(root, 'packages/testing/benchmarks/dist/index.js')));
    await withRedis(redis => runBench({ redisUrl: redis.url, root, args }));
    process.exit();
  },
};

const [name, ...args] = process.argv.slice(2);
try {
  const command = commands[name];
  if (!command) throw new Error(`expected one of ${Object.keys(commands).join(', ')}, got ${name ?? 'nothing'}`);
  await command(args);
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exit(1);
}
