import { startService, startSystem } from '@stock-sync/end-to-end';
import { bold, faint, print, printEnd, printStep, type PlayedStep } from './screen';
import { playStep, story } from './story';

/** A Redis, and whether to stop after the story. */
export interface DemoOptions {
  redis: { url: string; description: string };
  once: boolean;
  /** The port of the dashboard where it is all that can be reached, as in a container; otherwise any port. */
  dashboardPort?: string | undefined;
}

const LOGIN = { user: 'demo', password: 'demo-password' };

/**
 * Plays the story on a fake InvenTree and a fake Magento. Resolves with 0 if all quantities were equal, otherwise with
 * 1.
 */
export async function runDemo({ redis, once, dashboardPort }: DemoOptions): Promise<number> {
  print(bold('InvenTree Magento Sync: a demo on fakes of both systems, as slow as the real ones'));
  print(faint(`Redis: ${redis.description}`));
  const system = await startSystem({
    redisServer: redis.url,
    workers: 2,
    latency: true,
    sendAgainAfterMs: 2_000,
    detached: true,
  });
  const dashboard = await startService(
    'dashboard',
    {
      REDIS_URL: system.environment.REDIS_URL ?? '',
      DASHBOARD_USER: LOGIN.user,
      DASHBOARD_PASSWORD: LOGIN.password,
      ...(dashboardPort !== undefined && { DASHBOARD_PORT: dashboardPort }),
    },
    { detached: true },
  );
  const stop = async () => {
    await dashboard.stop();
    await system.stop();
  };
  const interrupted = new Promise<void>(resolve => {
    for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => resolve());
  });

  const steps = story(system);
  const played: PlayedStep[] = [];
  try {
    for (const step of steps) {
      const playedStep = await Promise.race([playStep(system, step), interrupted]);
      if (!playedStep) break;
      played.push(playedStep);
      printStep(played.length, playedStep);
    }
    printEnd(played);
    if (!once && played.length === steps.length) {
      printAddresses();
      await interrupted;
    }
    if (!once) print('Stopping ...');
  } finally {
    // Ctrl-C does not reach the services, so we stop them here, whatever happened.
    await stop();
  }
  return played.length === steps.length && played.every(step => step.agreed) ? 0 : 1;

  function printAddresses(): void {
    const { inventree, magento, ingest, workers } = system;
    print();
    print(bold('Everything keeps running until you press Ctrl-C:'));
    const address = dashboardPort === undefined ? dashboard.url : `http://localhost:${dashboardPort}`;
    print(`   queues, jobs, dead letters   ${address}   (login ${LOGIN.user} / ${LOGIN.password})`);
    if (dashboardPort !== undefined) return;
    print(`   metrics                      ${ingest.operatorUrl}/metrics   ${workers[0]?.url ?? ''}/metrics`);
    print();
    print('Change stock in InvenTree, and check Magento a moment later:');
    print(
      `   curl -X POST ${inventree.url}/api/stock/ -H 'Authorization: Token ${inventree.tokens.admin}' ` +
        `-H 'Content-Type: application/json' -d '{"part": 1, "quantity": 5}'`,
    );
    print(
      `   curl ${magento.url}/rest/V1/stockItems/WIDGET-123 ` +
        `-H 'Authorization: Bearer ${magento.integration.accessToken}'`,
    );
  }
}
