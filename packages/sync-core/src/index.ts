export { quantityFrom, sum, wholeUnits, magentoPlaces, textOf, numberOf, type Quantity } from './decimal';
export { skuOf, skuKey, parameterOf, type SkuField, type SkuBearer } from './sku';
export {
  HEARTBEAT,
  targetsOf,
  type Change,
  type InvenTreeEvent,
  type EventTargets,
  type Ignored,
  type Malformed,
} from './events';
export {
  wantedInWords,
  wantedStock,
  DEFAULT_SOURCE,
  type StockAtLocation,
  type QuantityRules,
  type SourceLocations,
  type WantedStock,
} from './wanted-stock';
export { isBraked, isNothing, showingNeeded } from './brake';
export { stockChanges, holdsStock, shownInWords, type ShownStock, type StockChange } from './stock-difference';
export { sourceLocations, type SourceMap } from './source-map';
