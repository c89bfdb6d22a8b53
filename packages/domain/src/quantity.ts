/**
 * A quantity as a whole number of hundred-thousandths: InvenTree keeps five decimal places, and sums of binary
 * fractions (0.1 + 0.2) would be off by one in the last place.
 */
export type Quantity = bigint;

const PLACES = 5;
/** One unit. */
export const ONE = 10n ** BigInt(PLACES);

/** Decimal places that Magento keeps of a source item's quantity (docs/facts/magento.md, "Inventory source items"). */
const MAGENTO_PLACES = 4;

const DECIMAL = /^([+-]?)(\d+)(?:\.(\d*))?$/;

/**
 * Parses a decimal as InvenTree and its plugin write it ("12.5", "80.00000"). Digits beyond the fifth place are cut.
 * Throws a RangeError for anything but a plain decimal.
 */
export function parseQuantity(text: string): Quantity {
  const match = DECIMAL.exec(text.trim());
  if (!match) throw new RangeError(`expected a decimal like "12.50000", got "${text}"`);
  const [, sign, whole = '0', fraction = ''] = match;
  const units = BigInt(whole) * ONE + BigInt(fraction.slice(0, PLACES).padEnd(PLACES, '0'));
  return sign === '-' ? -units : units;
}

/** A number as a quantity, rounded to five places. */
export function quantityFrom(number: number): Quantity {
  return parseQuantity(number.toFixed(PLACES));
}

/** A number rounded to five places: sums of binary fractions would be off in the last one. */
export function roundedNumber(number: number): number {
  const size = 10 ** PLACES;
  return Math.round(number * size) / size;
}

/** The exact sum. */
export function sum(quantities: Iterable<Quantity>): Quantity {
  let total = 0n;
  for (const quantity of quantities) total += quantity;
  return total;
}

/** Cuts off what is less than a whole unit: 2.99 becomes 2, -0.5 becomes 0. */
export function wholeUnits(quantity: Quantity): Quantity {
  return (quantity / ONE) * ONE;
}

/** Cuts to the four places that Magento keeps, so that a read returns exactly what was written. */
export function toMagentoPlaces(quantity: Quantity): Quantity {
  const unit = 10n ** BigInt(PLACES - MAGENTO_PLACES);
  return (quantity / unit) * unit;
}

/** The quantity as text without trailing zeros: "12.5", "80". */
export function formatQuantity(quantity: Quantity): string {
  const sign = quantity < 0n ? '-' : '';
  const size = quantity < 0n ? -quantity : quantity;
  const fraction = (size % ONE).toString().padStart(PLACES, '0').replace(/0+$/, '');
  return `${sign}${size / ONE}${fraction && `.${fraction}`}`;
}

/** The quantity as the number that goes into Magento's JSON; exact up to 9 * 10^10 units. */
export function quantityAsNumber(quantity: Quantity): number {
  return Number(quantity) / Number(ONE);
}
