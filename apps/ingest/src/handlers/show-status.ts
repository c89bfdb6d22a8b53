import type { Request, Response } from 'express';
import type { PluginState } from '../plugin-watch';

export interface ShowStatusDeps {
  pluginWatch: { state(): Promise<PluginState> };
}

/** GET /status: whether our plugin in InvenTree is alive, for people and monitoring. */
export function showStatus({ pluginWatch }: ShowStatusDeps) {
  return async (_request: Request, response: Response): Promise<void> => {
    try {
      response.json({ bridge: await pluginWatch.state() });
    } catch {
      response.status(503).set('Retry-After', '5').json({ error: 'Redis is unreachable' });
    }
  };
}
