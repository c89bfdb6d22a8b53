import { startService, startSystem } from '@stock-sync/end-to-end';
import { bold, faint, print, printEnd, printStep, type ToldStep } from './screen';
import { playStep, story } from './story';

/** What the root script gives: a Redis, and whether to end after the story. */
export interface DemoOptions {
  redis: { url: string; description: string };
  once: boolean;
}

const LOGIN = { user: 'demo', password: 'demo-password' };

/** Plays the story on stand-ins of InvenTree and Magento; 0 if every number agreed, else 1. */
export async function runDemo({ redis, once }: DemoOptions): Promise<number> {
  print(bold('InvenTree Magento Sync: a demo on stand-ins of both systems, as slow as the real ones'));
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
  const told: ToldStep[] = [];
  try {
    for (const step of steps) {
      const toldStep = await Promise.race([playStep(system, step), interrupted]);
      if (!toldStep) break;
      told.push(toldStep);
      printStep(told.length, toldStep);
    }
    printEnd(told);
    if (!once && told.length === steps.length) {
      printAddresses();
      await interrupted;
    }
    if (!once) print('Stopping ...');
  } finally {
    // The services are processes of their own, and hear no Ctrl-C: whatever happened, they end here.
    await stop();
  }
  return told.length === steps.length && told.every(step => step.agreed) ? 0 : 1;

  function printAddresses(): void {
    const { inventree, magento, ingest, workers } = system;
    print();
    print(bold('All of it stays up until you press Ctrl-C:'));
    print(`   queues, jobs, dead letters   ${dashboard.url}   (login ${LOGIN.user} / ${LOGIN.password})`);
    print(`   metrics                      ${ingest.url}/metrics   ${workers[0]?.url ?? ''}/metrics`);
    print();
    print('Change stock in InvenTree, and look at Magento a moment later:');
    print(
      `   curl -X POST ${inventree.url}/api/stock/ -H 'Authorization: Token ${inventree.tokens.admin}' -H 'Content-Type: application/json' -d '{"part": 1, "quantity": 5}'`,
    );
    print(
      `   curl ${magento.url}/rest/V1/stockItems/WIDGET-123 -H 'Authorization: Bearer ${magento.integration.accessToken}'`,
    );
  }
}
