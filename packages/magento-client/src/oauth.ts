import { createHmac, randomBytes } from 'node:crypto';

/** The four values that Magento shows when an integration is activated. */
export interface OAuthCredentials {
  consumerKey: string;
  consumerSecret: string;
  accessToken: string;
  accessTokenSecret: string;
}

/** Which form of a URL a store signs: releases differ (docs/facts/magento.md, "Differences and traps"). */
export interface SignedUrl {
  /** Whether a non-default port is part of it, as RFC 5849 says. */
  hasPort: boolean;
  /** Whether its path has characters that a path may contain as they are (2.4.6 and newer), or escaped as sent. */
  decodesPath: boolean;
}

export interface OAuthOptions {
  signedUrl: SignedUrl;
  /** For tests against published vectors. */
  nonce?: string;
  timestamp?: number;
}

/** Percent-encoding as in RFC 5849, section 3.6: stricter than encodeURIComponent. */
export function percentEncode(text: string): string {
  return encodeURIComponent(text).replace(
    /[!'()*]/g,
    character => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

/** What Magento 2.4.6 and newer decode in a path before they sign it: & , + ; = / : @ $ and % itself. */
const DECODED_IN_PATHS = /%(?:26|2C|2B|3B|3D|2F|3A|40|24|25)/g;

/** The text that is signed (RFC 5849, section 3.4.1). JSON bodies are not part of it. */
export function signatureBase(method: string, url: string, oauth: [string, string][], signed: SignedUrl): string {
  const address = new URL(url);
  const origin = `${address.protocol}//${signed.hasPort ? address.host : address.hostname}`;
  const path = signed.decodesPath
    ? address.pathname.replace(DECODED_IN_PATHS, escaped => decodeURIComponent(escaped))
    : address.pathname;
  const parameters = [...address.searchParams, ...oauth]
    .map(([name, value]): [string, string] => [percentEncode(name), percentEncode(value)])
    .sort(([a, x], [b, y]) => (a === b ? (x < y ? -1 : 1) : a < b ? -1 : 1))
    .map(([name, value]) => `${name}=${value}`)
    .join('&');
  return [method.toUpperCase(), origin + path, parameters].map(percentEncode).join('&');
}

/** The Authorization header of one call, by HMAC-SHA256: Magento refuses HMAC-SHA1 (docs/facts/magento.md). */
export function oauthHeader(
  method: string,
  url: string,
  credentials: OAuthCredentials,
  { signedUrl, nonce = randomBytes(16).toString('hex'), timestamp = Math.floor(Date.now() / 1000) }: OAuthOptions,
): string {
  const oauth: [string, string][] = [
    ['oauth_consumer_key', credentials.consumerKey],
    ['oauth_nonce', nonce],
    ['oauth_signature_method', 'HMAC-SHA256'],
    ['oauth_timestamp', String(timestamp)],
    ['oauth_token', credentials.accessToken],
    ['oauth_version', '1.0'],
  ];
  const key = `${percentEncode(credentials.consumerSecret)}&${percentEncode(credentials.accessTokenSecret)}`;
  const signature = createHmac('sha256', key)
    .update(signatureBase(method, url, oauth, signedUrl))
    .digest('base64');
  const fields = [...oauth, ['oauth_signature', signature]] as [string, string][];
  return `OAuth ${fields.map(([name, value]) => `${percentEncode(name)}="${percentEncode(value)}"`).join(', ')}`;
}
