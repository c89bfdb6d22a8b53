import type { Request, Response } from 'express';
import type { BridgeState } from '../bridge-watch';

export interface ShowStatus {
  bridgeState: () => Promise<BridgeState>;
}

/** GET /status: whether the bridge to InvenTree is alive, for people and monitors. */
export function showStatus({ bridgeState }: ShowStatus) {
  return async (_request: Request, response: Response): Promise<void> => {
    try {
      response.json({ bridge: await bridgeState() });
    } catch {
      response.status(503).set('Retry-After', '5').json({ error: 'Redis is away' });
    }
  };
}
