import type { WrongParameter } from '@stock-sync/domain';

/** Not a failure: a system that the job needs is unreachable. The attempt does not count. */
export class WaitError extends Error {
  constructor(
    reason: string,
    /** When the system is checked again, in milliseconds from now. */
    readonly checkInMs: number,
    cause?: unknown,
  ) {
    super(reason, { cause });
    this.name = 'WaitError';
  }
}

/** Not a failure: the job must run at a later time. The attempt does not count. */
export class NotYetError extends Error {
  constructor(
    reason: string,
    /** How much later, in milliseconds. */
    readonly waitMs: number,
  ) {
    super(reason);
    this.name = 'NotYetError';
  }
}

/** How long a job waits whose SKU another worker is writing, in milliseconds. */
export const LOCKED_MS = 500;

/** More than one part has the SKU: only the shop can say which of them the store should show. */
export class AmbiguousSkuError extends Error {
  readonly kind = 'ambiguous-sku';
  constructor(
    readonly sku: string,
    readonly parts: readonly number[],
  ) {
    super(
      `Parts ${parts.join(' and ')} ${parts.length > 2 ? 'all' : 'both'} have SKU '${sku}': ` +
        'nothing is written until only one has it',
    );
    this.name = 'AmbiguousSkuError';
  }
}

/** A parameter of the part does not hold what the rules of the shop read there. */
export class WrongParameterError extends Error {
  readonly kind = 'wrong-parameter';
  constructor(part: number, { parameter, value, expected }: WrongParameter) {
    super(`Part ${part} has '${value}' as parameter '${parameter}': expected ${expected}`);
    this.name = 'WrongParameterError';
  }
}

/** The kind of an error, for programs: "refused", "ambiguous-sku", "internal". */
export function errorKind(error: unknown): string {
  return error instanceof Error && 'kind' in error ? String(error.kind) : 'internal';
}
