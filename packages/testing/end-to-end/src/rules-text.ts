import { EXAMPLE_PART, EXAMPLE_SETUP, RULE_CHAPTERS, type RuleExample } from './rule-examples';

/** docs/rules.md, before it is formatted. */
export function rulesText(): string {
  const head = [
    '# Which stock is for sale',
    '',
    'A shop decides by settings which parts it sells online, under which SKU, and how much of them. Without any,',
    'each part has its whole stock for sale under its name. Each line below is an example and a test: the settings,',
    'a part in InvenTree, and what `stock-sync explain` says of it. [settings.md](settings.md) has the reference.',
    '',
    'Other rules take effect when the workers start with them: a reconcile says first how many SKUs change and by',
    'how much, the mass-zero guard holds back what looks like a mistake, and then all parts are synced.',
    '',
    '<!-- Written by `npm run docs` from packages/testing/end-to-end/src/rule-examples.ts. Do not edit. -->',
  ];
  const chapters = RULE_CHAPTERS.flatMap(({ title, text, examples }) => {
    const hasSkus = examples.some(({ skus }) => skus !== undefined);
    const columns = ['settings', 'in InvenTree', ...(hasSkus ? ['SKU'] : []), 'what comes of it'];
    const rows = examples.map(example => [
      settingsOf(example),
      partOf(example),
      ...(hasSkus ? [(example.skus ?? [EXAMPLE_PART.name]).map(sku => `\`${sku}\``).join(', ')] : []),
      example.said,
    ]);
    return ['', `## ${title}`, '', text, '', line(columns), line(columns.map(() => '---')), ...rows.map(line)];
  });
  return [...head, ...chapters, ''].join('\n');
}

function line(cells: readonly string[]): string {
  return `| ${cells.join(' | ')} |`;
}

function settingsOf({ settings }: RuleExample): string {
  const all = Object.entries(settings).map(([name, value]) => `\`${name}=${value}\``);
  return all.join(', ') || 'none';
}

/** A part in words: "70 at Main, 10 at Repair". */
function partOf({ part }: RuleExample): string {
  const words = (part.stock ?? EXAMPLE_PART.stock).map(({ inStock, location, status, isExpired, allocated }) => {
    const label = status === undefined || status === 10 ? '' : ` ${EXAMPLE_SETUP.statuses.get(status)?.label ?? ''}`;
    const where = location === null ? '' : ` at ${EXAMPLE_SETUP.locations.get(location)?.name ?? ''}`;
    const more = `${isExpired ? ', expired' : ''}${allocated === '0' ? '' : `, of which ${allocated} are allocated`}`;
    return `${inStock}${label}${where}${more}`;
  });
  if (part.buildable !== undefined) words.push(`${part.buildable} can be built`);
  for (const [name, value] of Object.entries(part.parameters ?? {})) words.push(`parameter ${name} = ${value}`);
  if (part.category !== undefined) words.push(part.category === 9 ? 'category 9' : 'category 7, which is below 3');
  if (part.active === false) words.push('inactive');
  if (part.salable === false) words.push('not salable');
  if (part.virtual) words.push('virtual');
  if (part.revision === '') words.push('IPN W.1, no revision');
  return words.join('; ');
}
