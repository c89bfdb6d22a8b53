import { createHmac, timingSafeEqual } from 'node:crypto';

/** How far the timestamp of a webhook may be from our clock, in seconds (Standard Webhooks: five minutes). */
const TOLERANCE_SECONDS = 5 * 60;

/** More signatures than any sender has secrets to rotate; others are ignored. */
const MAX_SIGNATURES = 10;

const MAX_ID_LENGTH = 256;
const PREFIX = 'whsec_';

/** The keys in WEBHOOK_SECRET: each `whsec_` and base64, separated by commas; undefined where one is not base64. */
export function parseSecrets(text: string): Buffer[] | undefined {
  const secrets = text
    .split(',')
    .map(secret => secret.trim())
    .filter(secret => secret !== '')
    .map(secret => {
      const base64 = secret.startsWith(PREFIX) ? secret.slice(PREFIX.length) : secret;
      return /^[A-Za-z0-9+/]+={0,2}$/.test(base64) ? Buffer.from(base64, 'base64') : Buffer.alloc(0);
    });
  return secrets.length > 0 && secrets.every(secret => secret.length > 0) ? secrets : undefined;
}

/** The three headers of a webhook, as received. */
export interface WebhookHeaders {
  id: string | undefined;
  timestamp: string | undefined;
  signature: string | undefined;
}

/** The header that is wrong, and what was expected. */
export interface InvalidHeader {
  field: string;
  expected: string;
}

/**
 * Verifies a webhook by the Standard Webhooks specification: HMAC-SHA256 over `id.timestamp.body` with one of our
 * secrets, compared in constant time, sent within five minutes. Returns undefined where it is valid.
 */
export function verifySignature(
  headers: WebhookHeaders,
  body: Buffer,
  secrets: readonly Buffer[],
  nowSeconds: number,
): InvalidHeader | undefined {
  const { id, timestamp, signature } = headers;
  if (!id || id.length > MAX_ID_LENGTH)
    return { field: 'webhook-id', expected: `a text of 1 to ${MAX_ID_LENGTH} characters` };
  if (!timestamp || !/^\d{1,12}$/.test(timestamp))
    return { field: 'webhook-timestamp', expected: 'seconds since 1970' };
  if (!signature) return { field: 'webhook-signature', expected: 'v1,<base64>' };
  if (Math.abs(nowSeconds - Number(timestamp)) > TOLERANCE_SECONDS) {
    return { field: 'webhook-timestamp', expected: 'a time within 5 minutes of now' };
  }

  const given = signature
    .split(' ')
    .slice(0, MAX_SIGNATURES)
    .filter(part => part.startsWith('v1,'))
    .map(part => Buffer.from(part.slice(3), 'base64'));
  const valid = secrets.map(secret => createHmac('sha256', secret).update(`${id}.${timestamp}.`).update(body).digest());
  // Every pair is compared, so that the time does not reveal which one matches.
  let matches = 0;
  for (const expected of valid) {
    for (const candidate of given) {
      if (candidate.length === expected.length && timingSafeEqual(candidate, expected)) matches++;
    }
  }
  return matches > 0 ? undefined : { field: 'webhook-signature', expected: 'a signature by one of our secrets' };
}

/** The three headers of a webhook that we send ourselves, signed with the first secret. */
export function signedHeaders(
  id: string,
  body: string,
  secret: Buffer,
  nowSeconds = Math.floor(Date.now() / 1000),
): Record<'webhook-id' | 'webhook-timestamp' | 'webhook-signature', string> {
  const timestamp = String(nowSeconds);
  const signature = createHmac('sha256', secret).update(`${id}.${timestamp}.${body}`).digest('base64');
  return { 'webhook-id': id, 'webhook-timestamp': timestamp, 'webhook-signature': `v1,${signature}` };
}
