import { randomBytes } from 'node:crypto';

const SECRET_BYTES = 32;

/** A new WEBHOOK_SECRET. */
export function createSecret(): string {
  return `whsec_${randomBytes(SECRET_BYTES).toString('base64')}`;
}
