import type { RuledPart } from '@stock-sync/domain';

/** A part and its own stock, as InvenTree has it now; with that of its variants where they are wanted. */
export interface PartStock extends RuledPart {
  pk: number;
  isTemplate: boolean;
  /** The part whose variant it is. */
  variantOf: number | null;
  /** The stock items that were read, where the way of reading names them. */
  stockItems: number[];
}

/** What is read of each part beside its own stock by location. */
export interface Wanted {
  /** The names of part parameters. */
  parameters: readonly string[];
  /** Whether the status and expiry of stock is needed, or the category and revision of parts. */
  details: boolean;
  /** Whether InvenTree says how many of an assembly can be built now. */
  buildable: boolean;
  /** Whether the stock of its variants is added to that of a template. */
  variants: boolean;
}

/** Nothing more. */
export const STOCK_ALONE: Wanted = { parameters: [], details: false, buildable: false, variants: false };

/** A part that may have a SKU. */
export interface PartIdentity {
  pk: number;
  name: string;
  IPN: string;
}
