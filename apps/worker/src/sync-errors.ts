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

/** Another worker is writing this SKU just now: the job comes back a moment later. */
export class SkuBusyError extends Error {
  constructor(sku: string) {
    super(`another worker is writing SKU '${sku}'`);
    this.name = 'SkuBusyError';
  }
}
