import { createHash, timingSafeEqual } from 'node:crypto';
import type { RequestHandler } from 'express';

const digest = (text: string) => createHash('sha256').update(text).digest();

/** Requires this user and password, by HTTP Basic authentication; compared in constant time. */
export function requireLogin(user: string, password: string): RequestHandler {
  const expected = digest(`${user}:${password}`);
  return (request, response, next) => {
    const [scheme = '', credentials = ''] = (request.get('authorization') ?? '').split(' ');
    const given = digest(Buffer.from(credentials, 'base64').toString('utf8'));
    if (scheme.toLowerCase() === 'basic' && timingSafeEqual(given, expected)) {
      next();
      return;
    }
    response.status(401).set('WWW-Authenticate', 'Basic realm="InvenTree Magento Sync", charset="UTF-8"');
    response.type('text/plain').send('Please log in with DASHBOARD_USER and DASHBOARD_PASSWORD.');
  };
}

/** Refuses changes that another site makes the browser send: the browser adds the login to them, too. */
export const refuseOtherSites: RequestHandler = (request, response, next) => {
  const site = request.get('sec-fetch-site');
  const harmless = request.method === 'GET' || request.method === 'HEAD';
  if (harmless || site === undefined || site === 'same-origin' || site === 'none') next();
  else response.status(403).type('text/plain').send('This request comes from another site.');
};
