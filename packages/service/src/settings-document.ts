import type { Settings } from './settings';

/** The settings of one service. */
export interface SettingsGroup {
  title: string;
  settings: Settings;
}

/** docs/settings.md, from the schemas of the settings. */
export function settingsDocument(groups: readonly SettingsGroup[]): string {
  const head = [
    '# Settings',
    '',
    'All settings are environment variables. Outside production, an `.env` file in the working directory is read, too.',
    'A secret can come from a file: `MAGENTO_ACCESS_TOKEN_FILE=/run/secrets/token` replaces `MAGENTO_ACCESS_TOKEN`.',
    'Switches take `true` or `false`. If a setting is wrong, the service lists every wrong setting and does not start.',
    '',
    '<!-- Written by `npm run docs` from the schemas in each `settings.ts`. Do not edit. -->',
  ];
  const sections = groups.flatMap(({ title, settings }) => [
    '',
    `## ${title}`,
    '',
    '| setting | default | what it does |',
    '| --- | --- | --- |',
    ...Object.entries(settings).map(([name, schema]) => {
      const meta = schema.meta() as { description?: string; fallback?: string } | undefined;
      const fallback = meta?.fallback ?? defaultOf(schema);
      return `| \`${name}\` | ${fallback === '' ? '' : `\`${fallback}\``} | ${meta?.description ?? ''} |`;
    }),
  ]);
  return [...head, ...sections, ''].join('\n');
}

function defaultOf(schema: Settings[string]): string {
  const parsed = schema.safeParse(undefined);
  const isPlain = parsed.success && ['string', 'number', 'boolean'].includes(typeof parsed.data);
  return isPlain ? String(parsed.data) : '';
}
