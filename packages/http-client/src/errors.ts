/** The two systems that we speak to. */
export type System = 'InvenTree' | 'Magento';

interface Details {
  /** HTTP status of the answer, where there was one. */
  status?: number;
  /** Whether the call would have changed something. */
  duringWrite?: boolean;
  cause?: unknown;
}

/** What went wrong with a call. Its three kinds say what the caller must do about it. */
export abstract class CallError extends Error {
  abstract readonly kind: 'try-later' | 'wrong-item' | 'credentials';
  readonly status: number | undefined;
  readonly duringWrite: boolean;

  constructor(
    readonly system: System,
    message: string,
    details: Details = {},
  ) {
    super(message, { cause: details.cause });
    this.name = new.target.name;
    this.status = details.status;
    this.duringWrite = details.duringWrite ?? false;
  }
}

/** The system is away, overloaded or answers nonsense: try again later, the item is not to blame. */
export class TryLaterError extends CallError {
  readonly kind = 'try-later';
  /** How long the system asked us to wait, in milliseconds. */
  readonly retryAfterMs: number | undefined;

  constructor(system: System, message: string, details: Details & { retryAfterMs?: number | undefined } = {}) {
    super(system, message, details);
    this.retryAfterMs = details.retryAfterMs;
  }
}

/** The system is well and refused this very item: trying again changes nothing until somebody mends the item. */
export class WrongItemError extends CallError {
  readonly kind = 'wrong-item';
}

/** The system refused who we are or does not know the address: everything waits until somebody mends the settings. */
export class CredentialsError extends CallError {
  readonly kind = 'credentials';
}
