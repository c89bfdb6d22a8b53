import { createHttpClient, type Answer, type Call, type HttpClientOptions } from '@stock-sync/http-client';
import { isBadSignature } from './error-answers';
import { oauthHeader, percentEncode, type OAuthCredentials, type SignedUrl } from './oauth';

/** The access token alone (Bearer, works only where the shop enabled it), or the four values of OAuth 1.0a. */
export type MagentoCredentials = { accessToken: string } | OAuthCredentials;

/** Makes calls with an Authorization header that the store accepts. */
export interface SignedCalls {
  call(call: Call): Promise<Answer>;
  close(): void;
}

/** No product has this SKU. The comma tells the two forms of a path apart; many a web server refuses a slash. */
const PROBE_PATH = `/rest/V1/stockItems/${percentEncode('stock-sync,health-probe')}`;
/** How soon after a check of the signed form a refused signature leads to another one, in milliseconds ... */
const CHECK_AGAIN_MS = 60_000;
/** ... and any call, where a gateway or a firewall answered the check. */
const CHECK_UNDECIDED_AGAIN_MS = 5_000;

/**
 * Which form of a URL the store signs is found out once, by a call that concerns no product, and never changed by the
 * answer to one call: one SKU that cannot be signed must not spoil the calls beside it. Only an upgrade of the store
 * changes the form, so a refused signature leads to another check, at most once a minute.
 */
export function createSignedCalls(
  credentials: MagentoCredentials,
  options: Omit<HttpClientOptions, 'system' | 'authorization'>,
): SignedCalls {
  if (!('consumerKey' in credentials)) {
    const authorization = () => `Bearer ${credentials.accessToken}`;
    return createHttpClient({ ...options, system: 'Magento', authorization });
  }

  const forms = signedForms(options.baseUrl);
  const [usual] = forms;
  let signedUrl = usual;
  let checking: Promise<void> | undefined;
  /** When the form is checked again: before the next call, or only after a refused signature. */
  let [nextCheckAt, isDecided] = [0, false];
  const http = createHttpClient({
    ...options,
    system: 'Magento',
    authorization: ({ method, url }) => oauthHeader(method, url, credentials, { signedUrl }),
  });

  /** Tries one form after the other; the usual one stays where none is accepted, because then the values are wrong. */
  async function check(): Promise<void> {
    for (const form of forms) {
      signedUrl = form;
      const answer = await http.call({ method: 'GET', path: PROBE_PATH });
      if (isBadSignature(answer)) continue;
      // A gateway or a maintenance page says nothing about signatures.
      isDecided = answer.isJson && [200, 401, 404].includes(answer.status);
      nextCheckAt = Date.now() + (isDecided ? CHECK_AGAIN_MS : CHECK_UNDECIDED_AGAIN_MS);
      return;
    }
    signedUrl = usual;
    nextCheckAt = Date.now() + CHECK_UNDECIDED_AGAIN_MS;
  }

  /** No other call is under way while the form is checked. */
  async function checkOnce(): Promise<void> {
    checking ??= check().finally(() => (checking = undefined));
    await checking;
  }

  return {
    async call(call) {
      if (checking || (!isDecided && Date.now() >= nextCheckAt)) await checkOnce();
      const before = signedUrl;
      const answer = await http.call(call);
      if (!isBadSignature(answer) || Date.now() < nextCheckAt) return answer;
      nextCheckAt = Date.now() + CHECK_AGAIN_MS;
      await checkOnce();
      return signedUrl === before ? answer : http.call(call);
    },
    close: http.close,
  };
}

/** The forms that stores use, the most frequent one first. */
function signedForms(baseUrl: string): [SignedUrl, ...SignedUrl[]] {
  const withoutPort = [true, false].map(decodesPath => ({ hasPort: false, decodesPath }));
  const withPort = withoutPort.map(form => ({ ...form, hasPort: true }));
  const [usual = { hasPort: false, decodesPath: true }, ...others] = withoutPort;
  return [usual, ...others, ...(new URL(baseUrl).port === '' ? [] : withPort)];
}
