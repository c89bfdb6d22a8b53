// A real OpenID Connect provider with one client, the dashboard.
// node openid-provider.mjs <key> <certificate> <redirect address>
import { readFileSync } from 'node:fs';
import { createServer } from 'node:https';
import { Provider } from 'oidc-provider';

const [key, cert, redirect] = process.argv.slice(2);
const server = createServer({ key: readFileSync(key), cert: readFileSync(cert) });
server.listen(0, '127.0.0.1', () => {
  const issuer = `https://localhost:${server.address().port}`;
  const provider = new Provider(issuer, {
    clients: [{ client_id: 'dashboard', client_secret: 'a-client-secret', redirect_uris: [redirect] }],
    claims: { email: ['email', 'email_verified'], profile: ['preferred_username', 'groups'] },
    // Whoever logs in as "anna" is anna@shop.example.
    findAccount: (_context, id) => ({
      accountId: id,
      claims: () => ({ sub: `id-of-${id}`, email: `${id}@shop.example`, email_verified: true, groups: ['warehouse'] }),
    }),
    cookies: { keys: ['a-cookie-key'] },
  });
  server.on('request', provider.callback());
  console.log(issuer);
});
