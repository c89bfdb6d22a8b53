import { createHmac, randomBytes } from 'node:crypto';

/** The four values that Magento shows when an integration is activated. */
export interface OAuthCredentials {
  consumerKey: string;
  consumerSecret: string;
  accessToken: string;
  accessTokenSecret: string;
}

export interface OAuthOptions {
  /** Whether a non-default port is part of the signed URL, as RFC 5849 says. */
  signPort: boolean;
  /** For tests against published vectors. */
  nonce?: string;
  timestamp?: number;
}

/** Percent-encoding as in RFC 5849, section 3.6: stricter than encodeURIComponent. */
function encode(text: string): string {
  return encodeURIComponent(text).replace(
    /[!'()*]/g,
    character => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

/** The text that is signed (RFC 5849, section 3.4.1). JSON bodies are not part of it. */
export function signatureBase(method: string, url: string, oauth: [string, string][], signPort: boolean): string {
  const address = new URL(url);
  const origin = `${address.protocol}//${signPort ? address.host : address.hostname}`;
  const parameters = [...address.searchParams, ...oauth]
    .map(([name, value]): [string, string] => [encode(name), encode(value)])
    .sort(([a, x], [b, y]) => (a === b ? (x < y ? -1 : 1) : a < b ? -1 : 1))
    .map(([name, value]) => `${name}=${value}`)
    .join('&');
  return [method.toUpperCase(), origin + address.pathname, parameters].map(encode).join('&');
}

/** The Authorization header of one call, by HMAC-SHA256: Magento refuses HMAC-SHA1 (docs/facts/magento.md). */
export function oauthHeader(
  method: string,
  url: string,
  credentials: OAuthCredentials,
  { signPort, nonce = randomBytes(16).toString('hex'), timestamp = Math.floor(Date.now() / 1000) }: OAuthOptions,
): string {
  const oauth: [string, string][] = [
    ['oauth_consumer_key', credentials.consumerKey],
    ['oauth_nonce', nonce],
    ['oauth_signature_method', 'HMAC-SHA256'],
    ['oauth_timestamp', String(timestamp)],
    ['oauth_token', credentials.accessToken],
    ['oauth_version', '1.0'],
  ];
  const key = `${encode(credentials.consumerSecret)}&${encode(credentials.accessTokenSecret)}`;
  const signature = createHmac('sha256', key)
    .update(signatureBase(method, url, oauth, signPort))
    .digest('base64');
  const fields = [...oauth, ['oauth_signature', signature]] as [string, string][];
  return `OAuth ${fields.map(([name, value]) => `${encode(name)}="${encode(value)}"`).join(', ')}`;
}
