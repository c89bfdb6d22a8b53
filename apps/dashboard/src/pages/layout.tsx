import type { ComponentChildren } from 'preact';
import { renderToString } from 'preact-render-to-string';
import type { User } from '../login/users';

/** What every page has besides its content. */
export interface PageFrame {
  user: User;
  csrf: string;
  /** What was done by the last form. */
  notice: string | undefined;
  /** The path of this page, with its query. */
  path: string;
}

const LINKS = [
  ['/', 'Overview'],
  ['/parts', 'Parts'],
  ['/orders', 'Orders'],
  ['/history', 'History'],
  ['/dead-letters', 'Dead letters'],
  ['/queues', 'Queues'],
] as const;

/** htmx adds no style to the page and evaluates no text of it, so that a strict content security policy holds. */
const HTMX = JSON.stringify({ includeIndicatorStyles: false, allowEval: false, selfRequestsOnly: true });

/** A whole document. */
export function renderDocument(title: string, body: ComponentChildren): string {
  const document = (
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <meta name="htmx-config" content={HTMX} />
        <title>{`${title} – InvenTree Magento Sync`}</title>
        <link rel="icon" href="/assets/icon.svg" type="image/svg+xml" />
        <link rel="stylesheet" href="/assets/style.css" />
        <script src="/assets/htmx.js" defer />
        <script src="/assets/sse.js" defer />
      </head>
      {body}
    </html>
  );
  return `<!DOCTYPE html>${renderToString(document)}`;
}

/**
 * A page behind the login.
 * @param isLive whether its content is loaded again when something changes
 */
export function renderPage(
  title: string,
  frame: PageFrame,
  content: ComponentChildren,
  { isLive = false }: { isLive?: boolean } = {},
): string {
  const { user, csrf, notice, path } = frame;
  const live = isLive && {
    'hx-get': path,
    'hx-trigger': 'sse:changed',
    'hx-select': '#content',
    'hx-target': '#content',
    'hx-swap': 'outerHTML',
  };
  return renderDocument(
    title,
    <body hx-ext="sse" {...(isLive && { 'sse-connect': '/events' })}>
      <a class="skip" href="#content">
        Skip to the content
      </a>
      <header>
        <a class="brand" href="/">
          InvenTree Magento Sync
        </a>
        <nav aria-label="Pages">
          {LINKS.map(([href, name]) => (
            <a href={href} aria-current={isCurrent(href, path) ? 'page' : undefined}>
              {name}
            </a>
          ))}
        </nav>
        <form class="search" action="/search" role="search">
          <input type="search" name="q" placeholder="SKU, part or IPN" aria-label="SKU, part or IPN" required />
          <button>Find</button>
        </form>
        <form class="user" action="/logout" method="post">
          <input type="hidden" name="csrf" value={csrf} />
          <span>
            {user.name}, {user.role}
          </span>
          <button class="quiet">Log out</button>
        </form>
      </header>
      <main>
        {notice && (
          <p class="notice" role="status">
            {notice}
          </p>
        )}
        <div {...live} />
        <div id="content">{content}</div>
      </main>
    </body>,
  );
}

function isCurrent(href: string, path: string): boolean {
  return href === '/' ? path === '/' || path.startsWith('/?') : path.startsWith(href);
}

/** A button that changes something, with the fields that say what. */
export function ActionButton({
  action,
  csrf,
  fields,
  children,
  isQuiet = false,
}: {
  action: string;
  csrf: string;
  fields: Readonly<Record<string, string | number>>;
  children: ComponentChildren;
  isQuiet?: boolean;
}) {
  return (
    <form class="action" method="post" action={action}>
      <input type="hidden" name="csrf" value={csrf} />
      {Object.entries(fields).map(([name, value]) => (
        <input type="hidden" name={name} value={value} />
      ))}
      <button class={isQuiet ? 'quiet' : undefined}>{children}</button>
    </form>
  );
}

/** A time for people, in UTC, which a machine can read, too. */
export function Time({ at }: { at: number }) {
  const iso = new Date(at).toISOString();
  return (
    <time dateTime={iso} title={`${iso} (UTC)`}>
      {iso.slice(0, 10)} {iso.slice(11, 19)}
    </time>
  );
}

/** The address of a SKU's page. */
export const skuHref = (sku: string) => `/sku?sku=${encodeURIComponent(sku)}`;
/** The address of a part's page. */
export const partHref = (part: number) => `/part?id=${part}`;
