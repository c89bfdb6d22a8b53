import type { Request, Response } from 'express';
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
    try {
      const [bridge, found] = await Promise.all([pluginWatch.state(), startProblems.get()]);
      response.json({ bridge, problems: found?.problems ?? [] });
    } catch {
      response.status(503).set('Retry-After', '5').json({ error: 'Redis is unreachable' });
    }
  };
}
