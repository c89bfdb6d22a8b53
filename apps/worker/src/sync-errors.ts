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
