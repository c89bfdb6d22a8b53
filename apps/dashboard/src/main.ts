import { createBullBoard } from '@bull-board/api';
import { BullMQAdapter } from '@bull-board/api/bullMQAdapter';
import { ExpressAdapter } from '@bull-board/express';
import { connectToRedis, DEAD_LETTER_QUEUE, LOOKUP_QUEUE, SYNC_QUEUE } from '@stock-sync/queue';
import {
  addOperatorRoutes,
  closeServer,
  createLog,
  createWebApplication,
  endOnSignal,
  listen,
  portOf,
  runMain,
  type Environment,
} from '@stock-sync/service';
import { Queue } from 'bullmq';
import type { RequestHandler } from 'express';
import { Registry } from 'prom-client';
import { dashboardConfiguration } from './configuration';
import { refuseOtherSites, requireLogin } from './login';

const BOARD_PATH = '/queues';

async function main(environment: Environment): Promise<void> {
  const configuration = dashboardConfiguration(environment);
  const log = createLog({ service: 'dashboard', level: configuration.LOG_LEVEL, format: configuration.LOG_FORMAT });
  const redis = connectToRedis(configuration.REDIS_URL, {
    whileAway: { wait: true },
    onChange: (state, reason) =>
      state === 'there' ? log.info('Redis is there') : log.error(`Redis is away: ${reason}`),
  });
  const queues = [SYNC_QUEUE, LOOKUP_QUEUE, DEAD_LETTER_QUEUE].map(name => new Queue(name, { connection: redis }));
  for (const queue of queues) queue.on('error', () => undefined);

  const adapter = new ExpressAdapter();
  adapter.setBasePath(BOARD_PATH);
  createBullBoard({
    queues: queues.map(queue => new BullMQAdapter(queue)),
    serverAdapter: adapter,
    options: { uiConfig: { boardTitle: 'InvenTree Magento Sync' } },
  });

  const application = createWebApplication();
  addOperatorRoutes(application, new Registry(), () => (redis.status === 'ready' ? undefined : 'Redis is away'));
  application.use(requireLogin(configuration.DASHBOARD_USER, configuration.DASHBOARD_PASSWORD), refuseOtherSites);
  application.get('/', (_request, response) => response.redirect(BOARD_PATH));
  application.use(BOARD_PATH, adapter.getRouter() as RequestHandler);
  const server = await listen(application, configuration.DASHBOARD_PORT);

  endOnSignal(log, async () => {
    await closeServer(server);
    await Promise.all(queues.map(queue => queue.close()));
    redis.disconnect();
  });
  log.info(`listening on port ${portOf(server)}: ${BOARD_PATH} shows the queues`);
}

runMain(main);
