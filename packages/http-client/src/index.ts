export {
  CallError,
  failureKindOf,
  isGatewayStatus,
  isHiccup,
  isNotFound,
  mayStillTakeEffect,
  type CallErrorDetails,
  type Direction,
  type FailureKind,
  type System,
} from './call-error';
export {
  createHttpClient,
  parsedBody,
  repeatRefused,
  excerpt,
  type HttpClient,
  type HttpClientOptions,
  type OutgoingCall,
  type Call,
  type Answer,
} from './http-client';
export { splitBatch } from './split-batch';
