import { createHmac, timingSafeEqual } from 'node:crypto';

/** How far a webhook's timestamp may be from our clock, in seconds (Standard Webhooks: five minutes). */
const TOLERANCE_SECONDS = 5 * 60;

/** More signatures than any sender has secrets to rotate; the rest is not looked at. */
const MOST_SIGNATURES = 10;

const LONGEST_ID = 256;
const PREFIX = 'whsec_';

/** The keys in a WEBHOOK_SECRET: `whsec_` and base64 each, separated by commas; undefined where one is no base64. */
export function secretsFrom(text: string): Buffer[] | undefined {
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

/** The three headers of a webhook, as they came. */
export interface WebhookHeaders {
  id: string | undefined;
  timestamp: string | undefined;
  signature: string | undefined;
}

/** Why a webhook is not believed: the header and what was expected of it. */
export interface Unbelieved {
  field: string;
  expected: string;
}

/**
 * Whether a webhook comes from somebody who knows one of our secrets, and was sent within five minutes: undefined if
 * so. As the Standard Webhooks specification has it: HMAC-SHA256 over `id.timestamp.body`, compared in constant time.
 */
export function verifySignature(
  headers: WebhookHeaders,
  body: Buffer,
  secrets: readonly Buffer[],
  nowSeconds: number,
): Unbelieved | undefined {
  const { id, timestamp, signature } = headers;
  if (!id || id.length > LONGEST_ID)
    return { field: 'webhook-id', expected: `a text of 1 to ${LONGEST_ID} characters` };
  if (!timestamp || !/^\d{1,12}$/.test(timestamp))
    return { field: 'webhook-timestamp', expected: 'seconds since 1970' };
  if (!signature) return { field: 'webhook-signature', expected: 'v1,<base64>' };
  if (Math.abs(nowSeconds - Number(timestamp)) > TOLERANCE_SECONDS) {
    return { field: 'webhook-timestamp', expected: 'a time within 5 minutes of now' };
  }

  const given = signature
    .split(' ')
    .slice(0, MOST_SIGNATURES)
    .filter(part => part.startsWith('v1,'))
    .map(part => Buffer.from(part.slice(3), 'base64'));
  const right = secrets.map(secret => createHmac('sha256', secret).update(`${id}.${timestamp}.`).update(body).digest());
  // Every pair is compared, so that the time tells nothing of which one fits.
  let matches = 0;
  for (const expected of right) {
    for (const candidate of given) {
      if (candidate.length === expected.length && timingSafeEqual(candidate, expected)) matches++;
    }
  }
  return matches > 0 ? undefined : { field: 'webhook-signature', expected: 'a signature by one of our secrets' };
}
