import { spawnSync } from 'node:child_process';

/** What a process writes to standard output that logs with these statements. */
function logged(statements: string, format = 'json') {
  const options = `{ service: 'x', level: 'info', format: '${format}' }`;
  const create = `const log = require('..').createLog(${options});`;
  const { status, stdout } = spawnSync(process.execPath, ['-e', create + statements], { cwd: __dirname });
  const lines = stdout.toString().split('\n').slice(0, -1);
  return { status, lines };
}

const parsed = (lines: readonly string[]) => lines.map(line => JSON.parse(line) as Record<string, unknown>);

it('writes a line of JSON for each message, with its fields, in order', () => {
  const { lines } = logged(`
    log.info('first', { part: 45, target: { default: '80' } });
    log.debug('not wanted');
    log.warn('second');
    setTimeout(() => log.error('third'), 20);`);
  const timestamp = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/) as string;
  expect(parsed(lines)).toEqual([
    { level: 'info', message: 'first', service: 'x', timestamp, part: 45, target: { default: '80' } },
    { level: 'warn', message: 'second', service: 'x', timestamp },
    { level: 'error', message: 'third', service: 'x', timestamp },
  ]);
});

it.each([
  ['exits', 'process.exit(3)', 3],
  ['throws', "throw new Error('bug')", 1],
])('loses no line of a process that %s right after it', (_, end, expected) => {
  const { status, lines } = logged(`log.error('the last word'); ${end};`);
  expect(status).toBe(expected);
  expect(parsed(lines)).toMatchObject([{ message: 'the last word' }]);
});

it('writes a line without its fields rather than none, where JSON cannot hold one of them', () => {
  const { status, lines } = logged("log.info('huge', { size: 10n ** 20n }); log.info('next');");
  expect(status).toBe(0);
  expect(parsed(lines)).toMatchObject([{ level: 'info', message: 'huge', service: 'x' }, { message: 'next' }]);
});

it('writes text for people', () => {
  const { lines } = logged("log.info('first', { part: 45 });", 'text');
  expect(lines).toEqual([expect.stringMatching(/^\d\d:\d\d:\d\d\.\d{3} info {2}x: first$/)]);
});
