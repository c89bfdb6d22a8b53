export { CallError, TryLaterError, WrongItemError, CredentialsError, type System } from './errors';
export {
  createHttpClient,
  parsedBody,
  excerpt,
  type HttpClient,
  type HttpClientOptions,
  type OutgoingCall,
  type Call,
  type Answer,
} from './http-client';
export { createEvidence, askedTogether, blamingItems, type Evidence } from './evidence';
