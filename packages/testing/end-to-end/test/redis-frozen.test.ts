import { startRedis } from '@stock-sync/servers';
import { startService, TEST_SECRET } from '../src';

/** A Redis that neither answers nor closes its connections: a frozen machine, a network without an answer. */

it('ingest and worker answer monitoring within a second, whatever Redis does', async () => {
  const redis = await startRedis(process.env.REDIS_PROGRAM ?? 'redis-server');
  const environment = {
    REDIS_URL: redis.url,
    WEBHOOK_SECRET: TEST_SECRET,
    INVENTREE_URL: 'http://127.0.0.1:1',
    INVENTREE_TOKEN: 'inv-x',
    MAGENTO_URL: 'http://127.0.0.1:1',
    MAGENTO_ACCESS_TOKEN: 'x',
  };
  const services = [await startService('ingest', environment), await startService('worker', environment)];
  try {
    redis.freeze();
    for (const { operatorUrl } of services) {
      for (const [path, status] of [
        ['/healthz', 200],
        ['/readyz', 503],
        ['/metrics', 200],
      ] as const) {
        const startedAt = performance.now();
        const response = await fetch(operatorUrl + path);
        await response.text();
        const seconds = (performance.now() - startedAt) / 1000;
        expect([operatorUrl + path, response.status, seconds < 1]).toEqual([operatorUrl + path, status, true]);
      }
    }
    const ingest = services[0];
    expect((await fetch(`${ingest?.operatorUrl ?? ''}/status`)).status).toBe(503);
  } finally {
    redis.thaw();
    for (const service of services) service.kill('SIGKILL');
    await redis.stop();
  }
}, 60_000);
