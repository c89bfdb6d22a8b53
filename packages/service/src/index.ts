export {
  configurationFrom,
  ConfigurationError,
  variable,
  commonVariables,
  queueVariables,
  type Environment,
  type Variables,
} from './configuration';
export { createLog, type Log, type LogOptions } from './log';
export { runMain, endOnSignal } from './process';
export { createWebApplication, addOperatorRoutes, listen, portOf, closeServer, type NotReady } from './http-server';
