import { renderDocument } from './layout';

/** The page of the login. */
export function renderLogin(options: {
  csrf: string;
  problem: string | undefined;
  hasPasswords: boolean;
  hasOpenId: boolean;
}): string {
  const { csrf, problem, hasPasswords, hasOpenId } = options;
  return renderDocument(
    'Log in',
    <body>
      <main class="login">
        <h1>InvenTree Magento Sync</h1>
        {problem && (
          <p class="problem" role="alert">
            {problem}
          </p>
        )}
        {hasPasswords && (
          <form method="post" action="/login">
            <input type="hidden" name="csrf" value={csrf} />
            <label>
              User <input name="user" autocomplete="username" required />
            </label>
            <label>
              Password <input name="password" type="password" autocomplete="current-password" required />
            </label>
            <button>Log in</button>
          </form>
        )}
        {hasOpenId && (
          <p>
            <a class="button" href="/login/openid">
              Log in with your organisation
            </a>
          </p>
        )}
      </main>
    </body>,
  );
}
