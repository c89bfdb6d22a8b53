import { randomBytes, scrypt, timingSafeEqual } from 'node:crypto';
import { promisify } from 'node:util';

const derive = promisify(scrypt) as (password: string, salt: Buffer, length: number) => Promise<Buffer>;
const HASH_BYTES = 32;
const SALT_BYTES = 16;

/** The hash of a password: `scrypt$<salt>$<hash>`, in base64url. */
export async function hashPassword(password: string, salt = randomBytes(SALT_BYTES)): Promise<string> {
  const hash = await derive(password, salt, HASH_BYTES);
  return `scrypt$${salt.toString('base64url')}$${hash.toString('base64url')}`;
}

/** Whether a hash is that of a password; compared in constant time. */
export async function isPasswordOf(hash: string, password: string): Promise<boolean> {
  const salt = Buffer.from(hash.split('$')[1] ?? '', 'base64url');
  const [expected, given] = [Buffer.from(hash), Buffer.from(await hashPassword(password, salt))];
  return expected.length === given.length && timingSafeEqual(expected, given);
}
