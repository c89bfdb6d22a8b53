import type { RequestHandler } from 'express';
import { renderPage } from '../pages/layout';
import { Overview } from '../pages/overview';
import { readOverview, type OverviewDeps } from '../reading/overview';
import { pageFrame } from './page-frame';

/** GET /: is the store right now, and if not, why? */
export function showOverview(deps: OverviewDeps): RequestHandler {
  return async (request, response) => {
    const frame = pageFrame(request, response);
    const data = await readOverview(deps);
    response.send(renderPage('Overview', frame, <Overview data={data} frame={frame} />, { isLive: true }));
  };
}
