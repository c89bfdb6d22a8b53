import { createHmac } from 'node:crypto';
import type { StandInAnswer, StandInCall } from '../http-stand-in';

/** An integration as the shop set it up. */
export interface Integration {
  consumerKey: string;
  consumerSecret: string;
  accessToken: string;
  accessTokenSecret: string;
  /** The resources it may use; all, where this is left out. */
  resources?: ReadonlySet<string>;
}

/** Which resource a path needs. */
const RESOURCES: readonly [RegExp, string][] = [
  [/\/V1\/products\/.*\/stockItems\//, 'Magento_CatalogInventory::cataloginventory'],
  [/\/V1\/stockItems\//, 'Magento_CatalogInventory::cataloginventory'],
  [/\/V1\/products/, 'Magento_Catalog::products'],
  [/\/V1\/inventory\//, 'Magento_InventoryApi::source'],
  [/\/V1\/(orders|shipments)/, 'Magento_Sales::sales'],
  [/\/V1\/store\//, 'Magento_Backend::store'],
];

const json = { 'content-type': 'application/json; charset=utf-8' };

/** What Magento refuses to a call, always with 401; undefined where it lets it through. */
export function refusalOf(
  call: StandInCall,
  integration: Integration,
  bearerEnabled: boolean,
): StandInAnswer | undefined {
  const resource = RESOURCES.find(([path]) => path.test(call.path))?.[1];
  const notAuthorized: StandInAnswer = {
    status: 401,
    headers: json,
    body: {
      message: "The consumer isn't authorized to access %resources.",
      parameters: { resources: resource ?? 'self' },
    },
  };
  const header = call.headers.authorization ?? '';
  if (header.startsWith('OAuth ')) {
    const refused = oauthRefusal(call, header, integration);
    if (refused) return refused;
  } else if (!bearerEnabled || header !== `Bearer ${integration.accessToken}`) {
    return notAuthorized;
  }
  return resource && integration.resources && !integration.resources.has(resource) ? notAuthorized : undefined;
}

/** The signature as this store checked it: SHA-256 only, and the host without its port (facts, Authentication). */
function oauthRefusal(call: StandInCall, header: string, integration: Integration): StandInAnswer | undefined {
  const oauth = new Map(
    [...header.slice('OAuth '.length).matchAll(/(\w+)="([^"]*)"/g)].map(([, name = '', value = '']) => [
      name,
      decodeURIComponent(value),
    ]),
  );
  const method = oauth.get('oauth_signature_method') ?? '';
  if (method !== 'HMAC-SHA256') {
    return {
      status: 400,
      headers: json,
      body: { message: 'Signature method %1 is not supported', parameters: [method] },
    };
  }
  const escape = (text: string) =>
    encodeURIComponent(text).replace(/[!'()*]/g, letter => `%${letter.charCodeAt(0).toString(16).toUpperCase()}`);
  const pairs = [...call.query, ...[...oauth].filter(([name]) => name !== 'oauth_signature')]
    .map(([name, value]) => `${escape(name)}=${escape(value)}`)
    .sort();
  const host = (call.headers.host ?? '').replace(/:\d+$/, '');
  const base = [call.method, `http://${host}${call.path}`, pairs.join('&')].map(escape).join('&');
  const key = `${escape(integration.consumerSecret)}&${escape(integration.accessTokenSecret)}`;
  const signature = createHmac('sha256', key).update(base).digest('base64');
  const known =
    oauth.get('oauth_consumer_key') === integration.consumerKey && oauth.get('oauth_token') === integration.accessToken;
  if (known && signature === oauth.get('oauth_signature')) return undefined;
  return { status: 401, headers: json, body: { message: 'The signature is invalid. Verify and try again.' } };
}
