/** A SKU that more than one part bears: which of them the store should show, nobody can say but the shop. */
export class AmbiguousSkuError extends Error {
  readonly kind = 'ambiguous-sku';
  constructor(
    readonly sku: string,
    readonly parts: readonly number[],
  ) {
    super(`SKU '${sku}' is borne by parts ${parts.join(' and ')}: nothing is written until only one has it`);
    this.name = 'AmbiguousSkuError';
  }
}

/** What a part's sync failed with, and how far it had come. */
export class PartFailedError extends Error {
  readonly kind: string;
  constructor(
    override readonly cause: unknown,
    readonly sku: string | undefined,
    /** What the store should have shown, in words; where that was known. */
    readonly wanted: string | undefined,
  ) {
    super(cause instanceof Error ? cause.message : String(cause));
    this.name = 'PartFailedError';
    this.kind = cause instanceof Error && 'kind' in cause ? String(cause.kind) : 'internal';
  }
}

/** Not a failure: the job is to come back at a later time, its attempt not counted. */
export class NotYetError extends Error {
  constructor(
    reason: string,
    /** Milliseconds since 1970. */
    readonly until: number,
  ) {
    super(reason);
    this.name = 'NotYetError';
  }
}
