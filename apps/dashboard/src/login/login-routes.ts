import type { Log } from '@stock-sync/service';
import { errorMessage } from '@stock-sync/service';
import { Router, type Request, type Response } from 'express';
import { rateLimit } from 'express-rate-limit';
import { field } from '../handlers/page-frame';
import { renderLogin } from '../pages/login';
import { CALLBACK_PATH, type OpenIdLogin } from './openid';
import { csrfToken, requireCsrfToken } from './sessions';
import type { User, Users } from './users';

export interface LoginDeps {
  users: Users;
  hasPasswords: boolean;
  openId: OpenIdLogin | undefined;
  log: Log;
}

/** Wrong passwords from one address, within this time in milliseconds. */
const ATTEMPTS = 10;
const WITHIN_MS = 15 * 60_000;

/**
 * | method    | path                   | what                                        |
 * | --------- | ---------------------- | ------------------------------------------- |
 * | GET, POST | /login                 | by password                                 |
 * | GET       | /login/openid          | to the OpenID Connect provider              |
 * | GET       | /login/openid/callback | back from it                                |
 * | POST      | /logout                | ends the session                            |
 */
export function createLoginRoutes({ users, hasPasswords, openId, log }: LoginDeps): Router {
  const router = Router();
  const limit = rateLimit({
    windowMs: WITHIN_MS,
    limit: ATTEMPTS,
    skipSuccessfulRequests: true,
    requestWasSuccessful: (_request, response) => response.statusCode < 400,
    standardHeaders: true,
    legacyHeaders: false,
    validate: { xForwardedForHeader: false },
    handler: (request, response) => {
      log.warn(`Login refused: more than ${ATTEMPTS} wrong passwords from one address within 15 minutes`);
      showLogin(request, response, 429, 'Too many wrong passwords. Wait 15 minutes.');
    },
  });

  router.get('/login', (request, response) => showLogin(request, response, 200));
  router.post('/login', limit, requireCsrfToken, async (request, response) => {
    const name = field(request.body, 'user');
    const { password } = request.body as { password?: unknown };
    const user = await users.withPassword(name, typeof password === 'string' ? password : '');
    if (user) {
      startSession(request, response, user, 'password');
      return;
    }
    log.warn('Login refused: wrong user or password', { user: name.slice(0, 100) });
    showLogin(request, response, 401, 'Wrong user or password.');
  });
  router.post('/logout', requireCsrfToken, (request, response) => {
    const name = request.session.user?.name;
    request.session.destroy(() => {
      log.info(`Audit: ${name ?? 'somebody'} logged out`, { user: name, action: 'logout' });
      response.redirect(303, '/login');
    });
  });
  if (openId) {
    router.get('/login/openid', async (request, response) => {
      try {
        const { url, checks } = await openId.begin();
        request.session.openId = checks;
        response.redirect(url);
      } catch (error) {
        refuseOpenId(request, response, error);
      }
    });
    router.get(CALLBACK_PATH, async (request, response) => {
      const checks = request.session.openId;
      delete request.session.openId;
      try {
        if (!checks) throw new Error('the login has expired');
        const user = await openId.finish(request.originalUrl, checks);
        if (user) startSession(request, response, user, 'openid');
        else showLogin(request, response, 403, 'You may not see this dashboard. Ask an operator.');
      } catch (error) {
        refuseOpenId(request, response, error);
      }
    });
  }
  return router;

  function showLogin(request: Request, response: Response, status: number, problem?: string): void {
    const hasOpenId = openId !== undefined;
    response.status(status).send(renderLogin({ csrf: csrfToken(request), problem, hasPasswords, hasOpenId }));
  }

  function refuseOpenId(request: Request, response: Response, error: unknown): void {
    log.warn(`Login with OpenID Connect failed: ${errorMessage(error)}`);
    showLogin(request, response, 502, 'The login failed. Try again, or ask an operator to look at the log.');
  }

  /** With a new id, so that an id that somebody else knows from before the login is worth nothing. */
  function startSession(request: Request, response: Response, user: User, by: 'password' | 'openid'): void {
    const { returnTo = '/' } = request.session;
    request.session.regenerate(() => {
      request.session.user = { ...user, by };
      log.info(`Audit: ${user.name} logged in as ${user.role}`, { user: user.name, role: user.role, action: 'login' });
      response.redirect(303, returnTo);
    });
  }
}
