import { createBullBoard } from '@bull-board/api';
import { BullMQAdapter } from '@bull-board/api/bullMQAdapter';
import { ExpressAdapter } from '@bull-board/express';
import {
  addOperatorRoutes,
  closeServer,
  createLog,
  createWebApplication,
  listen,
  portOf,
  readSettings,
  runMain,
  stopOnSignal,
  type Environment,
} from '@stock-sync/service';
import { connectToRedis, QUEUES } from '@stock-sync/state';
import { Queue } from 'bullmq';
import type { RequestHandler } from 'express';
import { Registry } from 'prom-client';
import { refuseOtherSites, requireLogin } from './login';
import { dashboardSettings } from './settings';

const BOARD_PATH = '/queues';

async function main(environment: Environment): Promise<void> {
  const settings = readSettings(environment, dashboardSettings);
  const log = createLog({ service: 'dashboard', level: settings.LOG_LEVEL, format: settings.LOG_FORMAT });
  const { redis, keys } = connectToRedis(settings.REDIS_URL, {
    prefix: settings.REDIS_PREFIX,
    cluster: settings.REDIS_CLUSTER,
    whileUnreachable: { wait: true },
    onChange: (state, reason) =>
      state === 'reachable' ? log.info('Redis is reachable') : log.error(`Redis is unreachable: ${reason}`),
  });
  const queues = Object.values(QUEUES).map(name => new Queue(name, { connection: redis, prefix: keys.queuePrefix }));
  for (const queue of queues) queue.on('error', () => undefined);

  const adapter = new ExpressAdapter();
  adapter.setBasePath(BOARD_PATH);
  createBullBoard({
    queues: queues.map(queue => new BullMQAdapter(queue)),
    serverAdapter: adapter,
    options: { uiConfig: { boardTitle: 'InvenTree Magento Sync' } },
  });

  const application = createWebApplication();
  addOperatorRoutes(application, new Registry(), () => (redis.status === 'ready' ? undefined : 'Redis is unreachable'));
  application.use(requireLogin(settings.DASHBOARD_USER, settings.DASHBOARD_PASSWORD), refuseOtherSites);
  application.get('/', (_request, response) => response.redirect(BOARD_PATH));
  application.use(BOARD_PATH, adapter.getRouter() as RequestHandler);
  const server = await listen(application, settings.DASHBOARD_PORT);

  stopOnSignal(log, async () => {
    await closeServer(server);
    await Promise.all(queues.map(queue => queue.close()));
    redis.disconnect();
  });
  log.info(`Listening on port ${portOf(server)}: ${BOARD_PATH} shows the queues`);
}

runMain(main);
