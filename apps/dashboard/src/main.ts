import {
  addOperatorRoutes,
  closeServer,
  createLog,
  listen,
  portOf,
  runMain,
  stopOnSignal,
  withinPatience,
  type Environment,
} from '@stock-sync/service';
import {
  connectToRedis,
  openActivity,
  openDeadLetters,
  openHistory,
  openHistoryDatabase,
  openJobQueues,
  openOrderLedger,
  openOutcomeCounts,
  openParts,
  QUEUES,
  withOlderHistory,
} from '@stock-sync/state';
import { Queue } from 'bullmq';
import { collectDefaultMetrics, Registry } from 'prom-client';
import { createBoard } from './board';
import { createLive } from './live';
import { createOpenIdLogin } from './login/openid';
import { createSessions } from './login/sessions';
import { createUsers } from './login/users';
import { openPartLists } from './reading/part-lists';
import { createDashboardApplication } from './routes';
import { readDashboardSettings } from './settings';

const BOARD_PATH = '/queues';

async function main(environment: Environment): Promise<void> {
  const settings = readDashboardSettings(environment);
  const log = createLog({ service: 'dashboard', level: settings.LOG_LEVEL, format: settings.LOG_FORMAT });
  const connection = connectToRedis(settings.REDIS_URL, {
    prefix: settings.REDIS_PREFIX,
    cluster: settings.REDIS_CLUSTER,
    whileUnreachable: { wait: true },
    onChange: (state, reason) =>
      state === 'reachable' ? log.info('Redis is reachable') : log.error(`Redis is unreachable: ${reason}`),
  });
  const { redis, keys, now } = connection;
  const boardQueues = Object.values(QUEUES).map(
    name => new Queue(name, { connection: redis, prefix: keys.queuePrefix }),
  );
  for (const queue of boardQueues) queue.on('error', () => undefined);
  const partQueue = boardQueues.find(({ name }) => name === QUEUES.parts);
  if (!partQueue) throw new Error('expected a queue of parts');

  const queues = openJobQueues(connection);
  const deadLetters = openDeadLetters(connection);
  const parts = openParts(connection);
  const recent = openHistory(connection, { days: settings.HISTORY_DAYS, entries: settings.HISTORY_ENTRIES });
  const database =
    settings.HISTORY_DATABASE_URL === undefined
      ? undefined
      : openHistoryDatabase(settings.HISTORY_DATABASE_URL, settings.REDIS_PREFIX);
  const history = database ? withOlderHistory(recent, database) : recent;
  const live = createLive({ connection, queues, deadLetters, history });
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const { openId, DASHBOARD_USERS, DASHBOARD_USER: name, DASHBOARD_PASSWORD: password } = settings;

  const application = createDashboardApplication({
    connection,
    queues,
    deadLetters,
    parts,
    history,
    recordHistory: recent.record,
    partLists: openPartLists(parts, partQueue),
    orderLedger: openOrderLedger(connection),
    outcomeCounts: openOutcomeCounts(parts),
    activity: openActivity(connection),
    boardPath: BOARD_PATH,
    isBehindProxy: settings.DASHBOARD_URL !== undefined,
    board: createBoard({ queues: boardQueues, parts, history, path: BOARD_PATH }),
    events: live.handler,
    sessions: await createSessions(connection, settings.DASHBOARD_URL?.startsWith('https:') ?? false),
    users: await createUsers(DASHBOARD_USERS, { name, password }),
    hasPasswords: password !== undefined || DASHBOARD_USERS.length > 0,
    openId:
      openId &&
      createOpenIdLogin({
        ...openId,
        clientSecret: settings.DASHBOARD_OIDC_CLIENT_SECRET,
        operators: settings.DASHBOARD_OIDC_OPERATORS,
        viewers: settings.DASHBOARD_OIDC_VIEWERS,
      }),
    addOperatorRoutes: to =>
      addOperatorRoutes(to, registry, () => (redis.status === 'ready' ? undefined : 'Redis is unreachable')),
    now,
    log,
  });
  const server = await listen(application, settings.DASHBOARD_PORT);

  stopOnSignal(log, async () => {
    live.stop();
    await closeServer(server);
    await Promise.all([queues.close(), deadLetters.close(), ...boardQueues.map(queue => queue.close())]);
    redis.disconnect();
    await withinPatience(Promise.resolve(database?.close()));
  });
  log.info(`Listening on port ${portOf(server)}`);
}

runMain(main);
