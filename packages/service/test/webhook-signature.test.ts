import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { signatureOf } from '@stock-sync/fakes';
import { parseSecrets, verifySignature } from '../src';

interface Vector {
  why: string;
  secret: string;
  id: string;
  timestamp: string;
  body: string;
  signature: string;
}

// The InvenTree plugin's own tests sign these too: so its Python and our TypeScript agree.
const file = join(__dirname, '../../../packages/inventree-plugin/tests/signature-vectors.json');
const vectors = JSON.parse(readFileSync(file, 'utf8')) as Vector[];

describe("signatures that the InvenTree plugin's tests check too", () => {
  it.each(vectors)('$why', ({ secret, id, timestamp, body, signature }) => {
    const secrets = parseSecrets(secret) ?? [];
    const believed = (given: string) =>
      verifySignature({ id, timestamp, signature: given }, Buffer.from(body), secrets, Number(timestamp)) === undefined;
    expect(signatureOf(secret, id, timestamp, body)).toBe(signature);
    expect(believed(signature)).toBe(true);
    expect(believed(signature.replace(/.=$/, match => (match === 'A=' ? 'B=' : 'A=')))).toBe(false);
  });
});
