import { verifySignature } from '@stock-sync/service';
import type { Request } from 'express';

/** A request that was signed according to Standard Webhooks. */
export interface SignedRequest {
  /** The id of the webhook. */
  id: string;
  body: Buffer;
}

/** Why a request is refused: the status of the answer, the field that is wrong, and what was expected. */
export interface RefusedRequest {
  status: 401 | 415;
  field: string;
  expected: string;
}

/** A request whose body was read as it came, if it is JSON and signed with one of these secrets. */
export function signedRequest(request: Request, secrets: readonly Buffer[]): SignedRequest | RefusedRequest {
  if (!/^application\/json\s*(;|$)/i.test(request.get('content-type') ?? '')) {
    return { status: 415, field: 'content-type', expected: 'application/json' };
  }
  const body = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0);
  const id = request.get('webhook-id');
  const headers = { id, timestamp: request.get('webhook-timestamp'), signature: request.get('webhook-signature') };
  const invalid = verifySignature(headers, body, secrets, Math.floor(Date.now() / 1000));
  if (invalid || id === undefined) return { status: 401, ...(invalid ?? { field: 'webhook-id', expected: 'a text' }) };
  return { id, body };
}
