/**
 * A quantity as a whole number of hundred-thousandths: InvenTree keeps five decimals, and sums of binary fractions
 * (0.1 + 0.2) would be off by one in the last place.
 */
export type Quantity = bigint;

const PLACES = 5;
const ONE = 10n ** BigInt(PLACES);

/** Places that Magento keeps of a source item's quantity [recording msi-post-decimal-after]. */
const MAGENTO_PLACES = 4;

const DECIMAL = /^([+-]?)(\d+)(?:\.(\d*))?$/;

/**
 * The exact quantity that a decimal's text says, as InvenTree and its plugin write them ("12.5", "80.00000").
 * Digits beyond the fifth place are cut. Throws a RangeError for anything else than a plain decimal.
 */
export function quantityFrom(text: string): Quantity {
  const match = DECIMAL.exec(text.trim());
  if (!match) throw new RangeError(`expected a decimal like "12.50000", got "${text}"`);
  const [, sign, whole = '0', fraction = ''] = match;
  const units = BigInt(whole) * ONE + BigInt(fraction.slice(0, PLACES).padEnd(PLACES, '0'));
  return sign === '-' ? -units : units;
}

/** The exact sum. */
export function sum(quantities: Iterable<Quantity>): Quantity {
  let total = 0n;
  for (const quantity of quantities) total += quantity;
  return total;
}

/** What is left when everything below one whole unit is cut away: 2.99 becomes 2, -0.5 becomes 0. */
export function wholeUnits(quantity: Quantity): Quantity {
  return (quantity / ONE) * ONE;
}

/** Cut to the four places that Magento keeps, so that what is read back equals what was written. */
export function magentoPlaces(quantity: Quantity): Quantity {
  const unit = 10n ** BigInt(PLACES - MAGENTO_PLACES);
  return (quantity / unit) * unit;
}

/** As text without needless zeros: "12.5", "80". */
export function textOf(quantity: Quantity): string {
  const sign = quantity < 0n ? '-' : '';
  const size = quantity < 0n ? -quantity : quantity;
  const fraction = (size % ONE).toString().padStart(PLACES, '0').replace(/0+$/, '');
  return `${sign}${size / ONE}${fraction && `.${fraction}`}`;
}

/** As the number that goes into Magento's JSON. */
export function numberOf(quantity: Quantity): number {
  return Number(textOf(quantity));
}
