import type { Request, Response } from 'express';
import { withinPatience } from '@stock-sync/service';
import type { StartProblems } from '@stock-sync/state';
import type { PluginState } from '../plugin-watch';

export interface ShowStatusDeps {
  pluginWatch: { state(): Promise<PluginState> };
  startProblems: Pick<StartProblems, 'get'>;
}

/**
 * GET /status: whether our plugin in InvenTree is alive, and what a worker found wrong with the store when it started,
 * for people and monitoring.
 */
export function showStatus({ pluginWatch, startProblems }: ShowStatusDeps) {
  return async (_request: Request, response: Response): Promise<void> => {
    const status = await withinPatience(Promise.all([pluginWatch.state(), startProblems.get()]));
    if (!status) response.status(503).set('Retry-After', '5').json({ error: 'Redis is unreachable' });
    else response.json({ bridge: status[0], problems: status[1]?.problems ?? [] });
  };
}
