import type { PartStock } from '@stock-sync/inventree-client';

/** An active part without stock, but for what is given. */
export const partStock = (more: Partial<PartStock> = {}): PartStock => ({
  pk: 45,
  name: 'A',
  IPN: '',
  active: true,
  virtual: false,
  parameter: null,
  stock: [],
  stockItems: [],
  ...more,
});

/** Five units, at no location. */
export const FIVE_UNITS = [{ location: null, inStock: '5.00000', allocated: '0.00000' }];
