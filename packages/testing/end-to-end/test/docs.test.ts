import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { firstTenMinutes } from '../src/first-ten-minutes';
import { rulesText } from '../src/rules-text';
import { settingsText } from '../src/settings-text';
import { redisServer } from './support';

/** The docs that must say what the code says. */

const root = join(__dirname, '..', '..', '..', '..');
const text = (file: string) => readFileSync(join(root, file), 'utf8');
/** The TypeScript sources below a folder. */
function sourceFiles(folder: string): string[] {
  return readdirSync(join(root, folder), { withFileTypes: true }).flatMap(entry => {
    const path = `${folder}/${entry.name}`;
    if (entry.isDirectory()) return /^(node_modules|dist|recordings)$/.test(entry.name) ? [] : sourceFiles(path);
    return /\/src\/.*\.ts$/.test(path) ? [path] : [];
  });
}

/** The words of a document, whatever its line breaks and the width of its tables. */
const words = (document: string) => document.split(/\s+/).filter(word => !/^[-|]*$/.test(word));

it('docs/settings.md is up to date (npm run docs)', () => {
  expect(words(text('docs/settings.md'))).toEqual(words(settingsText()));
});

it('docs/rules.md is up to date (npm run docs)', () => {
  expect(words(text('docs/rules.md'))).toEqual(words(rulesText()));
});

it('docs/first-ten-minutes.md has what the commands print (npm run docs)', async () => {
  // Two jobs that run at once may log in either order.
  const lines = (document: string) =>
    document
      .split('\n')
      .map(line => words(line).join(' '))
      .sort();
  const paragraphs = (document: string) => words(document.replace(/^```[^]*?^```/gm, ''));
  const made = await firstTenMinutes(redisServer());
  const written = text('docs/first-ten-minutes.md');
  expect(paragraphs(written)).toEqual(paragraphs(made));
  const printed = (document: string) => lines([...document.matchAll(/^```[^]*?^```/gm)].join('\n'));
  expect(printed(written)).toEqual(printed(made));
}, 60_000);

it('docs/outages.md has the table of verdicts', () => {
  const code = text('apps/worker/src/breaker/verdicts.ts').matchAll(
    /^ {2}'?([\w-]+)'?: \{ probePasses: '(\w+)', probeFails: '(\w+)' \},$/gm,
  );
  const rows = text('docs/outages.md').matchAll(/^\| `([\w-]+)`: [^|]+\| `(\w+)` +\| `(\w+)` +\|$/gm);
  const verdicts = (matches: Iterable<RegExpMatchArray>) => [...matches].map(match => match.slice(1, 4).join(' '));
  const expected = verdicts(code);
  expect(expected).toHaveLength(5);
  expect(verdicts(rows)).toEqual(expected);
});

it('every link in the docs leads to a file', () => {
  const files = [
    'README.md',
    'packages/inventree-plugin/README.md',
    ...readdirSync(join(root, 'docs'), { recursive: true }).map(name => `docs/${String(name)}`),
  ];
  const broken = files
    .filter(file => file.endsWith('.md'))
    .flatMap(file =>
      [...text(file).matchAll(/\]\((?!https?:)([^)#]+)(?:#[^)]*)?\)/g)].flatMap(([, target = '']) => {
        const path = join(root, file, '..', target);
        try {
          readdirSync(path);
          return [];
        } catch (error) {
          return (error as NodeJS.ErrnoException).code === 'ENOENT' ? [`${file}: ${target}`] : [];
        }
      }),
    );
  expect(broken).toEqual([]);
});

it('every fact that a comment cites is in docs/facts', () => {
  const facts = text('docs/facts/magento.md') + text('docs/facts/inventree.md');
  const headings = [...facts.matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) => heading);
  const sources = ['apps', 'packages'].flatMap(sourceFiles);
  const cited = sources.flatMap(file =>
    [
      ...text(file)
        .replace(/\n\s*\*? ?/g, ' ')
        .matchAll(/docs\/facts\/\w+\.md, "([^"]+)"/g),
    ].map(([, title = '']) => title),
  );
  expect(cited.length).toBeGreaterThan(10);
  expect(cited.filter(title => !headings.some(heading => heading.startsWith(title)))).toEqual([]);
});
