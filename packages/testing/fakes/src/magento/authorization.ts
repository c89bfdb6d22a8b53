import { createHmac } from 'node:crypto';
import type { FakeAnswer, FakeCall } from '../fake-http-server';

/** An integration of the shop. */
export interface Integration {
  consumerKey: string;
  consumerSecret: string;
  accessToken: string;
  accessTokenSecret: string;
  /** The resources that it may use; all of them if this is undefined. */
  resources?: ReadonlySet<string>;
}

/** The resource that a path requires. */
const RESOURCES: readonly [RegExp, string][] = [
  [/\/V1\/products\/.*\/stockItems\//, 'Magento_CatalogInventory::cataloginventory'],
  [/\/V1\/stockItems\//, 'Magento_CatalogInventory::cataloginventory'],
  [/\/V1\/products/, 'Magento_Catalog::products'],
  [/\/V1\/inventory\/(stock-resolver|stocks|get-sources)/, 'Magento_InventoryApi::stock'],
  [/\/V1\/inventory\//, 'Magento_InventoryApi::source'],
  [/\/V1\/(orders|shipments|creditmemos)/, 'Magento_Sales::sales'],
  [/\/V1\/order\/\d+\/ship/, 'Magento_Sales::ship'],
  [/\/V1\/store\//, 'Magento_Backend::store'],
];

/** Percent-encoding as in RFC 5849, section 3.6. */
const escape = (text: string) =>
  encodeURIComponent(text).replace(/[!'()*]/g, letter => `%${letter.charCodeAt(0).toString(16).toUpperCase()}`);

const json = { 'content-type': 'application/json; charset=utf-8' };

/** Since 2.4.7, writing source items requires another resource than reading them. */
function resourceOf({ method, path }: FakeCall, version: MagentoVersion): string | undefined {
  const isWrite = method === 'POST' && path.endsWith('/source-items');
  if (isWrite && version === '2.4.7') return 'Magento_InventoryApi::stock_source_item_assign';
  return RESOURCES.find(([pattern]) => pattern.test(path))?.[1];
}

/** The recorded releases: they differ in how they sign a path, and in the right that a write requires. */
export type MagentoVersion = '2.4.4' | '2.4.7';

/** Why Magento refuses a call, always with 401; undefined if it does not. */
export function refusalOf(
  call: FakeCall,
  integration: Integration,
  { bearerEnabled, version }: { bearerEnabled: boolean; version: MagentoVersion },
): FakeAnswer | undefined {
  const resource = resourceOf(call, version);
  const notAuthorized: FakeAnswer = {
    status: 401,
    headers: json,
    body: {
      message: "The consumer isn't authorized to access %resources.",
      parameters: { resources: resource ?? 'self' },
    },
  };
  const header = call.headers.authorization ?? '';
  if (header.startsWith('OAuth ')) {
    const refused = oauthRefusal(call, header, integration, version);
    if (refused) return refused;
  } else if (!bearerEnabled || header !== `Bearer ${integration.accessToken}`) {
    return notAuthorized;
  }
  return resource && integration.resources && !integration.resources.has(resource) ? notAuthorized : undefined;
}

/**
 * The signature as this store checked it: SHA-256 only, and the host without its port (docs/facts/magento.md,
 * "Authentication").
 */
function oauthRefusal(
  call: FakeCall,
  header: string,
  integration: Integration,
  version: MagentoVersion,
): FakeAnswer | undefined {
  const oauth = new Map(
    [...header.slice('OAuth '.length).matchAll(/(\w+)="([^"]*)"/g)].map(([, name = '', value = '']) => [
      name,
      decodeURIComponent(value),
    ]),
  );
  const method = oauth.get('oauth_signature_method') ?? '';
  if (method !== 'HMAC-SHA256') {
    const body = { message: 'Signature method %1 is not supported', parameters: [method] };
    return { status: 400, headers: json, body };
  }
  const given = oauth.get('oauth_signature');
  oauth.delete('oauth_signature');
  const path = version === '2.4.7' ? decodedPath(call.path) : call.path;
  const address = `http://${(call.headers.host ?? '').replace(/:\d+$/, '')}${path}`;
  const known =
    oauth.get('oauth_consumer_key') === integration.consumerKey && oauth.get('oauth_token') === integration.accessToken;
  if (known && given === oauthSignature(call.method, address, [...call.query, ...oauth], integration)) return undefined;
  return { status: 401, headers: json, body: { message: 'The signature is invalid. Verify and try again.' } };
}

/**
 * The path as 2.4.6 and newer sign it: what may stand in a path is decoded, and everything else is encoded. A percent
 * sign before two hex digits is taken for an escape once more, so no signature fits (docs/facts/magento.md).
 */
function decodedPath(path: string): string {
  const plain = decodeURIComponent(path);
  if (/%[0-9a-f]{2}/i.test(plain)) return decodeURIComponent(plain);
  return Array.from(plain, letter => (/[\w\-.~:@&=+$,/;%]/.test(letter) ? letter : escape(letter))).join('');
}

/** The OAuth 1.0a signature of a call, computed independently of our client, so that each checks the other. */
export function oauthSignature(
  method: string,
  address: string,
  parameters: readonly (readonly [string, string])[],
  { consumerSecret, accessTokenSecret }: Integration,
): string {
  const pairs = parameters.map(([name, value]) => `${escape(name)}=${escape(value)}`).sort();
  const base = [method, address, pairs.join('&')].map(escape).join('&');
  return createHmac('sha256', `${escape(consumerSecret)}&${escape(accessTokenSecret)}`)
    .update(base)
    .digest('base64');
}
