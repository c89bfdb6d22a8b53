import { join } from 'node:path';
import { createWebApplication } from '@stock-sync/service';
import type { OrderLedger } from '@stock-sync/state';
import express, { type ErrorRequestHandler, type Express, type RequestHandler } from 'express';
import helmet from 'helmet';
import { createActions, type ActionDeps } from './handlers/actions';
import { exportHistory } from './handlers/export-history';
import { findSku } from './handlers/find-sku';
import { showDeadLetters } from './handlers/show-dead-letters';
import { showExplanation } from './handlers/show-explanation';
import { showHistory } from './handlers/show-history';
import { showOverview } from './handlers/show-overview';
import { showOrders } from './handlers/show-orders';
import { showParts } from './handlers/show-parts';
import { showSku, type ShowSkuDeps } from './handlers/show-sku';
import { createLoginRoutes, type LoginDeps } from './login/login-routes';
import { refuseOtherSites, requireCsrfToken, requireLogin, requireOperator } from './login/sessions';
import type { OverviewDeps } from './reading/overview';
import type { PartLists } from './reading/part-lists';

export interface DashboardDeps extends OverviewDeps, ShowSkuDeps, ActionDeps, LoginDeps {
  sessions: RequestHandler;
  events: RequestHandler;
  board: RequestHandler;
  /** Whether the address of a client comes from a reverse proxy; otherwise a client could make it up. */
  isBehindProxy: boolean;
  partLists: PartLists;
  orderLedger: OrderLedger;
  now: () => number;
  /** Adds health and metrics, which need no login. */
  addOperatorRoutes: (application: Express) => void;
}

/** Nothing but what we serve ourselves: no inline script or style, and nobody may frame a page. */
const STRICT = helmet.contentSecurityPolicy({
  useDefaults: false,
  directives: {
    defaultSrc: ["'self'"],
    baseUri: ["'none'"],
    formAction: ["'self'"],
    frameAncestors: ["'none'"],
    objectSrc: ["'none'"],
  },
});
/** Bull Board has inline styles. */
const FOR_BOARD = helmet.contentSecurityPolicy({
  useDefaults: false,
  directives: {
    defaultSrc: ["'self'"],
    styleSrc: ["'self'", "'unsafe-inline'"],
    imgSrc: ["'self'", 'data:'],
    baseUri: ["'self'"],
    formAction: ["'self'"],
    frameAncestors: ["'none'"],
    objectSrc: ["'none'"],
  },
});

/**
 * | method | path               | who        | handler                                    |
 * | ------ | ------------------ | ---------- | ------------------------------------------ |
 * | GET    | /assets/*          | everybody  | style and scripts                          |
 * | *      | /login, /logout    | everybody  | login/login-routes                         |
 * | GET    | /                  | viewer     | show-overview                              |
 * | GET    | /search            | viewer     | find-sku                                   |
 * | GET    | /sku, /part        | viewer     | show-sku                                   |
 * | GET    | /explanation       | viewer     | show-explanation                           |
 * | GET    | /parts             | viewer     | show-parts                                 |
 * | GET    | /orders            | viewer     | show-orders                                |
 * | GET    | /history           | viewer     | show-history                               |
 * | GET    | /history.csv       | viewer     | export-history                             |
 * | GET    | /dead-letters      | viewer     | show-dead-letters                          |
 * | GET    | /events            | viewer     | live                                       |
 * | POST   | /actions/*         | operator   | actions: sync, replay, discard, ...         |
 * | *      | /queues            | viewer     | board; an operator where it changes things |
 */
export function createDashboardApplication(deps: DashboardDeps): Express {
  const application = createWebApplication();
  if (deps.isBehindProxy) application.set('trust proxy', 1);
  deps.addOperatorRoutes(application);
  application.use(STRICT);
  addAssets(application);
  application.use(deps.sessions, refuseOtherSites);
  const form = express.urlencoded({ extended: false, limit: '100kb' });
  application.use(['/login', '/logout', '/actions'], form);
  application.use(createLoginRoutes(deps));
  application.use(requireLogin(deps.users));

  application.get('/', showOverview(deps));
  application.get('/search', findSku(deps));
  application.get(['/sku', '/part'], showSku(deps));
  application.get('/explanation', showExplanation(deps));
  application.get('/parts', showParts(deps));
  application.get('/orders', showOrders(deps));
  application.get('/history', showHistory(deps));
  application.get('/history.csv', exportHistory(deps));
  application.get('/dead-letters', showDeadLetters(deps));
  application.get('/events', deps.events);

  const actions = createActions(deps);
  for (const [name, action] of Object.entries(actions)) {
    application.post(`/actions/${name}`, requireCsrfToken, requireOperator, action);
  }
  application.use(deps.boardPath, FOR_BOARD, requireOperator, deps.board);
  application.use((_request, response) => {
    response.status(404).type('text/plain').send('There is no such page.');
  });
  application.use(answerError(deps));
  return application;
}

function addAssets(application: Express): void {
  application.use('/assets', express.static(join(__dirname, '..', 'assets'), { maxAge: '1h' }));
  const scripts = { htmx: 'htmx.org/dist/htmx.min.js', sse: 'htmx-ext-sse/sse.js' };
  for (const [name, file] of Object.entries(scripts)) {
    const path = require.resolve(file);
    application.get(`/assets/${name}.js`, (_request, response) =>
      response.sendFile(path, { maxAge: '1h', dotfiles: 'allow' }),
    );
  }
}

/** A page that cannot be shown says why; most often Redis is unreachable. */
function answerError({ log }: Pick<DashboardDeps, 'log'>): ErrorRequestHandler {
  return (error: { statusCode?: number; message?: string }, request, response, next) => {
    if (response.headersSent) {
      next(error);
      return;
    }
    const { statusCode: status = 500, message = 'unknown error' } = error;
    if (status >= 500) log.error(`${request.method} ${request.path} failed: ${message}`);
    const text = status === 403 ? 'This form is too old. Go back, load the page again, and repeat.' : message;
    response.status(status).type('text/plain').send(text);
  };
}
