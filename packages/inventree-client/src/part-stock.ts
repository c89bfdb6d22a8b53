import type { StockAtLocation } from '@stock-sync/domain';

/** A part and its own stock (not that of its variants), as InvenTree has it now. */
export interface PartStock {
  pk: number;
  name: string;
  IPN: string;
  active: boolean;
  virtual: boolean;
  /** Value of the requested parameter; null where the part has none or none was requested. */
  parameter: string | null;
  stock: StockAtLocation[];
  /** The stock items that were read, where the way of reading names them. */
  stockItems: number[];
}

/** A part that may have a SKU. */
export interface PartIdentity {
  pk: number;
  name: string;
  IPN: string;
}
