import { randomBytes } from 'node:crypto';
import type { RedisConnection } from '@stock-sync/state';
import { csrfSync } from 'csrf-sync';
import type { Request, RequestHandler } from 'express';
import session from 'express-session';
import { RedisSessionStore } from './session-store';
import type { User, Users } from './users';

declare module 'express-session' {
  interface SessionData {
    /** Who logged in, and how: the role of a user with a password is looked up again at each request. */
    user: User & { by: 'password' | 'openid' };
    /** What the next page says on top. */
    notice: string;
    /** Where to go after the login. */
    returnTo: string;
    /** An OpenID login that has begun. */
    openId: { verifier: string; state: string; nonce: string };
  }
}

const SECRET_BYTES = 32;

/** The secret by which session cookies are signed, the same in every dashboard of the shop. */
async function sessionSecret({ redis, keys }: RedisConnection): Promise<string> {
  await redis.set(keys.sessionSecret, randomBytes(SECRET_BYTES).toString('base64url'), 'NX');
  return (await redis.get(keys.sessionSecret)) ?? '';
}

/** Gives each request its session. The cookie is sent over TLS only where browsers reach the dashboard so. */
export async function createSessions(connection: RedisConnection, isTls: boolean): Promise<RequestHandler> {
  return session({
    name: 'stock-sync-session',
    secret: await sessionSecret(connection),
    store: new RedisSessionStore(connection),
    resave: false,
    saveUninitialized: false,
    cookie: { httpOnly: true, sameSite: 'lax', secure: isTls },
  });
}

const csrf = csrfSync({ getTokenFromRequest: request => (request.body as { csrf?: string } | undefined)?.csrf });

/** The token that each form carries, so that another site cannot send one. */
export const csrfToken = (request: Request): string => csrf.generateToken(request);
/** Refuses a form without that token. */
export const requireCsrfToken: RequestHandler = csrf.csrfSynchronisedProtection;

/** Refuses changes that another site makes the browser send: the browser adds the cookie to them, too. */
export const refuseOtherSites: RequestHandler = (request, response, next) => {
  const site = request.get('sec-fetch-site');
  const harmless = request.method === 'GET' || request.method === 'HEAD';
  if (harmless || site === undefined || site === 'same-origin' || site === 'none') next();
  else response.status(403).type('text/plain').send('This request comes from another site.');
};

/** Requires somebody who logged in and still may. */
export function requireLogin(users: Users): RequestHandler {
  return (request, response, next) => {
    const { user } = request.session;
    const role = user?.by === 'password' ? users.roleOf(user.name) : user?.role;
    if (user && role) {
      response.locals.user = { name: user.name, role } satisfies User;
      next();
    } else if (request.method === 'GET' && /\btext\/html\b/.test(request.get('accept') ?? '')) {
      request.session.returnTo = request.originalUrl;
      response.redirect('/login');
    } else response.status(401).type('text/plain').send('Please log in.');
  };
}

/** Requires an operator for whatever changes something. */
export const requireOperator: RequestHandler = (request, response, next) => {
  const { role } = userOf(response.locals);
  if (role === 'operator' || request.method === 'GET' || request.method === 'HEAD') next();
  else response.status(403).type('text/plain').send('A viewer may change nothing. Ask an operator.');
};

/** The user of a request behind `requireLogin`. */
export function userOf(locals: Record<string, unknown>): User {
  return locals.user as User;
}
