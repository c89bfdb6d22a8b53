/** The two systems that we connect. */
export type System = 'InvenTree' | 'Magento';

/** Whether a call reads or changes something: a system may do one and not the other. */
export type Direction = 'read' | 'write';

/**
 * How a call failed.
 * - `no-answer`: nothing came back: a timeout, a broken connection.
 * - `unavailable`: a gateway, a maintenance page, or an answer that makes no sense.
 * - `throttled`: the system asks us to wait (429 or Retry-After).
 * - `credentials`: it refuses who we are, or does not know the address.
 * - `refused`: the application itself refused this call.
 */
export type FailureKind = 'no-answer' | 'unavailable' | 'throttled' | 'credentials' | 'refused';

export interface CallErrorDetails {
  /** HTTP status of the answer, where there was one. */
  status?: number | undefined;
  direction?: Direction;
  /** How long the system asked us to wait, in milliseconds. */
  retryAfterMs?: number | undefined;
  /** Whether the answer took too long, rather than that the connection broke. */
  isTimeout?: boolean;
  cause?: unknown;
}

/** A call that failed. What must wait for what is not decided here: the circuit breaker does (docs/outages.md). */
export class CallError extends Error {
  readonly status: number | undefined;
  readonly direction: Direction;
  readonly retryAfterMs: number | undefined;
  readonly isTimeout: boolean;

  constructor(
    readonly system: System,
    readonly kind: FailureKind,
    message: string,
    { status, direction = 'read', retryAfterMs, isTimeout = false, cause }: CallErrorDetails = {},
  ) {
    super(message, { cause });
    this.name = new.target.name;
    this.status = status;
    this.direction = direction;
    this.retryAfterMs = retryAfterMs;
    this.isTimeout = isTimeout;
  }
}

/** Whether the system itself says that it has no such thing. */
export function isNotFound(error: unknown): boolean {
  return error instanceof CallError && error.kind === 'refused' && error.status === 404;
}

/** Whether a gateway (nginx, Varnish) says by this status that the application behind it does not answer. */
export function isGatewayStatus(status: number | undefined): boolean {
  return status === 502 || status === 503 || status === 504;
}

/**
 * Whether the same call may well pass a moment later: one node behind a load balancer that refuses what the others
 * accept, a broken connection, a gateway without its backend. Nobody needs to know of it.
 */
export function isHiccup(error: unknown): error is CallError {
  if (!(error instanceof CallError)) return false;
  return (
    error.kind === 'credentials' || isGatewayStatus(error.status) || (error.kind === 'no-answer' && !error.isTimeout)
  );
}

/** Whether the application may still carry out a call that failed for us, whenever it comes to it. */
export function mayStillTakeEffect(error: CallError): boolean {
  return error.kind === 'no-answer' || isGatewayStatus(error.status);
}

/** The kind of an answer that no rule of one system covers: what the status alone says. */
export function failureKindOf(status: number, retryAfterMs: number | undefined): 'throttled' | 'unavailable' {
  return status === 429 || retryAfterMs !== undefined ? 'throttled' : 'unavailable';
}
