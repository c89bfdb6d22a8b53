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
export { startPlugin, type PluginProcess } from './plugin-process';
export { enqueueJobs, requestReconcile } from './enqueue-jobs';
export { runStockSync, type RanCommand } from './stock-sync';
