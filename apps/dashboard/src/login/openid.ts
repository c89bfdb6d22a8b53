import type { Role, User } from './users';

export interface OpenIdOptions {
  issuer: string;
  clientId: string;
  clientSecret: string | undefined;
  /** DASHBOARD_URL. */
  url: string;
  operators: readonly string[];
  viewers: readonly string[];
}

/** A login that has begun: where the browser goes, and what its return is checked against. */
export interface BegunLogin {
  url: string;
  checks: { verifier: string; state: string; nonce: string };
}

/** Logs users in with an OpenID Connect provider, by the authorization code flow with PKCE. */
export interface OpenIdLogin {
  begin(): Promise<BegunLogin>;
  /** Who came back; undefined where the provider knows them, and the dashboard does not. Rejects where that fails. */
  finish(path: string, checks: BegunLogin['checks']): Promise<User | undefined>;
}

export const CALLBACK_PATH = '/login/openid/callback';

/** The login with this provider, which is asked for its addresses at the first login. */
export function createOpenIdLogin(options: OpenIdOptions): OpenIdLogin {
  const { issuer, clientId, clientSecret } = options;
  const base = options.url.replace(/\/+$/, '');

  async function discover() {
    const client = await import('openid-client');
    const found = await client.discovery(new URL(issuer), clientId, clientSecret);
    return { client, found };
  }

  return {
    async begin() {
      const { client, found } = await discover();
      const [verifier, state, nonce] = [client.randomPKCECodeVerifier(), client.randomState(), client.randomNonce()];
      const url = client.buildAuthorizationUrl(found, {
        redirect_uri: `${base}${CALLBACK_PATH}`,
        scope: 'openid email profile',
        code_challenge: await client.calculatePKCECodeChallenge(verifier),
        code_challenge_method: 'S256',
        state,
        nonce,
      });
      return { url: url.href, checks: { verifier, state, nonce } };
    },

    async finish(path, { verifier, state, nonce }) {
      const { client, found } = await discover();
      const tokens = await client.authorizationCodeGrant(found, new URL(`${base}${path}`), {
        pkceCodeVerifier: verifier,
        expectedState: state,
        expectedNonce: nonce,
      });
      const claims = tokens.claims();
      if (!claims) return undefined;
      const info = await client.fetchUserInfo(found, tokens.access_token, claims.sub);
      return userFrom({ ...claims, ...info }, options);
    },
  };
}

/** The user whom the provider's claims describe, if the dashboard knows them. */
export function userFrom(
  claims: Readonly<Record<string, unknown>>,
  { operators, viewers }: Pick<OpenIdOptions, 'operators' | 'viewers'>,
): User | undefined {
  const groups: unknown[] = Array.isArray(claims.groups) ? claims.groups : [];
  // An address that the provider has not verified may be anybody's.
  const email = claims.email_verified === false ? undefined : claims.email;
  const identities = [email, claims.preferred_username, claims.sub, ...groups].filter(one => typeof one === 'string');
  const isOneOf = (allowed: readonly string[]) =>
    allowed.includes('*') || identities.some(one => allowed.includes(one.toLowerCase()));
  const role: Role | undefined = isOneOf(operators) ? 'operator' : isOneOf(viewers) ? 'viewer' : undefined;
  return role && { name: identities[0] ?? 'somebody', role };
}
