export {
  readSettings,
  SettingsError,
  setting,
  commonSettings,
  historyDatabaseSettings,
  historySettings,
  dashboardAddress,
  type Environment,
  type Settings,
  type SettingsValues,
} from './settings';
export { settingsDocument, type SettingsGroup } from './settings-document';
export { createLog, errorMessage, type Log, type LogOptions } from './log';
export { runMain, stopOnSignal } from './process';
export {
  createProgramApplication,
  createWebApplication,
  addOperatorRoutes,
  listen,
  portOf,
  closeServer,
  withinPatience,
  type NotReady,
} from './http-server';
export {
  parseSecrets,
  verifySignature,
  signedHeaders,
  type InvalidHeader,
  type WebhookHeaders,
} from './webhook-signature';
export { startTracing, tracingSettings, type Tracing } from './tracing';
export { hashPassword, isPasswordOf } from './password-hash';
