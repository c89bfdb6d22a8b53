export { reserveDatabase, type RedisDatabase } from './redis-database';
export { startService, launchService, type ServiceProcess, type LogLine } from './service-process';
export {
  settingsFor,
  startSystem,
  queueKey,
  unfinishedJobs,
  TEST_SECRET,
  type System,
  type SystemOptions,
} from './system';
export { createPostgresDatabase, type PostgresDatabase } from './postgres-database';
export { startTcpProxy, type TcpProxy } from './tcp-proxy';
export { startPlugin, type PluginProcess } from './plugin-process';
export { keptPort, startRedis, type RedisProcess } from './redis-process';
export { requestReconcile } from './request-reconcile';
export { runStockSync, type RanCommand } from './stock-sync';
